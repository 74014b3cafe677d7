#ifndef PROXY_ANSWER_FEED_H
#define PROXY_ANSWER_FEED_H

#include "proxy/exchange.h"

/* An answer that goes on: one event after another, until the client leaves or the configuration changes (its
 * client comes again by itself). */

enum { FEED_PERIOD_MS = 1000 };

/* Once the head is out: sends an event when one is due. */
enum exchange_state feed_step(struct exchange *x);

#endif
