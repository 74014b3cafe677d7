#ifndef DIALECT_NGINX_STICKY_H
#define DIALECT_NGINX_STICKY_H

#include "dialect/nginx/scope.h"

/* The handler of `sticky`. */
void sticky_read(struct scope *scope, const struct node *node, const struct directive *row);

#endif
