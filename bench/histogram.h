#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/* Latencies in ns, counted in 32 steps an octave: a quantile is right to 3 %, whatever its size. */
#define HISTOGRAM_SLOTS (64 * 32)

struct histogram {
    uint64_t slot[HISTOGRAM_SLOTS];
    uint64_t count, max;
};

void histogram_add(struct histogram *h, uint64_t ns);
/* The value below which `share` (0..1) of all values lie, in ns; 0 when there are none. */
uint64_t histogram_quantile(const struct histogram *h, double share);
void histogram_reset(struct histogram *h);

#endif
