#ifndef UPSTREAM_IDLE_H
#define UPSTREAM_IDLE_H

#include "net/duct.h"
#include "upstream/peer.h"

/* One loop's idle connections to peers, kept for the next request. A connection that ends, or that says
 * anything unasked, is closed. It is retired a second before the backend would close it (its Keep-Alive:
 * timeout=N). */

struct idle_pool;

/* A connection at rest or on its way back to it. */
struct idle_lease {
    struct duct *duct; /* NULL: none was there */
    uint64_t requests; /* already served on it */
    uint64_t born_ms;  /* when it was opened: the caller's to know */
    uint64_t kind;     /* how it is encrypted; 0: not at all */
};

struct idle_pool *idle_pool_new(struct loop *loop);
/* Closes all. */
void idle_pool_free(struct idle_pool *pool);
/* Gives back the memory of connections that are no more, as slab_trim does. */
void idle_pool_trim(struct idle_pool *pool);
/* The connection to `peer` of this kind (what was given with it: 0 for plain ones) that was put in last, now
 * the caller's; owner and ready are to be set. */
struct idle_lease idle_take(struct idle_pool *pool, const struct peer *peer, uint64_t kind);
/* Gives a connection in a clean state to the pool for up to keep_ms; `most` for the peer's upstream, beyond
 * which the oldest is closed. Closes it when it has ended meanwhile or has bytes unread, or without memory. */
void idle_put(struct idle_pool *pool, struct peer *peer, struct idle_lease lease, uint64_t keep_ms,
              size_t most);
/* Closes all to this peer: it has died. */
void idle_close_peer(struct idle_pool *pool, const struct peer *peer);
/* For the simulator: how many there are. */
size_t idle_count(const struct idle_pool *pool);

#endif
