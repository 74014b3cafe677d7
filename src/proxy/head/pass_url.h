#ifndef PROXY_HEAD_PASS_URL_H
#define PROXY_HEAD_PASS_URL_H

#include "proxy/exchange.h"

/* Where proxy_pass leads: $proxy_host, the group that is to answer, and the URI that replaces the client's.
 * With variables the whole URL is evaluated first; it names an upstream block, an address, or a host that
 * `resolver` is asked for, and then x->naming_host is set and the group comes of naming_begin. False: x->why is
 * set. */
bool pass_url_prepare(struct exchange *x);
/* Asks for the host that pass_url_prepare has left. */
enum exchange_state pass_url_name(struct exchange *x);

#endif
