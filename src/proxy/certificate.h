#ifndef PROXY_CERTIFICATE_H
#define PROXY_CERTIFICATE_H

#include "net/tls/tls_store.h"
#include "proxy/exchange.h"

/* Certificates that variables name: found out and read when a connection is made. */

/* A certificate and its key, named for one connection. */
struct certificate_pair {
    struct tls_source certificate, key;
};

/* tls_certify: gives a client's connection those of the site that it asks for. */
bool certificate_give(struct duct *duct);

/* Before a backend is connected to: names ours, in x->back_pair; NULL: none. False without memory. */
bool certificate_prepare(struct exchange *x);
/* Gives it to a new connection. What is wrong has been said. */
enum why certificate_give_back(const struct exchange *x, const struct duct *duct);

#endif
