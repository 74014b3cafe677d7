#ifndef PROXY_ANSWER_ADDITION_H
#define PROXY_ANSWER_ADDITION_H

#include "proxy/exchange.h"

/* What add_header, add_trailer and expires add to an answer with this status, whoever gives it. */

void addition_build(struct exchange *x, struct builder *out, unsigned status);
/* Is the answer's own field left out, since one of these stands in for it? */
bool addition_replaces_this(const struct exchange *x, enum h1_field_id id, unsigned status);
static inline bool addition_replaces(const struct exchange *x, enum h1_field_id id, unsigned status) {
    bool may_be = id == H1_EXPIRES || id == H1_CACHE_CONTROL || id == H1_ETAG || id == H1_LAST_MODIFIED;
    return may_be && addition_replaces_this(x, id, status);
}
/* Are there trailers? Then the body has to be chunked for them. */
bool addition_has_trailers(const struct exchange *x, unsigned status);
void addition_build_trailers(struct exchange *x, struct builder *out, unsigned status);

#endif
