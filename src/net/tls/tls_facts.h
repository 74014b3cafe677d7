#ifndef NET_TLS_TLS_FACTS_H
#define NET_TLS_TLS_FACTS_H

#include "base/builder.h"

struct duct;

/* What is to be known of a client's TLS connection. Everything is empty for plain ducts and before the
 * handshake. */

/* The name the client asked for (SNI). */
struct str tls_client_name(const struct duct *duct);
enum tls_client_verdict {
    TLS_CLIENT_FINE,
    TLS_CLIENT_NONE,    /* it sent no certificate */
    TLS_CLIENT_UNKNOWN, /* one of an authority that is not trusted */
    TLS_CLIENT_BAD,
};
enum tls_client_verdict tls_client_verdict(const struct duct *duct);
/* "number:text" of what is wrong with it. */
void tls_client_fault_build(const struct duct *duct, struct builder *out);

/* The value of nginx's variable of that name, "ssl_protocol". */
void tls_fact_build(const struct duct *duct, struct str name, struct builder *out);

#endif
