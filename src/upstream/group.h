#ifndef UPSTREAM_GROUP_H
#define UPSTREAM_GROUP_H

#include "model/upstream.h"
#include "upstream/peer.h"

/* An upstream as it runs in one snapshot: its members, each a peer with its weight, and the balancing method.
 * Immutable but for one record of balancing state a loop. */

enum { MEMBER_ID_MAX = 32 };

struct member {
    struct peer *peer; /* a reference is held */
    const struct upstream_server *server;
    unsigned weight, max_fails, max_connections;
    uint64_t fail_timeout_ms;
    uint64_t slow_start_ms;
    bool is_backup, is_down, is_draining;
    char id[MEMBER_ID_MAX + 1]; /* what `sticky` knows it by: its route, or the MD5 of its address in
                                   hexadecimal; empty where nothing is sticky */
};

struct group {
    const struct upstream *upstream;  /* the model outlives the group */
    uint64_t upstream_hash;           /* the sid table's namespace for it */
    struct member *members;           /* backups last */
    unsigned count, primaries, tries; /* tries: members that are not down */
    uint64_t total_weight;            /* of the primaries */
    struct group_ring *ring;          /* for consistent hashing */
    struct group_local **locals;      /* one a loop */
    unsigned loops;
    unsigned roster;      /* not 0: its members change; the loop's rosters[roster - 1] knows those of now */
    unsigned users;       /* of a group that one loop made for itself (is_own): freed with the last of them */
    bool is_own, is_slow; /* is_slow: there is a slow_start */
    atomic_uint queued;   /* exchanges that wait for a member */
};

enum { GROUP_MEMBERS_MAX = 1024 };

/* Resolves every server (blocking; names through resolver_lookup) and makes the group for `loops` loops.
 * Errors, such as `host not found in upstream "x"`, go to diagnostics; then NULL. */
struct group *group_new(const struct upstream *upstream, struct registry *registry, unsigned loops,
                        struct diagnostics *diagnostics);
void group_free(struct group *group);

/* A member of a group that is made while serving: its address is known. */
struct group_place {
    const struct upstream_server *server;
    struct address address;
    unsigned weight; /* 0: the server's */
    bool is_backup;
};
/* A group of one loop's own, loop `index` of `loops`, of the places as they come, which may be none; backups
 * last. The caller is its first user. NULL without memory. Its picks say loop 0. */
struct group *group_new_own(const struct upstream *upstream, struct registry *registry, unsigned index,
                            unsigned loops, const struct group_place *places, size_t count);
/* Of a snapshot's group nothing is counted. NULL is allowed. */
static inline struct group *group_take(struct group *group) {
    if (group && group->is_own)
        group->users++;
    return group;
}
static inline void group_drop(struct group *group) {
    if (group && group->is_own && --group->users == 0)
        group_free(group);
}

/* The group names its peers from now on, or no more: who is named by none any longer is gone. NULL is allowed.
 * Any thread. */
void group_enter(struct group *group);
void group_leave(struct group *group);

/* One request's search for a member: kept over its tries. The caller zeroes it and sets loop, key and client.
 */
struct pick {
    unsigned loop;
    struct str key;                         /* value of hash_key, for the hash methods */
    const struct address *client;           /* for ip_hash; NULL: unknown */
    uint64_t tried[GROUP_MEMBERS_MAX / 64]; /* members tried already: never given again */
    uint32_t hash;                          /* how far the hash methods have come */
    unsigned hashes, misses;
    bool is_hasty; /* slow_start holds nobody back any more */
};

/* The member that the method names, never one tried, down, or set aside by max_fails (which is let in again
 * with one request after fail_timeout, as nginx does); a full one (max_connections) is passed over; backups
 * when no primary can. Marks it as tried. NULL: no live upstreams. Placement of hash, consistent hash and
 * ip_hash is nginx's to the letter. Called on loop pick->loop only. */
struct member *group_pick(struct group *group, struct pick *pick, uint64_t now_ms);
/* The same for a request that is bound to the member of this id; NULL when that is none or may not be given:
 * then the method chooses. One that drains may. */
struct member *group_pick_id(struct group *group, struct pick *pick, struct str id, uint64_t now_ms);
/* Would a member be given, were it not full? */
bool group_is_full(const struct group *group, const struct pick *pick, uint64_t now_ms);
/* Is there a member left that group_pick would give? Changes nothing. */
bool group_has_other(const struct group *group, const struct pick *pick, uint64_t now_ms);
/* The member whose peer this is; NULL when the peer is not in the group. */
struct member *group_find(struct group *group, const struct peer *peer);

/* The member answered: clears its fails and is_dead as nginx clears fails after a success past the window. */
void member_succeed(struct member *member, uint64_t now_ms);
/* The backend's fault counts against it; our own shortages (why's owner) do not. Connection refused or
 * unreachable and handshake timeouts also set is_dead and forget its sids (epoch) once it is set aside. True
 * when this failure set it aside. A sole primary without backup is never set aside (nginx). */
bool member_fail(struct group *group, struct member *member, enum why why, uint64_t now_ms);
/* May it be given requests now? */
bool member_is_up(const struct group *group, const struct member *member, uint64_t now_ms);

#endif
