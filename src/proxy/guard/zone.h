#ifndef PROXY_GUARD_ZONE_H
#define PROXY_GUARD_ZONE_H

#include "model/guard.h"

/* What limits count, shared by all loops: a state a key, in shards with a lock each. The memory is bounded as
 * in nginx by the size of nginx's own states; the least recently used ones of requests go first. Outlives
 * snapshots that name it alike. */

struct zone;
struct zone_state; /* of one key */

/* NULL without memory. `zone` is only read here. */
struct zone *zone_new(const struct limit_zone *zone);
void zone_take(struct zone *zone);
void zone_drop(struct zone *zone);
/* Has it the kind and size that the configuration asks for, so that it may go on being used? */
bool zone_fits(const struct zone *zone, const struct limit_zone *wanted);
/* The key as the configuration that made it wrote it. */
struct str zone_key_text(const struct zone *zone);

enum zone_answer {
    ZONE_PASSES,
    ZONE_PINNED, /* passes as far as this limit goes, and *state is held until zone_account or zone_unpin */
    ZONE_REFUSES,
    ZONE_IS_FULL,
};

/* One more request at now_ms: nginx's leaky bucket in thousandths of a request. *excess: how far it is beyond
 * `rate`. With `accounts` it is counted at once, else pinned. */
enum zone_answer zone_request(struct zone *zone, struct str key, const struct request_limit *limit,
                              uint64_t now_ms, bool accounts, uint64_t *excess, struct zone_state **state);
/* Counts the request that pinned the state; the excess then. */
uint64_t zone_account(struct zone *zone, struct zone_state *state, uint64_t rate, uint64_t now_ms);
/* Lets go of a pinned state, not counting the request. */
void zone_unpin(struct zone *zone, struct zone_state *state);

/* One more connection: ZONE_PINNED, and then *state is held until zone_leave; ZONE_REFUSES above `most`. */
enum zone_answer zone_enter(struct zone *zone, struct str key, unsigned most, struct zone_state **state);
void zone_leave(struct zone *zone, struct zone_state *state);

#endif
