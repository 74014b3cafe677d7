#include "proxy/tally.h"

static uint64_t value_of(_Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct tally_sums tally_sum(struct tally *tallies, unsigned count) {
    struct tally_sums sums = {0};
    for (unsigned i = 0; i < count; i++) {
        sums.accepted += value_of(&tallies[i].accepted);
        sums.handled += value_of(&tallies[i].handled);
        sums.requests += value_of(&tallies[i].requests);
        sums.active += value_of(&tallies[i].active);
        sums.reading += value_of(&tallies[i].reading);
        sums.writing += value_of(&tallies[i].writing);
    }
    uint64_t busy = sums.reading + sums.writing;
    sums.waiting = sums.active > busy ? sums.active - busy : 0;
    return sums;
}
