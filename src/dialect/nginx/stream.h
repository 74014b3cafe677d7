#ifndef DIALECT_NGINX_STREAM_H
#define DIALECT_NGINX_STREAM_H

#include "dialect/nginx/scope.h"

/* What is to be verified of a server in stream, once it is read. */
void stream_end(struct scope *scope);

#endif
