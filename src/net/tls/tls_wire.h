#ifndef NET_TLS_TLS_WIRE_H
#define NET_TLS_TLS_WIRE_H

#include "net/tls/tls_duct_state.h"

#include <openssl/ssl.h>

/* A secure duct's ciphertext, between its socket and the memory that the loop's ducts share: what does not go
 * through at once is held by the duct. */

enum {
    TLS_RECORD_HEAD = 5,
    TLS_RECORD_MAX = SSL3_RT_MAX_PLAIN_LENGTH + 2048 + TLS_RECORD_HEAD,
    TLS_RECORD_ROOM = SSL3_RT_MAX_PLAIN_LENGTH + 512, /* one that we send */
    TLS_IN_BYTES = LOOP_SCRATCH_BYTES + TLS_RECORD_MAX,
    TLS_OUT_BYTES = 5 * TLS_RECORD_ROOM,
};

struct tls_pool {
    char in[TLS_IN_BYTES];
    char out[TLS_OUT_BYTES];
    char stage[TLS_RECORD_MAX];
    size_t out_len;
    struct tls_session_pool *sessions;
    struct tls_record_pool *records;
};

/* On its way out, behind what the pool's memory has gathered. False without memory or when the socket is
 * broken. */
bool tls_wire_append(struct tls_duct *tls, const char *bytes, size_t len);
/* Sends what the pool's memory has gathered and holds what the socket does not take. How much was taken of it,
 * or a negative errno. */
ssize_t tls_wire_commit(struct tls_duct *tls);
/* Sends held ciphertext. 0 when none is left, -EAGAIN, or the socket's error. */
int tls_wire_flush(struct tls_duct *tls);

/* Reads from the socket behind what is there, into the pool's memory. As socket_recv. */
ssize_t tls_wire_fill(struct tls_duct *tls, size_t wanted);
/* Bytes of the record at the head of what has come in when it is whole; 0 when more is to come. What is no
 * record is given as it is, for OpenSSL to refuse. */
size_t tls_wire_record(const struct tls_duct *tls);
/* What has come in, whole records only, so that OpenSSL never keeps a part of one; 0: no whole one is there. */
size_t tls_wire_take(struct tls_duct *tls, char *bytes, size_t len);
/* The pool's memory is somebody else's from now on: what is left of it is held. 0 or -ENOMEM. */
int tls_wire_settle(struct tls_duct *tls);

#endif
