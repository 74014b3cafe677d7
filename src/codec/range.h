#ifndef CODEC_RANGE_H
#define CODEC_RANGE_H

#include "base/str.h"

/* Range: bytes=..., RFC 9110 14. */

struct range {
    uint64_t from, to; /* both inclusive */
};

enum range_verdict { RANGE_NONE, RANGE_SOME, RANGE_UNSATISFIABLE };

/* Reads the field against a content of `size` bytes into up to `max` ranges, in the order asked. RANGE_NONE:
 * not bytes, more than max, or together more than `size` bytes: serve the whole. RANGE_UNSATISFIABLE: none of
 * them is within, or one is not grammatical. */
enum range_verdict range_parse(struct str field, uint64_t size, struct range *ranges, unsigned max,
                               unsigned *count);

#endif
