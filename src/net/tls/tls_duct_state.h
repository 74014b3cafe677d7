#ifndef NET_TLS_TLS_DUCT_STATE_H
#define NET_TLS_TLS_DUCT_STATE_H

#include "base/str.h"
#include "net/duct_state.h"

struct tls_pool;
struct tls_record;
struct tls_session;

/* What a secure duct has beside a plain one's. */
struct tls_duct {
    struct duct duct;
    struct tls_pool *pool;
    struct tls_session *session; /* OpenSSL's part; NULL once `record` has its keys */
    struct tls_record *record;   /* NULL: OpenSSL's part is there */
    struct str in;               /* read and not decrypted: a whole record is missing something */
    char *in_owned;              /* NULL: `in` lies in the pool's memory, during a call */
    char *out;                   /* encrypted and not taken by the socket: out_len bytes from out_at */
    uint32_t out_at, out_len;
    uint32_t out_told; /* payload of what is in `out`, or was, that duct_send has not been told of as sent */
    uint32_t plain_at, plain_len;
    char *plain;        /* decrypted and not taken by the reader */
    uint32_t in_record; /* bytes of the record at the head of `in` that OpenSSL has not taken yet */
    int error;          /* it has failed: a negative errno */
    bool is_open;       /* the handshake is over */
    bool is_ended;      /* close_notify, or FIN */
    bool can_read_raw;  /* as far as known, the socket has bytes */
    bool is_shut_due;   /* FIN follows what is in `out` */
};

#endif
