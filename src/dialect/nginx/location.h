#ifndef DIALECT_NGINX_LOCATION_H
#define DIALECT_NGINX_LOCATION_H

#include "dialect/nginx/scope.h"

/* A row's handler: location [= | ^~ | ~ | ~*] PATTERN { ... } */
void location_read(struct scope *scope, const struct node *node, const struct directive *row);
/* To be called when a server or location has been read whole. */
void location_end(struct scope *scope);

#endif
