#ifndef DIALECT_NGINX_MEND_H
#define DIALECT_NGINX_MEND_H

#include "dialect/nginx/tree.h"

/* The text that a mistake is mended with, printed from what was written. */

/* proxy_pass NAME without "http://", or a server with one: what stands in tcp { } and stream { }. */
bool mend_is_stream_form(const struct node *node);
/* The server, which is of that form, and the block of its parent that defines what it passes to, in a stream
 * block of their own. What does not fit is left out, and `out` says that it did not. */
void mend_build_stream(struct builder *out, const struct node *server);

#endif
