#ifndef NET_TLS_TLS_DUCT_H
#define NET_TLS_TLS_DUCT_H

#include "net/duct.h"
#include "net/tls/tls_context.h"

/* The TLS half of a duct: what duct.c calls where a duct is secure, and what is asked of the handshake. */

struct tls_pool;

/* Which context serves a client that asks for `name` (lower case; empty: it named none). NULL: none, the
 * handshake is refused. The context is borrowed. */
typedef struct tls_context *tls_choose(struct duct *duct, struct str name);

/* Gives the connection its certificates (tls_store_give), where its context has none. False: the handshake
 * fails; why has been said. */
typedef bool tls_certify(struct duct *duct);

struct tls_start {
    struct tls_context *context; /* a reference is taken */
    tls_choose *choose;          /* of a server; NULL: the context serves every name */
    tls_certify *certify;        /* of a server; NULL where no context wants it */
    struct str name;             /* of a client: sent as SNI; empty: none */
    struct str verified_name; /* of a client: the name the certificate must bear, where the context checks it */
    uint64_t session;         /* of a client: under which sessions are kept and found; 0: none are */
};

/* Memory that the secure ducts of one loop share: they own none of it between two calls. NULL without memory.
 */
struct tls_pool *tls_pool_new(void);
void tls_pool_free(struct tls_pool *pool);

/* ---- for duct.c ---- */

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

/* Begins a handshake on a duct that is otherwise ready; what goes out waits until the socket is connected.
 * False without memory. */
bool tls_begin(struct tls_duct *tls, struct tls_pool *pool, const struct tls_start *start);
void tls_end(struct tls_duct *tls);
/* An event. True: the owner is to be told. */
bool tls_tell(struct tls_duct *tls, unsigned what);
ssize_t tls_recv(struct tls_duct *tls, void *bytes, size_t len);
ssize_t tls_peek(struct tls_duct *tls, void *bytes, size_t len);
void tls_discard(struct tls_duct *tls, size_t used);
ssize_t tls_send_vector(struct tls_duct *tls, const struct iovec *parts, int count);
ssize_t tls_send_file(struct tls_duct *tls, int file, uint64_t *offset, size_t len);
void tls_shutdown(struct tls_duct *tls);
/* Gives OpenSSL's part back where its keys are all that is needed from now on. */
void tls_slim(struct tls_duct *tls);
/* Says close_notify, as far as the socket takes it at once: the duct is about to be closed. */
void tls_leave(struct tls_duct *tls);

/* For contexts: the callbacks that ducts need. */
void tls_duct_prepare(struct tls_context *context);

/* ---- for everybody ---- */

/* What failed, in nginx's words: "SSL_do_handshake() failed (SSL: error:...)"; empty: nothing did. Lives as
 * long as the duct. */
struct str tls_failure(const struct duct *duct);
/* The connection's SSL; NULL for a plain duct, and once OpenSSL's part has been given back. */
struct ssl_st *tls_ssl(const struct duct *duct);

#endif
