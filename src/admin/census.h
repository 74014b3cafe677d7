#ifndef ADMIN_CENSUS_H
#define ADMIN_CENSUS_H

#include "proxy/engine.h"

/* All that is to be told of the program, at one moment: gathered from what all loops count, for those who write
 * it as JSON, as metrics or as a table. */

struct census_peer {
    const struct peer *peer;
    const struct member *member;
    bool is_up;               /* it is given requests */
    const char *state;        /* "up", "down", "unchecked", "draining", "set aside" */
    struct str why;           /* of a state that is not up; what its last check said */
    unsigned active, tunnels; /* exchanges and tunnels now; of them tunnels */
    unsigned sessions;        /* Engine.IO sessions that it is known to hold */
    unsigned polling;         /* of them without a tunnel */
    struct meter_sum sum;
};

struct census_upstream {
    const struct upstream *upstream;
    struct census_peer *peers;
    size_t count, up;
};

struct census_listener {
    const struct listen *listen;
    uint64_t accepted, active;
};

struct census {
    uint64_t time_ms;
    struct tally_sums tally;
    uint64_t tunnels;  /* live, of all upstreams */
    uint64_t sessions; /* Engine.IO sessions in the table */
    struct census_listener *listeners;
    size_t listener_count;
    struct census_upstream *upstreams;
    size_t upstream_count;
};

/* In the arena; NULL without memory. `hold` is of the engine. */
struct census *census_take(const struct engine *engine, const struct snapshot_hold *hold, struct arena *arena);

#endif
