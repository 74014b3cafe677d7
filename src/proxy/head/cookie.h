#ifndef PROXY_HEAD_COOKIE_H
#define PROXY_HEAD_COOKIE_H

#include "proxy/exchange.h"

/* Writes a Set-Cookie value with what proxy_cookie_domain, proxy_cookie_path and proxy_cookie_flags make of it.
 */
void cookie_build_set(struct exchange *x, struct builder *out, struct str value);

#endif
