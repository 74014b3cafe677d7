#include "upstream/balance.h"

#include "loop/random.h"

static unsigned draw(const struct group *group) {
    return balance_by_weight(group, random_u64() % group->total_weight);
}

unsigned balance_random(const struct group *group, struct pick *pick, uint64_t now_ms) {
    if (group->primaries < 2)
        return BALANCE_NONE;
    for (; pick->misses <= BALANCE_HASHES_MAX; pick->misses++) {
        unsigned index = draw(group);
        if (balance_may_give(group, pick, index, now_ms))
            return index;
    }
    return BALANCE_NONE;
}

static bool is_busier(const struct group *group, unsigned one, unsigned other) {
    const struct member *a = &group->members[one], *b = &group->members[other];
    return (uint64_t)atomic_load_explicit(&a->peer->active, memory_order_relaxed) * b->weight >
           (uint64_t)atomic_load_explicit(&b->peer->active, memory_order_relaxed) * a->weight;
}

/* Of two drawn by weight the one with fewer exchanges and tunnels for its weight. */
unsigned balance_random_two(const struct group *group, struct pick *pick, uint64_t now_ms) {
    unsigned first = BALANCE_NONE;
    if (group->primaries < 2)
        return BALANCE_NONE;
    for (; pick->misses <= BALANCE_HASHES_MAX; pick->misses++) {
        unsigned index = draw(group);
        if (index == first || !balance_may_give(group, pick, index, now_ms))
            continue;
        if (first != BALANCE_NONE)
            return is_busier(group, index, first) ? first : index;
        first = index;
    }
    return BALANCE_NONE;
}
