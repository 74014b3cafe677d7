#ifndef PROXY_ANSWER_PARTIAL_H
#define PROXY_ANSWER_PARTIAL_H

#include "proxy/exchange.h"

/* proxy_force_ranges: of a server's whole answer the client gets the range that it asked for. RFC 9110 14. */

/* What passes of a body. */
struct partial {
    uint64_t at;        /* bytes that have come */
    uint64_t from, end; /* those that pass: end is the first that does not */
    uint64_t size;      /* of the whole */
    bool is_whole;      /* all of it: a range may be asked for */
};

/* The head of the answer is kept. Settles x->down.partial, which stays NULL where ranges are not to be had.
 * False: nothing of it is within the range, 416. */
bool partial_begin(struct exchange *x);
/* What a 416 has besides: Content-Range, and what is added. Whole lines in the arena; empty without memory. */
struct str partial_refusal(struct exchange *x);
/* The fields that tell of it: Content-Length, where the body has one, and Content-Range; or Accept-Ranges. */
void partial_build(const struct exchange *x, struct builder *out);
/* Cuts from the next piece what does not pass. */
struct str partial_take(struct partial *partial, struct str slice);

/* Is a part sent, so that the answer is a 206? */
static inline bool partial_is_sent(const struct exchange *x) {
    return x->down.partial && !x->down.partial->is_whole;
}

#endif
