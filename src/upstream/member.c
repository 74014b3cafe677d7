#include "upstream/member.h"

static bool is_sole(const struct group *group) {
    return group->count == 1;
}

static bool has_window_passed(const struct member *member, uint64_t now_ms) {
    uint64_t tried_ms = atomic_load_explicit(&member->peer->tried_ms, memory_order_relaxed);
    return now_ms > tried_ms && now_ms - tried_ms > member->fail_timeout_ms;
}

static bool has_failed(const struct member *member) {
    return member->max_fails &&
           atomic_load_explicit(&member->peer->fails, memory_order_relaxed) >= member->max_fails;
}

bool member_is_up(const struct group *group, const struct member *member, uint64_t now_ms) {
    if (member->is_down || peer_is_checked_down(member->peer))
        return false;
    return !has_failed(member) || is_sole(group) || has_window_passed(member, now_ms);
}

/* Begins a new window when the last one has passed. False when the member had been set aside and another loop
 * was quicker to try it again: one request does that. */
static bool window_begin(const struct group *group, const struct member *member, uint64_t now_ms) {
    struct peer *peer = member->peer;
    uint64_t tried_ms = atomic_load_explicit(&peer->tried_ms, memory_order_relaxed);
    if (now_ms > tried_ms && now_ms - tried_ms > member->fail_timeout_ms &&
        atomic_compare_exchange_strong_explicit(&peer->tried_ms, &tried_ms, now_ms, memory_order_relaxed,
                                                memory_order_relaxed))
        return true;
    return is_sole(group) || !has_failed(member);
}

bool member_claim(const struct group *group, const struct member *member, uint64_t now_ms) {
    struct peer *peer = member->peer;
    if (!window_begin(group, member, now_ms))
        return false;
    /* A dead peer may be given inside its window only where a reload has made it the sole one, or one that is
     * never set aside: its next answer must count all the same. */
    if (atomic_load_explicit(&peer->is_dead, memory_order_relaxed)) {
        uint64_t failed_ms = atomic_load_explicit(&peer->failed_ms, memory_order_relaxed);
        if (atomic_load_explicit(&peer->tried_ms, memory_order_relaxed) <= failed_ms)
            atomic_store_explicit(&peer->tried_ms, failed_ms + 1, memory_order_relaxed);
    }
    return true;
}

void member_succeed(struct member *member, uint64_t now_ms) {
    struct peer *peer = member->peer;
    if (!atomic_load_explicit(&peer->fails, memory_order_relaxed) &&
        !atomic_load_explicit(&peer->is_dead, memory_order_relaxed))
        return;
    if (atomic_load_explicit(&peer->failed_ms, memory_order_relaxed) >=
        atomic_load_explicit(&peer->tried_ms, memory_order_relaxed))
        return;
    if (has_failed(member))
        atomic_store_explicit(&peer->back_ms, now_ms, memory_order_relaxed);
    atomic_store_explicit(&peer->fails, 0, memory_order_relaxed);
    atomic_store_explicit(&peer->is_dead, false, memory_order_relaxed);
}

/* Failures after which nothing that the peer held can be believed to be reachable. */
static bool is_deadly(enum why why) {
    return why == WHY_CONNECT_REFUSED || why == WHY_CONNECT_FAILED || why == WHY_CONNECT_TIMEOUT ||
           why == WHY_HANDSHAKE_TIMEOUT;
}

bool member_fail(struct group *group, struct member *member, enum why why, uint64_t now_ms) {
    if (why_info(why)->owner != WHY_OWNER_BACKEND)
        return false;
    struct peer *peer = member->peer;
    atomic_fetch_add_explicit(&peer->failures, 1, memory_order_relaxed);
    if (is_sole(group))
        return false;
    uint64_t failed_ms = atomic_exchange_explicit(&peer->failed_ms, now_ms, memory_order_relaxed);
    uint64_t tried_ms = atomic_exchange_explicit(&peer->tried_ms, now_ms, memory_order_relaxed);
    unsigned before = atomic_fetch_add_explicit(&peer->fails, 1, memory_order_relaxed);
    if (!member->max_fails || before + 1 < member->max_fails)
        return false;
    if (is_deadly(why) && !atomic_exchange(&peer->is_dead, true))
        atomic_fetch_add(&peer->epoch, 1);
    return before < member->max_fails || failed_ms < tried_ms;
}
