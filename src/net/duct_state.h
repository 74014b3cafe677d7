#ifndef NET_DUCT_STATE_H
#define NET_DUCT_STATE_H

#include "loop/loop.h"

/* What a duct is, for those who use one (duct.h), and for its TLS half, which duct.c stands on. */

struct duct;
typedef void duct_ready(struct duct *duct);

struct duct {
    struct ev ev;
    struct loop *loop;
    struct duct_pool *pool;
    duct_ready *ready;        /* tells `owner` that can_read, can_write or the ends have changed */
    void *owner;              /* once closed: the duct closed before it in this turn */
    bool can_read, can_write; /* as far as known; at first to be read is nothing until an event tells */
    bool has_end;             /* FIN or error has been seen coming: read on until 0 */
    bool is_shut;             /* our FIN is sent */
    bool is_peek_full;        /* the last peek filled its buffer: more may be there */
    bool is_connected;        /* a byte has passed or the socket became writable; the handshake is over */
    bool is_secure;           /* TLS: it is a struct tls_duct, and events of its handshake are not told */
    bool is_wide;             /* has a tls_duct's memory, though it may have turned out to be a plain one */
    unsigned sent_since_look; /* bytes sent since the kernel's queue was last asked for */
};
_Static_assert(sizeof(struct duct) <= 64, "a duct is one cache line: each message touches two");

#endif
