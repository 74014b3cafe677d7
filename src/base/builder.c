#include "base/builder.h"

#include <stdarg.h>
#include <stdio.h>

void builder_u64(struct builder *b, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    builder_bytes(b, digits + at, sizeof digits - at);
}

void builder_hex(struct builder *b, uint64_t value) {
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    builder_bytes(b, digits + at, sizeof digits - at);
}

void builder_thousandths(struct builder *b, uint64_t value) {
    unsigned rest = (unsigned)(value % 1000);
    char digits[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    builder_u64(b, value / 1000);
    builder_bytes(b, digits, sizeof digits);
}

void builder_format(struct builder *b, const char *format, ...) {
    va_list args;
    size_t room = b->capacity - b->len;
    va_start(args, format);
    int len = vsnprintf(b->ptr + b->len, room, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= room)
        b->overflow = true;
    else
        b->len += (size_t)len;
}

static uint64_t each(unsigned char byte) {
    return UINT64_C(0x0101010101010101) * byte;
}

/* Has any of the eight bytes this value? In the top bit of a byte. */
static uint64_t equal_to(uint64_t word, unsigned char byte) {
    word ^= each(byte);
    return (word - each(1)) & ~word;
}

static bool eight_are_plain(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t below = (word - each(0x20)) & ~word;
    return !((word | below | equal_to(word, 0x7f) | equal_to(word, '"') | equal_to(word, '\\')) & each(0x80));
}

/* How many of the first bytes stay as they are. */
static size_t plain_len(struct str s) {
    size_t len = 0;
    while (s.len - len >= 8 && eight_are_plain(s.ptr + len))
        len += 8;
    while (len < s.len && s.ptr[len] >= 0x20 && s.ptr[len] < 0x7f && s.ptr[len] != '"' && s.ptr[len] != '\\')
        len++;
    return len;
}

bool builder_is_plain(struct str s) {
    return plain_len(s) == s.len;
}

void builder_escaped(struct builder *b, struct str s) {
    while (s.len && !b->overflow) {
        size_t plain = plain_len(str_head(s, b->capacity - b->len));
        builder_bytes(b, s.ptr, plain);
        s = str_from(s, plain);
        if (s.len == 0)
            return;
        unsigned char c = (unsigned char)*s.ptr;
        char hex[4] = {'\\', 'x', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
        builder_bytes(b, hex, sizeof hex);
        s = str_from(s, 1);
    }
}
