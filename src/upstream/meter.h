#ifndef UPSTREAM_METER_H
#define UPSTREAM_METER_H

#include "base/counter.h"
#include "net/why.h"

/* What one loop has counted of one peer, ever since the peer is known: written by that loop, read by all. */

enum { METER_LATENCIES = 17, METER_STATUSES = 6 };
/* Upper bounds of the classes of time to an answer's head, in microseconds; one more class is beyond the last.
 */
extern const uint32_t meter_latency_us[METER_LATENCIES];

struct meter {
    _Alignas(64) struct counter bytes_up; /* to the peer, and from it: as they pass */
    struct counter bytes_down;
    struct counter requests;                /* given to it, streams and upgrades included */
    struct counter tunnels;                 /* of them became one */
    struct counter answers[METER_STATUSES]; /* by the first digit of their status */
    struct counter failures[WHY_COUNT];     /* that were the peer's fault */
    struct counter latencies[METER_LATENCIES + 1];
    struct counter latency_us; /* the sum of all */
};

/* An answer's head has come, so long after the request began to be sent. */
void meter_answer(struct meter *meter, unsigned status, uint64_t latency_us);

/* What one loop has counted of one listening address, over all configurations that have it. */
struct listen_meter {
    _Alignas(64) struct counter accepted; /* connections */
    struct counter active;                /* of them there are now, tunnels and streams not included */
};

/* The same counted by all loops, added up, for those who show it. */
struct meter_sum {
    uint64_t bytes_up, bytes_down, requests, tunnels;
    uint64_t answers[METER_STATUSES], failures[WHY_COUNT], latencies[METER_LATENCIES + 1], latency_us;
};
void meter_sum_add(struct meter_sum *sum, const struct meter *meter);
/* The time within which `share` (0.5, 0.99) of the answers came, in microseconds, by interpolation within a
 * class; 0 when there is none. */
uint64_t meter_sum_quantile_us(const struct meter_sum *sum, double share);

#endif
