#ifndef PROXY_TALLY_H
#define PROXY_TALLY_H

#include "base/counter.h"
#include "net/why.h"

/* What a loop has counted of clients: stub_status tells it, and the status page. One for each loop. */
struct tally {
    _Alignas(64) struct counter accepted; /* since the start, as the next two */
    struct counter handled;
    struct counter requests;
    struct counter active; /* connections now; those that neither read nor write wait */
    struct counter reading;
    struct counter writing;
    struct counter ended[WHY_COUNT]; /* tunnels and streams, by what ended them */
};

struct tally_sums {
    uint64_t accepted, handled, requests, active, reading, writing, waiting, ended[WHY_COUNT];
};

/* Of all loops, near enough to one moment. */
struct tally_sums tally_sum(const struct tally *tallies, unsigned count);

#endif
