#ifndef PROXY_GUARD_PASSWORD_CACHE_H
#define PROXY_GUARD_PASSWORD_CACHE_H

#include "proxy/engine.h"

/* Passwords that take long to look at on purpose are looked at once: a loop remembers what came of it, by a
 * keyed digest of both, so that a user's next requests stall nobody. */

/* As password_is_right, remembered. */
bool password_cache_ask(struct engine *engine, struct str stored, struct str given);

#endif
