#ifndef NET_TLS_TLS_START_H
#define NET_TLS_TLS_START_H

#include "base/str.h"

/* How a handshake begins, and what is asked of others while it lasts. */

struct duct;
struct tls_context;

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

#endif
