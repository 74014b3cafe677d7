#ifndef UPSTREAM_MEMBER_H
#define UPSTREAM_MEMBER_H

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

/* The member answered: clears its fails and is_dead as nginx clears fails after a success past the window. */
void member_succeed(struct member *member, uint64_t now_ms);
/* The backend's fault counts against it; our own shortages (why's owner) do not. Connection refused or
 * unreachable and handshake timeouts also set is_dead and forget its sids (epoch) once it is set aside. True
 * when this failure set it aside. A sole primary without backup is never set aside (nginx). */
bool member_fail(struct group *group, struct member *member, enum why why, uint64_t now_ms);
/* May it be given requests now? */
bool member_is_up(const struct group *group, const struct member *member, uint64_t now_ms);
/* It is about to be given. False when another loop was first to try it again after it had failed. */
bool member_claim(const struct group *group, const struct member *member, uint64_t now_ms);

#endif
