#ifndef DIALECT_NGINX_HTTP_H
#define DIALECT_NGINX_HTTP_H

#include "dialect/nginx/scope.h"

/* The http block: a row's handler. */
void http_read(struct scope *scope, const struct node *node, const struct directive *row);
/* What is read at the top of a file that is the inside of http, and by http_read. */
void http_enter(struct scope *scope);

#endif
