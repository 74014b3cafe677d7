#ifndef PROXY_GUARD_PASSWORD_CACHE_H
#define PROXY_GUARD_PASSWORD_CACHE_H

#include "proxy/guard/guard.h"

/* Passwords that take long to look at on purpose are looked at once, and elsewhere: a helper thread does it
 * while the exchange waits, and the loop remembers what came of it, by a keyed digest of both. */

enum password_verdict {
    PASSWORD_RIGHT,
    PASSWORD_WRONG,
    PASSWORD_ASKED,   /* the exchange goes on once it is known, and asks again */
    PASSWORD_UNASKED, /* there are too many to be asked for, or no memory */
};

enum password_verdict password_cache_ask(struct exchange *x, struct str stored, struct str given);
/* The exchange waits no longer. */
void password_cache_forget(struct exchange *x);
/* Waits for whatever is still being looked at; the engine ends. */
void password_cache_fini(struct engine *engine);

#endif
