#ifndef PROXY_GUARD_ACCESS_H
#define PROXY_GUARD_ACCESS_H

#include "proxy/guard/guard.h"

/* allow and deny: the first rule that has the client's address decides. */
enum guard_verdict access_check(struct exchange *x, const struct guard *guard);

#endif
