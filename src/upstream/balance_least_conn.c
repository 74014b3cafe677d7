#include "upstream/balance.h"

static uint64_t active(const struct group *group, unsigned index) {
    return atomic_load_explicit(&group->members[index].peer->active, memory_order_relaxed);
}

/* The one with the fewest exchanges and tunnels for its weight; among several such, smooth weighted round
 * robin. Other loops change the counts meanwhile, so the first look's winner stands when the second finds
 * nobody equal to it. */
unsigned balance_least_conn(const struct group *group, const struct pick *pick, struct span span,
                            uint64_t now_ms) {
    unsigned best = BALANCE_NONE;
    uint64_t best_active = 0, best_weight = 1;
    bool is_tie = false;
    for (unsigned i = span.from; i < span.to; i++) {
        if (!balance_may_give(group, pick, i, now_ms))
            continue;
        uint64_t mine = active(group, i) * best_weight, its = best_active * group->members[i].weight;
        if (best == BALANCE_NONE || mine < its) {
            best = i;
            best_active = active(group, i);
            best_weight = group->members[i].weight;
            is_tie = false;
        } else if (mine == its) {
            is_tie = true;
        }
    }
    if (!is_tie)
        return best;
    struct round round = balance_begin(group, pick->loop);
    for (unsigned i = best; i < span.to; i++)
        if (active(group, i) * best_weight == best_active * group->members[i].weight &&
            balance_may_give(group, pick, i, now_ms))
            balance_enter(&round, i);
    unsigned winner = balance_end(&round);
    return winner == BALANCE_NONE ? best : winner;
}
