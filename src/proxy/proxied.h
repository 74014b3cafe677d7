#ifndef PROXY_PROXIED_H
#define PROXY_PROXIED_H

#include "codec/proxy_protocol.h"
#include "proxy/front.h"

/* `listen ... proxy_protocol`: a front's connection begins with a header that says who is behind the proxy that
 * made it. What it says is for variables and real_ip_header; by itself it changes nothing. */
struct proxied {
    unsigned references; /* the front's and its exchange's: all of one loop */
    struct proxy_protocol header;
    char tlvs[];
};

enum proxied_state { PROXIED_KNOWN, PROXIED_WAITS, PROXIED_BROKEN };

/* Reads the header, which is then front->proxied (NULL when it names nobody), and begins TLS behind it where
 * the listener wants that. BROKEN: said in the log, the front is to be closed. */
enum proxied_state proxied_read(struct front *front);
struct proxied *proxied_take(struct proxied *proxied);
/* NULL is allowed. */
void proxied_drop(struct proxied *proxied);
/* An end of the proxied connection as an address. */
struct address proxied_address(const struct proxied *proxied, const struct proxy_protocol_end *end);

#endif
