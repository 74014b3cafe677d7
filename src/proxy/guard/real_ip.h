#ifndef PROXY_GUARD_REAL_IP_H
#define PROXY_GUARD_REAL_IP_H

#include "proxy/guard/guard.h"

/* Whom a trusted proxy names becomes the client: x->client. At most once an exchange. */

/* By a level's rules; NULL: it has none. False without memory. */
bool real_ip_find(struct exchange *x, const struct guard *guard);
/* The same as the first check of a location. */
enum guard_verdict real_ip_check(struct exchange *x, const struct guard *guard);

#endif
