#include "fuzz.h"
#include "model/cidr.h"
#include "net/address.h"

#include <arpa/inet.h>

/* Addresses and ranges of them, as configurations and clients write them. The first byte is one to be looked up
 * in the range. */

enum { TEXT_MAX = 256 };

/* The system's reader, behind whatever brackets there are. */
static int reference(struct str host, unsigned char bytes[16]) {
    char text[TEXT_MAX];
    bool has_brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (has_brackets)
        host = str_make(host.ptr + 1, host.len - 2);
    if (host.len >= sizeof text || (host.len && memchr(host.ptr, 0, host.len)))
        return 0;
    snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return 16;
    return !has_brackets && inet_pton(AF_INET, text, bytes) == 1 ? 4 : 0;
}

static void check_address(struct str host) {
    struct address address, again;
    unsigned char bytes[16];
    int len = reference(host, bytes);
    FUZZ_CHECK(address_parse(host, 80, &address) == (len > 0));
    if (!len)
        return;
    struct str raw = address_bytes(&address);
    FUZZ_CHECK(memcmp(raw.ptr, bytes + (size_t)len - raw.len, raw.len) == 0);
    char text[TEXT_MAX];
    struct builder out = builder_make(text, sizeof text);
    address_build_host(&out, &address);
    FUZZ_CHECK(!out.overflow && address_parse(builder_view(&out), 80, &again));
    FUZZ_CHECK(str_eq(address_bytes(&again), raw) && address_port(&again) == 80);
    out.len = 0;
    address_build(&out, &address);
    FUZZ_CHECK(!out.overflow && str_ends(builder_view(&out), STR(":80")));
}

static bool reference_has(const struct cidr *cidr, const unsigned char *ip) {
    for (unsigned i = 0; i < cidr->bits; i++)
        if ((cidr->bytes[i / 8] ^ ip[i / 8]) & 0x80 >> i % 8)
            return false;
    return true;
}

static void check_range(struct str written, uint8_t byte) {
    struct cidr cidr, again;
    enum cidr_parsed parsed = cidr_parse(written, &cidr);
    if (parsed == CIDR_BAD)
        return;
    char text[TEXT_MAX];
    struct builder out = builder_make(text, sizeof text);
    cidr_build(&out, &cidr);
    FUZZ_CHECK(!out.overflow && cidr_parse(builder_view(&out), &again) == CIDR_PARSED);
    FUZZ_CHECK(cidr.family == again.family && cidr.bits == again.bits);
    if (cidr.family != CIDR_V4 && cidr.family != CIDR_V6)
        return;
    size_t len = cidr.family == CIDR_V4 ? 4 : 16;
    unsigned char ip[16];
    FUZZ_CHECK(cidr.bits <= len * 8 && memcmp(cidr.bytes, again.bytes, len) == 0);
    memcpy(ip, cidr.bytes, len);
    FUZZ_CHECK(cidr_has(&cidr, str_make((const char *)ip, len), false));
    ip[byte % len] ^= (unsigned char)(1 << byte / 32);
    FUZZ_CHECK(cidr_has(&cidr, str_make((const char *)ip, len), false) == reference_has(&cidr, ip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    uint8_t byte = fuzz_byte(&input);
    struct str copy = fuzz_copy(input);
    check_address(copy);
    check_range(copy, byte);
    fuzz_drop(copy);
    return 0;
}
