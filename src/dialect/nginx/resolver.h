#ifndef DIALECT_NGINX_RESOLVER_H
#define DIALECT_NGINX_RESOLVER_H

#include "dialect/nginx/scope.h"

/* The handler of `resolver` in an upstream; that of http, server and location is in resolver_area. */
void resolver_read_upstream(struct scope *scope, const struct node *node, const struct directive *row);
/* Gives upstreams whose servers have `resolve` http's resolver where they name none, and complains where there
 * is none either. Called when http has been read. */
void resolver_settle(struct reader *reader);

#endif
