#ifndef CODEC_CLIENT_HELLO_H
#define CODEC_CLIENT_HELLO_H

#include "base/str.h"
#include "codec/result.h"

/* What a TLS ClientHello says before anything is encrypted: RFC 8446 4.1.2, RFC 6066 3, RFC 7301 3.1. Read
 * without answering it, so that connections can be told apart and passed on as they are. */

enum { CLIENT_HELLO_NAME_MAX = 255, CLIENT_HELLO_ALPN_MAX = 255 };

struct client_hello {
    uint16_t version; /* the highest that is offered: 0x0301 TLS 1.0 to 0x0304 TLS 1.3; 0x0300 SSL 3 */
    uint16_t name_len, alpn_len;
    char name[CLIENT_HELLO_NAME_MAX]; /* server_name in lower case; empty: none */
    char alpn[CLIENT_HELLO_ALPN_MAX]; /* the protocols, parted by commas; what does not fit is left out */
};

/* Reads it from the first bytes of a connection; called again with more of the same after MORE. BAD: it is
 * none, or it is broken. */
enum codec_result client_hello_read(struct client_hello *hello, struct str bytes);
/* "TLSv1.3" and so on; "" for what is none. */
const char *client_hello_version(uint16_t version);

#endif
