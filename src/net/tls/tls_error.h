#ifndef NET_TLS_TLS_ERROR_H
#define NET_TLS_TLS_ERROR_H

#include "base/builder.h"

enum { TLS_ERROR_MAX = 1024 }; /* as long as what is said of one gets */

/* Adds " (SSL: error:...)" with all that OpenSSL says, and empties its list. */
void tls_error_build(struct builder *out);

#endif
