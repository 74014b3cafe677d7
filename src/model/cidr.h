#ifndef MODEL_CIDR_H
#define MODEL_CIDR_H

#include "base/builder.h"

#include <stdint.h>

/* A range of addresses, as "192.0.2.0/24", "2001:db8::/32" or "unix:". A value. */

enum cidr_family { CIDR_ALL, CIDR_V4, CIDR_V6, CIDR_UNIX };

struct cidr {
    uint8_t family;    /* enum cidr_family */
    uint8_t bits;      /* of the network: 0 to 32 or 128 */
    uint8_t bytes[16]; /* 4 or 16 of them; those behind the network's bits are 0 */
};

enum cidr_parsed {
    CIDR_PARSED,
    CIDR_LOW_BITS, /* fine, but bits behind the network's were set: they mean nothing and are cleared */
    CIDR_BAD,
};

/* Reads "ADDRESS", "ADDRESS/BITS", or, for IPv4, "ADDRESS/MASK", or "unix:". */
enum cidr_parsed cidr_parse(struct str text, struct cidr *cidr);
/* Is the address in the range? `ip`: 4 or 16 raw bytes; other lengths are a unix address. */
bool cidr_has(const struct cidr *cidr, struct str ip, bool is_unix);
void cidr_build(struct builder *out, const struct cidr *cidr);

#endif
