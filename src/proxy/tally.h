#ifndef PROXY_TALLY_H
#define PROXY_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* What stub_status tells: one for each loop, which alone writes it; all read it. */
struct tally {
    _Atomic uint64_t accepted, handled, requests; /* since the start */
    _Atomic uint64_t active, reading, writing;    /* connections now; those that do neither wait */
    uint64_t apart[2];                            /* so that no two loops write to one cache line */
};

static inline void tally_add(_Atomic uint64_t *counter, int change) {
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + (uint64_t)(int64_t)change,
                          memory_order_relaxed);
}

struct tally_sums {
    uint64_t accepted, handled, requests, active, reading, writing, waiting;
};

/* Of all loops, near enough to one moment. */
struct tally_sums tally_sum(struct tally *tallies, unsigned count);

#endif
