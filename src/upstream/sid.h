#ifndef UPSTREAM_SID_H
#define UPSTREAM_SID_H

#include "upstream/peer.h"

/* Which peer holds which Engine.IO session: one table for all loops, in shards with a lock each, so that it
 * scales with cores. Bounded: beyond the limit the longest idle session of the shard is forgotten. An entry
 * lives while it is pinned by a request or tunnel under way, and else until it has been idle for its ping
 * interval + timeout and some slack. */

struct sid_table;
struct sid; /* an entry, pinned by the caller while it holds the pointer */

enum sid_verdict {
    SID_UNKNOWN, /* never seen, or forgotten: the method decides and the node answers for itself */
    SID_HERE,    /* *peer holds it */
    SID_LOST,    /* its peer is dead or gone, or has forgotten its sessions: the client must begin anew */
};

enum { SID_IDLE_DEFAULT_MS = 85000 }; /* of the greatest defaults in use: 25 s + 60 s (Socket.IO 1 and 2.0) */

/* max_entries over all shards, of which there is one if the longest idle session of all is to be the one that
 * goes, and not nearly that (is_exact). The caller's is the first reference; NULL without memory. */
struct sid_table *sid_table_new(size_t max_entries, bool is_exact);
void sid_table_take(struct sid_table *table);
/* NULL is allowed. */
void sid_table_drop(struct sid_table *table);

enum sid_learned {
    SID_NOT_LEARNED, /* no memory, or all are in use: then affinity for this session is by chance */
    SID_LEARNED,
    SID_LEARNED_FOR_ANOTHER, /* the longest idle one was forgotten, before its time */
};

/* Remembers that `peer` holds `sid` (namespace: the peer's upstream), to be forgotten after idle_ms of silence.
 * An entry that is there already is set to the new peer. */
enum sid_learned sid_learn(struct sid_table *table, struct str sid, struct peer *peer, uint64_t idle_ms,
                           uint64_t now_ms);
/* Looks up; SID_HERE and SID_LOST pin the entry in *entry until sid_unpin. SID_HERE takes a reference to *peer
 * for the caller. */
enum sid_verdict sid_find(struct sid_table *table, uint64_t upstream_hash, struct str sid, uint64_t now_ms,
                          struct sid **entry, struct peer **peer);
void sid_unpin(struct sid_table *table, struct sid *entry, uint64_t now_ms);
/* The session has ended; the entry goes as soon as nobody pins it. */
void sid_forget(struct sid_table *table, struct sid *entry);
/* The session has ended in good order. Requests that left before may still come, and are its node's to answer:
 * the entry goes SID_LINGER_MS after the last of them. */
enum { SID_LINGER_MS = 5000 };
void sid_end(struct sid_table *table, struct sid *entry);
/* Sweeps some shards for idle entries; called by each loop about once a second, the loops taking turns by
 * `loop` of `loops`. */
void sid_sweep(struct sid_table *table, unsigned loop, unsigned loops, uint64_t now_ms);
size_t sid_count(const struct sid_table *table);

#endif
