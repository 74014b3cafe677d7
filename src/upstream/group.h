#ifndef UPSTREAM_GROUP_H
#define UPSTREAM_GROUP_H

#include "upstream/member.h"

/* Making groups, and choosing a member for a request. */

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

#endif
