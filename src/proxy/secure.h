#ifndef PROXY_SECURE_H
#define PROXY_SECURE_H

#include "net/tls/tls_duct.h"
#include "proxy/exchange.h"

/* TLS as the proxy sees it: contexts made of what the model says, the site by the name a client asks for,
 * clients' certificates, and connections to backends. */

/* Makes the snapshot's contexts: reads certificates and keys. False, said in diagnostics. Blocks. */
bool secure_build(struct snapshot *snapshot, struct diagnostics *diagnostics);
void secure_free(struct snapshot *snapshot);
/* Goes on with the ticket keys of what `after` replaces; before any loop has it. */
void secure_inherit(struct snapshot *after, const struct snapshot *before);

/* A new connection's duct, with TLS where the listener wants it, but not before a PROXY protocol's header. NULL
 * on shortage, and then fd is closed. */
struct duct *secure_accept(struct engine *engine, const struct listen *listen, int fd, duct_ready *ready,
                           void *owner);
/* Behind a PROXY protocol's header: TLS begins on such a duct where the listener wants it. False without
 * memory. */
bool secure_begin(struct engine *engine, const struct listen *listen, struct duct *duct);
/* What nginx asks of a request on a TLS listener: is it encrypted, for the site that was asked for, and with
 * the client's certificate that the site wants? WHY_NONE: it may pass. */
enum why secure_verify(const struct exchange *x);
/* For the log: what is wrong with the client's certificate. */
void secure_fault_build(const struct exchange *x, struct builder *out);
/* The name by which the client asked for a site, without a final dot; empty: none, or none of a host. */
struct str secure_name(const struct duct *duct);

/* Before a backend is connected to: the name it is to have. False without memory. */
bool secure_prepare(struct exchange *x);
/* Tells idle connections that may be used for this exchange from others; 0: plain ones. */
uint64_t secure_kind(const struct exchange *x);
/* A connection's duct with TLS, to the exchange's member. WHY_NONE, or why there is none: fd is closed then. */
enum why secure_connect(struct exchange *x, int fd, duct_ready *ready, struct duct **duct);
/* Behind a PROXY protocol's line, which goes to the backend unencrypted: TLS begins on the back's duct.
 * WHY_NONE, or why it does not. */
enum why secure_connect_begin(struct exchange *x);

#endif
