#ifndef PROXY_QUEUE_H
#define PROXY_QUEUE_H

#include "proxy/exchange.h"

/* `queue`: requests for which all servers are full wait here. The limit is the upstream's, whichever loop they
 * are on; the order is a loop's. */

void queue_init(struct engine *engine);
void queue_fini(struct engine *engine);
/* May the exchange, for which no member was found, wait for one? It is in the queue then. */
bool queue_may_wait(struct exchange *x);
/* It waits no more. */
void queue_leave(struct exchange *x);
/* A member has become free: whoever waits looks again at the end of this turn. */
void queue_stir(struct engine *engine);

#endif
