#ifndef NET_TLS_TLS_SESSION_H
#define NET_TLS_TLS_SESSION_H

#include "net/tls/tls_context.h"
#include "net/tls/tls_start.h"

/* OpenSSL's part of a secure duct: it reads and writes ciphertext through tls_wire_take and tls_wire_append,
 * and never waits. */

/* A context whose connections are sessions. NULL without memory, said in `error`. */
struct tls_context *tls_session_context_new(bool is_server, struct builder *error);
/* May it be a host's name, or a part of a path? It has no blank, '/', ':' or ".."; as nginx, which else takes
 * it for none. */
bool tls_is_host(struct str name);

enum tls_step { TLS_STEP_DONE, TLS_STEP_MORE, TLS_STEP_ENDED, TLS_STEP_FAILED };

struct tls_duct;
struct tls_session;
/* Of one loop: the sessions that backends gave, to be resumed. */
struct tls_session_pool;
struct tls_session_pool *tls_session_pool_new(void);
/* NULL is allowed. */
void tls_session_pool_free(struct tls_session_pool *pool);

/* NULL without memory. */
struct tls_session *tls_session_new(struct tls_duct *tls, struct tls_session_pool *pool,
                                    const struct tls_start *start);
/* NULL is allowed. */
void tls_session_free(struct tls_session *session);

/* DONE, MORE ciphertext is wanted, or FAILED. */
enum tls_step tls_session_handshake(struct tls_session *session);
/* DONE: *got bytes, at least one; MORE; ENDED: close_notify; FAILED. */
enum tls_step tls_session_read(struct tls_session *session, char *bytes, size_t len, size_t *got);
/* One record. False when it has failed. */
bool tls_session_write(struct tls_session *session, struct str bytes);
/* close_notify. */
void tls_session_close(struct tls_session *session);

/* What the records of a finished handshake are made with; the secrets live as long as the session. */
struct tls_traffic {
    size_t secret_bytes; /* TLS 1.3; 0: not known */
    struct {
        const uint8_t *secret;
        uint64_t sequence; /* of the next record */
    } in, out;
};
/* False when it is not known, or when keys have changed since. */
bool tls_session_traffic(const struct tls_session *session, struct tls_traffic *traffic);

bool tls_session_is_server(const struct tls_session *session);
/* Has nothing been read yet? */
bool tls_session_is_untouched(const struct tls_session *session);
size_t tls_session_record_bytes(const struct tls_session *session);
struct str tls_session_failure(const struct tls_session *session);
struct ssl_st *tls_session_ssl(const struct tls_session *session);

#endif
