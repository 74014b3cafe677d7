#ifndef PROXY_FLOW_PACE_H
#define PROXY_FLOW_PACE_H

#include "proxy/exchange.h"

/* limit_rate, limit_rate_after and proxy_limit_rate: how much may pass now. Whoever is told "nothing" is run
 * again by x->pace when some may. */

/* The value of a rate, bytes a second; 0: no limit. */
uint64_t pace_eval(struct exchange *x, const struct template *rate);
/* Finds the rate of the answer that begins now. */
void pace_begin(struct exchange *x);
/* The text as a rate, which holds from now on: of `set $limit_rate` and of X-Accel-Limit-Rate. */
void pace_set(struct exchange *x, struct str text);
/* Of `most` bytes for the client, how many it may have now. */
uint64_t pace_allow(struct exchange *x, uint64_t most);
/* So many have gone. */
static inline void pace_spend(struct exchange *x, uint64_t bytes) {
    x->paced_bytes += bytes;
}
/* Says to x->down how much may be read of the server now. */
void pace_limit_read(struct exchange *x);

#endif
