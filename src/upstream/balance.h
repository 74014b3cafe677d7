#ifndef UPSTREAM_BALANCE_H
#define UPSTREAM_BALANCE_H

#include "upstream/member.h"

/* What the balancing methods have in common; only group.c and they include this. A method is given a span of
 * members (the primaries or the backups) and names the index of one that may be given, or BALANCE_NONE. */

enum { BALANCE_NONE = UINT32_MAX, BALANCE_HASHES_MAX = 20 };

/* A member's place in one loop's smooth weighted round robin. */
struct weight {
    int64_t current;
    int64_t effective; /* the configured weight, less after failures; grows back by one a round */
    uint64_t failures; /* of the peer's, those that are in `effective` already */
};

struct group_local {
    struct weight *weights; /* one a member */
};

struct span {
    unsigned from, to; /* members[from] to members[to - 1] */
};

/* One round of smooth weighted round robin: each candidate enters, one wins. */
struct round {
    const struct group *group;
    struct weight *weights;
    int64_t total;
    unsigned best;
};

static inline bool balance_is_tried(const struct pick *pick, unsigned index) {
    return pick->tried[index / 64] >> (index % 64) & 1;
}

/* Untried, not down, neither set aside nor full, and given its part of the requests when it starts slowly. */
bool balance_may_give(const struct group *group, const struct pick *pick, unsigned index, uint64_t now_ms);

struct round balance_begin(const struct group *group, unsigned loop);
void balance_enter(struct round *round, unsigned index);
/* The winner, who pays for it; BALANCE_NONE when nobody entered. */
unsigned balance_end(struct round *round);

unsigned balance_round_robin(const struct group *group, const struct pick *pick, struct span span,
                             uint64_t now_ms);
unsigned balance_least_conn(const struct group *group, const struct pick *pick, struct span span,
                            uint64_t now_ms);
/* The hash methods know the primaries only, and give BALANCE_NONE when round robin is to choose: one primary,
 * an empty key, or too many members met that may not be given. */
unsigned balance_hash(const struct group *group, struct pick *pick, uint64_t now_ms);
unsigned balance_hash_consistent(const struct group *group, struct pick *pick, uint64_t now_ms);
unsigned balance_ip_hash(const struct group *group, struct pick *pick, uint64_t now_ms);
unsigned balance_random(const struct group *group, struct pick *pick, uint64_t now_ms);
unsigned balance_random_two(const struct group *group, struct pick *pick, uint64_t now_ms);

/* The primary on whose share of the total weight `point` falls. */
unsigned balance_by_weight(const struct group *group, uint64_t point);

/* The points of consistent hashing; NULL without memory. */
struct group_ring *balance_hash_ring(const struct group *group);
void balance_hash_ring_free(struct group_ring *ring);

#endif
