#ifndef DIALECT_NGINX_CHECK_H
#define DIALECT_NGINX_CHECK_H

#include "dialect/nginx/scope.h"

/* match NAME { ... }: what counts as a good answer to a health check; kept in the reader by its name. */
void match_read(struct scope *scope, const struct node *node, const struct directive *row);

#endif
