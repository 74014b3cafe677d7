#ifndef PROXY_GUARD_SUBREQUEST_H
#define PROXY_GUARD_SUBREQUEST_H

#include "proxy/guard/guard.h"

/* auth_request: another exchange, which asks on behalf of one that waits in GUARD. It goes through the same
 * table of states and may be answered by anything that answers a client; only the status and fields of its
 * answer count. */

enum guard_verdict subrequest_check(struct exchange *x, const struct guard *guard);
/* The body of its answer: read and dropped, so that the server's connection can be kept. */
enum exchange_state subrequest_relay(struct exchange *x);
/* It has ended: its parent gets what it came to. False when that waits no longer. */
bool subrequest_end(struct exchange *x);
/* The parent ends: whatever it still asks for does too. */
void subrequest_cancel(struct exchange *parent);

#endif
