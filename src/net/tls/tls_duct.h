#ifndef NET_TLS_TLS_DUCT_H
#define NET_TLS_TLS_DUCT_H

#include "net/tls/tls_duct_state.h"
#include "net/tls/tls_start.h"

#include <sys/uio.h>

/* The TLS half of a duct: what duct.c calls where a duct is secure, and what is asked of the handshake. */

/* Memory that the secure ducts of one loop share: they own none of it between two calls. NULL without memory.
 */
struct tls_pool *tls_pool_new(void);
void tls_pool_free(struct tls_pool *pool);

/* ---- for duct.c ---- */

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

/* ---- for everybody ---- */

/* What failed, in nginx's words: "SSL_do_handshake() failed (SSL: error:...)"; empty: nothing did. Lives as
 * long as the duct. */
struct str tls_failure(const struct duct *duct);
/* The connection's SSL; NULL for a plain duct, and once OpenSSL's part has been given back. */
struct ssl_st *tls_ssl(const struct duct *duct);

#endif
