#ifndef DIALECT_NGINX_MEND_H
#define DIALECT_NGINX_MEND_H

#include "dialect/nginx/reader.h"

/* How a mistake is mended: with a text printed from what was written, or on the spot. */

/* proxy_pass NAME without "http://", or a server with one: what stands in tcp { } and stream { }. */
bool mend_is_stream_form(const struct node *node);
/* The server, which is of that form, and the block of its parent that defines what it passes to, in a stream
 * block of their own. What does not fit is left out, and `out` says that it did not. */
void mend_build_stream(struct builder *out, const struct node *server);
/* "192.168.3.1:3000;" in an upstream lacks its "server": makes it a server, with a warning. False when the
 * directive does not look like an address. */
bool mend_server(struct reader *reader, struct node *node);

#endif
