#include "upstream/balance.h"

/* Smooth weighted round robin: weights 5, 1, 1 give a a b a c a a. */
unsigned balance_round_robin(const struct group *group, const struct pick *pick, struct span span,
                             uint64_t now_ms) {
    struct round round = balance_begin(group, pick->loop);
    for (unsigned i = span.from; i < span.to; i++)
        if (balance_may_give(group, pick, i, now_ms))
            balance_enter(&round, i);
    return balance_end(&round);
}
