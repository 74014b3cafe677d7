#ifndef NET_TLS_TLS_RECORD_H
#define NET_TLS_TLS_RECORD_H

#include "net/tls/tls_session.h"

/* TLS records without OpenSSL's connection: once the handshake is over, all that a connection needs is two keys
 * and two counters (RFC 8446 5, RFC 5246 6.2.3.3, RFC 7905), which are a hundredth of what OpenSSL keeps. For
 * tunnels, which are many and mostly silent. The ciphers themselves are OpenSSL's; those in use are kept keyed,
 * for a bounded number of connections of a loop at a time. */

struct tls_record;

struct tls_record_pool;
struct tls_record_pool *tls_record_pool_new(void);
void tls_record_pool_free(struct tls_record_pool *pool);

/* Takes the keys over from a connection at rest: the session is to be freed, and not to be used any more. NULL
 * when it cannot be: the cipher suite is another, something is half read, or there is no memory. */
struct tls_record *tls_record_new(struct tls_record_pool *pool, const struct tls_session *session);
/* NULL is allowed. */
void tls_record_free(struct tls_record *record);

enum { TLS_RECORD_EXTRA = 5 + 8 + 1 + 16 }; /* what one grows by at most */
/* Encrypts `bytes`, at most 16,384 of them, to `out`, which has room for them and TLS_RECORD_EXTRA more. The
 * length, or 0 when it has failed. */
size_t tls_record_write(struct tls_record *record, struct str bytes, char *out);
/* close_notify, likewise. */
size_t tls_record_write_end(struct tls_record *record, char *out);

/* Decrypts a whole record as it came in. DONE: *got bytes of payload are in `out`, which has room for `in.len`;
 * it may be none. MORE: as DONE without payload, and the other side wants tls_record_write_update. ENDED:
 * close_notify. */
enum tls_step tls_record_read(struct tls_record *record, struct str in, char *out, size_t *got);
/* A change of our own keys, which the other side asked for. As tls_record_write. */
size_t tls_record_write_update(struct tls_record *record, char *out);

#endif
