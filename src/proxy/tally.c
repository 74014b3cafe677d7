#include "proxy/tally.h"

struct tally_sums tally_sum(const struct tally *tallies, unsigned count) {
    struct tally_sums sums = {0};
    for (unsigned i = 0; i < count; i++) {
        const struct tally *tally = &tallies[i];
        sums.accepted += counter_read(&tally->accepted);
        sums.handled += counter_read(&tally->handled);
        sums.requests += counter_read(&tally->requests);
        sums.active += counter_read(&tally->active);
        sums.reading += counter_read(&tally->reading);
        sums.writing += counter_read(&tally->writing);
        for (unsigned why = 0; why < WHY_COUNT; why++)
            sums.ended[why] += counter_read(&tally->ended[why]);
    }
    uint64_t busy = sums.reading + sums.writing;
    sums.waiting = sums.active > busy ? sums.active - busy : 0;
    return sums;
}
