#ifndef DIALECT_NGINX_SSL_H
#define DIALECT_NGINX_SSL_H

#include "dialect/nginx/reader.h"

/* To be called when all has been read: what TLS lacks somewhere is said. */
void ssl_verify(struct reader *reader);

#endif
