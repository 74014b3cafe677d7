#include "model/cidr.h"

#include <arpa/inet.h>

enum { TEXT_MAX = INET6_ADDRSTRLEN };

static bool ip_parse(int family, struct str text, uint8_t *bytes) {
    char terminated[TEXT_MAX];
    if (text.len >= sizeof terminated || str_find_char(text, '\0') != STR_NONE)
        return false;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = '\0';
    return inet_pton(family, terminated, bytes) == 1;
}

/* "255.255.255.0": the number of its bits, which stand together at its head. */
static bool mask_parse(struct str text, uint8_t *bits) {
    uint8_t mask[4];
    unsigned count = 0;
    if (!ip_parse(AF_INET, text, mask))
        return false;
    while (count < 32 && (mask[count / 8] >> (7 - count % 8) & 1))
        count++;
    for (unsigned i = count; i < 32; i++)
        if (mask[i / 8] >> (7 - i % 8) & 1)
            return false;
    *bits = (uint8_t)count;
    return true;
}

/* Clears what stands behind the network's bits; was anything there? */
static bool low_bits_clear(struct cidr *cidr, unsigned width) {
    bool was_set = false;
    for (unsigned i = cidr->bits; i < width; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        was_set |= (cidr->bytes[i / 8] & bit) != 0;
        cidr->bytes[i / 8] &= (uint8_t)~bit;
    }
    return was_set;
}

enum cidr_parsed cidr_parse(struct str text, struct cidr *cidr) {
    *cidr = (struct cidr){.family = CIDR_UNIX};
    if (str_eq(text, STR("unix:")))
        return CIDR_PARSED;
    size_t slash = str_find_char(text, '/');
    struct str ip = str_head(text, slash), width = slash == STR_NONE ? STR("") : str_from(text, slash + 1);
    cidr->family = ip_parse(AF_INET, ip, cidr->bytes) ? CIDR_V4 : CIDR_V6;
    if (cidr->family == CIDR_V6 && !ip_parse(AF_INET6, ip, cidr->bytes))
        return CIDR_BAD;
    unsigned most = cidr->family == CIDR_V4 ? 32 : 128;
    uint64_t bits = most;
    if (slash != STR_NONE && (!str_to_u64(width, &bits) || bits > most)) {
        if (cidr->family != CIDR_V4 || !mask_parse(width, &cidr->bits))
            return CIDR_BAD;
        bits = cidr->bits;
    }
    cidr->bits = (uint8_t)bits;
    return low_bits_clear(cidr, most) ? CIDR_LOW_BITS : CIDR_PARSED;
}

static bool begins_equal(const uint8_t *a, const uint8_t *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool cidr_has(const struct cidr *cidr, struct str ip, bool is_unix) {
    switch ((enum cidr_family)cidr->family) {
    case CIDR_ALL:
        return true;
    case CIDR_UNIX:
        return is_unix;
    case CIDR_V4:
    case CIDR_V6:
        break;
    }
    return !is_unix && ip.len == (cidr->family == CIDR_V4 ? 4u : 16u) &&
           begins_equal(cidr->bytes, (const uint8_t *)ip.ptr, cidr->bits);
}

void cidr_build(struct builder *out, const struct cidr *cidr) {
    char text[TEXT_MAX];
    switch ((enum cidr_family)cidr->family) {
    case CIDR_ALL:
        builder_str(out, STR("all"));
        return;
    case CIDR_UNIX:
        builder_str(out, STR("unix:"));
        return;
    case CIDR_V4:
    case CIDR_V6:
        break;
    }
    bool is_v4 = cidr->family == CIDR_V4;
    builder_str(out, str_of(inet_ntop(is_v4 ? AF_INET : AF_INET6, cidr->bytes, text, sizeof text)));
    builder_format(out, "/%u", cidr->bits);
}
