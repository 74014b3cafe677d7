#ifndef NET_TLS_TLS_SECRET_H
#define NET_TLS_TLS_SECRET_H

#include "base/str.h"

/* The secrets that the records after a TLS 1.3 handshake are made with (RFC 8446 7.1). OpenSSL tells them
 * nowhere but in the text of a key log, which costs up to a tenth of a handshake. So contexts ask for the key
 * derivation through a provider of ours (provider-kdf(7)): OpenSSL's own does the work, and what comes out is
 * looked at. */

enum { TLS_SECRET_MAX = 48 };

struct tls_secrets {
    size_t bytes; /* of each; 0: not known */
    uint8_t client[TLS_SECRET_MAX], server[TLS_SECRET_MAX];
};

/* The property query for SSL_CTX_new_ex; NULL: secrets will not be known. Any thread. */
const char *tls_secret_query(void);

/* What this thread derives from now on is noted there; NULL: it is not. Borrowed until the next call. */
void tls_secret_note(struct tls_secrets *secrets);

#endif
