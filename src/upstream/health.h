#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include "base/log.h"
#include "base/map.h"
#include "upstream/probe.h"
#include "upstream/roster.h"

/* Active health: one schedule for all upstreams with a check. It runs on one loop and writes what it learns
 * into the peers, where all loops read it (peer_is_checked_down). */

struct health;

/* The log outlives it. NULL without memory. */
struct health *health_new(struct loop *loop, struct duct_pool *ducts, const struct log *log);
/* Ends all probes. */
void health_free(struct health *health);

/* From now on checks the members of these groups (name -> struct group *) that have a check, and no others;
 * where members change, those of the loop's rosters. A peer that was checked before goes on with what is known
 * of it. Groups and rosters outlive their being installed. False without memory: then some are not checked. */
bool health_install(struct health *health, const struct map *groups, struct roster *const *rosters);

#endif
