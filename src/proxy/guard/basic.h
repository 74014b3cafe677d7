#ifndef PROXY_GUARD_BASIC_H
#define PROXY_GUARD_BASIC_H

#include "proxy/guard/guard.h"

/* auth_basic, RFC 7617: user and password, looked up in a file that is read for each request, so that a change
 * of it holds at once. */

enum guard_verdict basic_check(struct exchange *x, const struct guard *guard);
/* $remote_user: as the client says it; nothing when it says none. */
void basic_build_user(struct exchange *x, struct builder *out);

#endif
