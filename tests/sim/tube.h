#ifndef SIM_TUBE_H
#define SIM_TUBE_H

#include "ledger.h"
#include "wire.h"

/* One side of a tunnel: says its pattern at its own pace, checks the other's, half-closes when it has said
 * all, and is over when both have. */

struct tube;
typedef void tube_over(struct tube *tube);

struct tube {
    struct wire *wire;
    struct ask *ask;
    unsigned side;        /* 0 client, 1 backend */
    uint64_t said, heard; /* pattern bytes */
    uint64_t to_say, to_hear;
    unsigned pause_ms; /* at most, between two pieces */
    uint64_t stop_at;  /* says no more than this and then breaks off by `ending`; UINT64_MAX: never */
    enum { TUBE_FINISH, TUBE_CLOSE, TUBE_RESET, TUBE_VANISH } ending;
    bool is_over, is_due;
    tube_over *over;
    void *owner;
};

/* The wire is the tube's from now on; bytes it has already got are heard at once. `said` may be ahead. */
void tube_open(struct tube *tube);

#endif
