#ifndef NET_TLS_TLS_PEM_H
#define NET_TLS_TLS_PEM_H

#include "base/builder.h"

/* Certificates and keys in PEM, from a source that is open already; `path` is what an error calls it. */

struct bio_st;
struct evp_pkey_st;
struct stack_st_X509;

/* A certificate, and behind it its chain, until the end. The caller's; NULL when it cannot be read. */
struct stack_st_X509 *tls_pem_chain(struct bio_st *bio, struct str path, struct builder *error);
/* A private key, which one of the passwords opens: the text of a password file, a line a password. *is_locked:
 * it needed one. The caller's; NULL when it cannot be read. */
struct evp_pkey_st *tls_pem_key(struct bio_st *bio, struct str path, struct str passwords, bool *is_locked,
                                struct builder *error);
/* Has reading stopped at the end of the source? OpenSSL tells it by an error that is none, which is taken away
 * then. */
bool tls_pem_is_at_end(void);

#endif
