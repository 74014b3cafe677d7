#ifndef NET_TLS_TLS_STORE_H
#define NET_TLS_TLS_STORE_H

#include "base/builder.h"

struct duct;

/* Certificates and keys whose names are known only when a connection is made: they are read then, and kept for
 * those to come in a store, which is bounded. A store belongs to one loop. */

struct tls_store;

struct tls_store_setup {
    size_t max;           /* certificates and keys kept, each counting one */
    uint64_t valid_ms;    /* after that the file is looked at again, and read if it has changed */
    uint64_t inactive_ms; /* what nobody has asked for that long is forgotten */
};

/* NULL without memory. */
struct tls_store *tls_store_new(const struct tls_store_setup *setup);
/* NULL is allowed. Connections that use what it holds go on using it. */
void tls_store_free(struct tls_store *store);

/* A file, or "data:" and the PEM itself. The first `trusted` bytes of the path are the configuration's; in the
 * rest, which may be a client's, ".." is refused. */
struct tls_source {
    struct str path;
    size_t trusted;
};

/* Gives a connection whose handshake is not over its certificate and key, kept ones (store NULL: none are) or
 * from the files; the passwords are its context's. Several can be given, of different kinds. False when it
 * cannot be, said in `error`. Reads files, which blocks as long as the disk does. */
bool tls_store_give(struct tls_store *store, const struct duct *duct, const struct tls_source *certificate,
                    const struct tls_source *key, uint64_t now_ms, struct builder *error);

#endif
