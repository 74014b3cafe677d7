#ifndef DIALECT_NGINX_PASS_H
#define DIALECT_NGINX_PASS_H

#include "dialect/nginx/scope.h"

/* Row's handler: proxy_pass URL. */
void pass_read(struct scope *scope, const struct node *node, const struct directive *row);
/* The pass speaks TLS to its servers: gives it a place among the model's. */
void pass_secure(struct scope *scope, struct pass *pass);
/* To be called when a block has been read whole: do its proxy_buffer* sizes go together? */
void pass_verify(struct scope *scope);

#endif
