#ifndef PROXY_AFFINITY_H
#define PROXY_AFFINITY_H

#include "proxy/exchange.h"

/* Affinity by Engine.IO session id: what an exchange has to do with the sid table. Off where the upstream is
 * not `sticky sid`. */

/* Once group and query are known: looks the session up and decides which body must be watched. False without
 * memory. */
bool affinity_begin(struct exchange *x);
/* The member that holds the session; NULL: the method decides, or (x->is_sid_lost) the session is lost. */
struct member *affinity_member(struct exchange *x);
/* The head of the answer is there. */
void affinity_answered(struct exchange *x);
/* More of a watched body has been collected, and is about to be passed on. */
void affinity_watch(struct exchange *x, struct passage *passage);
/* Lets go of the session. */
void affinity_end(struct exchange *x);

#endif
