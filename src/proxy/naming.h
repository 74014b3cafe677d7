#ifndef PROXY_NAMING_H
#define PROXY_NAMING_H

#include "proxy/exchange.h"

/* A server that is known by name only when the request is here: proxy_pass with variables.
 *
 * Whoever has evaluated the URL looks for an upstream of that name first (exchange_use_group); else calls
 * naming_begin with host (an IPv6 address in brackets) and port, both outliving the exchange, and goes to the
 * state that it gives: PICK when the address is known, RESOLVE to wait for the answer, or where the failure
 * leads (502, and nginx's line in the error log). The addresses become a group of the exchange's own. */
enum exchange_state naming_begin(struct exchange *x, struct str host, uint16_t port, bool is_unix);
/* Of "host", "host:port" and "[::1]:port": *port is 0 when none is said. False when it is none, or 0. */
bool naming_split(struct str address, struct str *host, uint16_t *port);
/* The exchange waits no more. */
void naming_end(struct exchange *x);

#endif
