#ifndef UPSTREAM_PEER_H
#define UPSTREAM_PEER_H

#include "net/address.h"
#include "net/why.h"

#include <stdatomic.h>

/* One backend address of one upstream, as it lives: counters and health, shared by all loops, carried over from
 * snapshot to snapshot. Reference-counted; the registry finds it again by upstream name and address at a
 * reload. */

enum { PEER_NAME_MAX = 128 };

struct peer {
    atomic_uint references;
    struct address address;
    char name[PEER_NAME_MAX];     /* address_build's text, for logs and $upstream_addr */
    char upstream[PEER_NAME_MAX]; /* name of its upstream, cut */
    uint64_t upstream_hash;       /* of the whole name: the sid table's namespace */

    atomic_uint active;  /* exchanges and tunnels now: what least_conn counts */
    atomic_uint tunnels; /* of them tunnels */
    atomic_uint_least64_t requests, failures;

    /* Passive health: nginx's max_fails and fail_timeout. */
    atomic_uint fails;               /* in the current window */
    atomic_uint_least64_t failed_ms; /* last failure, clock_mono_ms */
    atomic_uint_least64_t tried_ms;  /* last time a set-aside peer was tried again */
    atomic_bool is_dead; /* refused, unreachable or did not answer a handshake: its sids are answered at once */
    atomic_bool is_gone; /* no snapshot in force names it */
    atomic_uint epoch;   /* grows when its sessions are forgotten all at once */
};

struct registry;
struct registry *registry_new(void);
void registry_free(struct registry *registry);
/* The peer with this upstream name and address, made when there is none; a reference is taken for the caller.
 * NULL without memory. Any thread. */
struct peer *registry_peer(struct registry *registry, struct str upstream, const struct address *address);

/* What peer->upstream_hash is for an upstream of this name. */
uint64_t peer_hash_upstream(struct str upstream);

void peer_take(struct peer *peer);
/* NULL is allowed. Any thread. */
void peer_drop(struct peer *peer);

#endif
