#include "upstream/balance.h"

#include "loop/random.h"

/* A member that has come back is taken part of the time, more and more often, as its slow_start passes. */
static bool is_warm(const struct member *member, uint64_t now_ms) {
    uint64_t back_ms = atomic_load_explicit(&member->peer->back_ms, memory_order_relaxed);
    if (!back_ms || now_ms - back_ms >= member->slow_start_ms)
        return true;
    return random_u64() % member->slow_start_ms < now_ms - back_ms;
}

bool balance_may_give(const struct group *group, const struct pick *pick, unsigned index, uint64_t now_ms) {
    const struct member *member = &group->members[index];
    if (balance_is_tried(pick, index) || member->is_draining || !member_is_up(group, member, now_ms))
        return false;
    if (member->slow_start_ms && !pick->is_hasty && !is_warm(member, now_ms))
        return false;
    return !member->max_connections ||
           atomic_load_explicit(&member->peer->active, memory_order_relaxed) < member->max_connections;
}

struct round balance_begin(const struct group *group, unsigned loop) {
    return (struct round){.group = group, .weights = group->locals[loop]->weights, .best = BALANCE_NONE};
}

/* Failures that any loop has seen since the last round make the member lighter on this one. */
static void settle(const struct member *member, struct weight *weight) {
    uint64_t failures = atomic_load_explicit(&member->peer->failures, memory_order_relaxed);
    if (failures == weight->failures)
        return;
    uint64_t news = failures - weight->failures;
    weight->failures = failures;
    int64_t loss = member->max_fails ? (int64_t)(member->weight / member->max_fails) : 0;
    for (; loss && news && weight->effective; news--)
        weight->effective = weight->effective > loss ? weight->effective - loss : 0;
}

void balance_enter(struct round *round, unsigned index) {
    const struct member *member = &round->group->members[index];
    struct weight *weight = &round->weights[index];
    settle(member, weight);
    weight->current += weight->effective;
    round->total += weight->effective;
    if (weight->effective < (int64_t)member->weight)
        weight->effective++;
    if (round->best == BALANCE_NONE || weight->current > round->weights[round->best].current)
        round->best = index;
}

unsigned balance_end(struct round *round) {
    if (round->best != BALANCE_NONE)
        round->weights[round->best].current -= round->total;
    return round->best;
}

unsigned balance_by_weight(const struct group *group, uint64_t point) {
    unsigned index = 0;
    while (index + 1 < group->primaries && point >= group->members[index].weight)
        point -= group->members[index++].weight;
    return index;
}
