#ifndef PROXY_HEAD_REQUEST_HEAD_H
#define PROXY_HEAD_REQUEST_HEAD_H

#include "proxy/exchange.h"

/* Writes the head that goes to the back: request line, Host, Connection, what proxy_set_header says, the
 * client's other end-to-end fields, and the framing of the body (x->up.framing). False when it does not fit. */
bool request_head_build(struct exchange *x, struct builder *out);
/* What is asked of the back: path and query, as they stand in that head. For a route that passes. */
void request_target_build(const struct exchange *x, struct builder *out);

#endif
