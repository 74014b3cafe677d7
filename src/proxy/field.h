#ifndef PROXY_FIELD_H
#define PROXY_FIELD_H

#include "proxy/exchange.h"

/* Header lines, for heads in either direction. */

/* "Name: value" and CRLF. */
void field_build(struct builder *out, struct str name, struct str value);
/* The same with the value of proxy_set_header's or add_header's template; nothing at all when that is empty. */
void field_build_rule(struct exchange *x, struct builder *out, const struct header_rule *rule);

#endif
