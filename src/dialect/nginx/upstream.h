#ifndef DIALECT_NGINX_UPSTREAM_H
#define DIALECT_NGINX_UPSTREAM_H

#include "dialect/endpoint.h"
#include "dialect/nginx/scope.h"

/* The upstream that a proxy_pass names by host and port: one for each of them; `port` when it names
 * none. NULL without memory. */
struct upstream *upstream_implicit(struct reader *reader, const struct endpoint *endpoint, uint16_t port,
                                   struct place place, bool is_stream);
/* A server with nginx's defaults, added to the upstream. NULL without memory. */
struct upstream_server *upstream_server_make(struct reader *reader, struct upstream *upstream,
                                             const struct endpoint *endpoint, struct str name,
                                             struct place place);
/* The handler of `server` in an upstream. */
void upstream_server_read(struct scope *scope, const struct node *node, const struct directive *row);

#endif
