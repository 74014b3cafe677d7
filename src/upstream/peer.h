#ifndef UPSTREAM_PEER_H
#define UPSTREAM_PEER_H

#include "net/address.h"
#include "upstream/meter.h"

#include <stdatomic.h>

/* One backend address of one upstream, as it lives: counters and health, shared by all loops, carried over from
 * snapshot to snapshot. Reference-counted; the registry finds it again by upstream name and address at a
 * reload. */

enum { PEER_NAME_MAX = 128 };

enum peer_state { PEER_UNCHECKED, PEER_UP, PEER_DOWN };

/* What active checks say of a peer. Written by the one loop that checks (health.h), read by all. */
struct peer_check {
    atomic_uint state;        /* enum peer_state: DOWN is given no requests */
    atomic_uint rises, falls; /* good and bad verdicts in a row */
    atomic_uint verdict;      /* the last: enum probe_verdict, and the answer's status << 8 */
    atomic_uint_least64_t checks;
    atomic_uint_least64_t since_ms,
        checked_ms;                   /* clock_wall_ms of the last change and the last check; 0: never */
    atomic_uint_least64_t changed_ms; /* clock_mono_ms of the last change */
    void *watcher;                    /* the health's own record, for its loop alone */
};

struct peer {
    /* Written by every request, whichever loop it is on: a line of the cache for themselves, so that what is
     * only read stays in every core's cache. */
    _Alignas(64) atomic_uint references;
    atomic_uint active;          /* exchanges and tunnels now: what least_conn counts */
    atomic_uint tunnels;         /* of them tunnels */
    atomic_uint session_tunnels; /* of those for one of its sids */
    atomic_uint sids;            /* Engine.IO sessions that it is known to hold */
    atomic_uint_least64_t requests;

    /* Passive health: nginx's max_fails and fail_timeout. */
    _Alignas(64) atomic_uint fails;  /* in the current window */
    atomic_uint epoch;               /* grows when its sessions are forgotten all at once */
    atomic_uint_least64_t failures;  /* ever; each makes it lighter for a while (member_fail counts it) */
    atomic_uint_least64_t failed_ms; /* last failure, clock_mono_ms */
    atomic_uint_least64_t back_ms;   /* when it was last let in again; 0: it was never set aside */
    atomic_uint_least64_t tried_ms;  /* last failure, or the last time that it was tried past its window */
    atomic_bool is_dead; /* refused, unreachable or did not answer a handshake: its sids are answered at once */
    atomic_uint names;   /* groups in force that name it: peer_is_gone */
    atomic_bool was_named; /* one did, at some time */

    struct peer_check check;
    struct meter *meters; /* one a loop, of `loops` */
    unsigned loops;
    uint64_t upstream_hash; /* of the whole name: the sid table's namespace */
    struct address address;
    unsigned ordinal;             /* among the upstream's peers of this address */
    char name[PEER_NAME_MAX];     /* address_build's text, for logs and $upstream_addr */
    char upstream[PEER_NAME_MAX]; /* name of its upstream, cut */
};

struct registry;
/* For peers that so many loops meter. NULL without memory. */
struct registry *registry_new(unsigned loops);
void registry_free(struct registry *registry);
/* The peer with this upstream name and address, made when there is none; a reference is taken for the caller.
 * An address that the upstream names several times is several peers: `ordinal` says which, from 0. NULL without
 * memory. Any thread. */
struct peer *registry_peer(struct registry *registry, struct str upstream, const struct address *address,
                           unsigned ordinal);

static inline bool peer_is_checked_down(const struct peer *peer) {
    return atomic_load_explicit(&peer->check.state, memory_order_relaxed) == PEER_DOWN;
}

/* The meters of a listening address, one a loop; they last as long as the registry. NULL without memory. Any
 * thread. */
struct listen_meter *registry_listen(struct registry *registry, struct str address);

/* What peer->upstream_hash is for an upstream of this name. */
uint64_t peer_hash_upstream(struct str upstream);

/* Some group in force has named it, and none does now. */
static inline bool peer_is_gone(const struct peer *peer) {
    return atomic_load(&peer->was_named) && !atomic_load(&peer->names);
}

void peer_take(struct peer *peer);
/* NULL is allowed. Any thread. */
void peer_drop(struct peer *peer);

#endif
