#ifndef UPSTREAM_ROSTER_H
#define UPSTREAM_ROSTER_H

#include "base/log.h"
#include "net/dns.h"
#include "upstream/group.h"

/* Who is in an upstream now, where servers have `resolve`: one loop's view. Its names are asked for again
 * whenever their answers expire, and a change makes a new group; the old one lives on for who uses it. Peers,
 * and with them failures, counts and sessions, are shared with the other loops and stay while their address
 * does. */

struct roster;

struct roster_setup {
    struct loop *loop;
    const struct log *log; /* outlives the roster */
    unsigned index, loops;
    struct registry *registry;
    struct dns *dns;             /* outlives the roster */
    struct group *fixed;         /* the snapshot's group: the servers without `resolve`; outlives the roster */
    const struct roster *before; /* of the same upstream until now: what it knows of a server is where to begin;
                                    NULL: nothing is known */
};

/* NULL without memory. */
struct roster *roster_new(const struct roster_setup *setup);
/* NULL is allowed. */
void roster_free(struct roster *roster);
/* The group of now; for longer than this turn's step, group_take it. */
struct group *roster_group(const struct roster *roster);
struct str roster_name(const struct roster *roster);

#endif
