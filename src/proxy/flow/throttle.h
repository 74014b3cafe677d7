#ifndef PROXY_FLOW_THROTTLE_H
#define PROXY_FLOW_THROTTLE_H

#include "loop/timer.h"

#include <stddef.h>

/* proxy_upload_rate and proxy_download_rate: how fast the pumps of a tunnel may read. A read takes one second's
 * worth at most and is followed by the time that it stands for, so that no moment is faster for long and the
 * whole is not slower. A tunnel without a rate has none of this. */

struct throttle {
    uint64_t rate;   /* bytes a second; 0: no limit */
    uint64_t due_us; /* loop time from which the next bytes may be read */
    bool is_waiting; /* there is something to read, and its time has not come */
};

struct throttles {
    struct throttle up, down;
    void *owner;
    struct timer timer; /* the earlier one of those that wait */
};

/* NULL without memory. `fire` finds the owner by the timer. */
struct throttles *throttles_new(uint64_t up_rate, uint64_t down_rate, uint64_t now_ms, timer_fire *fire,
                                void *owner);
/* NULL is allowed. */
void throttles_free(struct throttles *throttles);
/* Of `most` bytes, how many may be read now; 0: none, and it waits. */
size_t throttle_allow(struct throttle *throttle, uint64_t now_ms, size_t most);
void throttle_spend(struct throttle *throttle, uint64_t now_ms, size_t bytes);
/* When the first of those that wait may go on, in milliseconds from now; UINT64_MAX: none waits. */
uint64_t throttles_wait_ms(const struct throttles *throttles, uint64_t now_ms);

#endif
