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
    builder_format(b, "%llu.%03u", (unsigned long long)(value / 1000), (unsigned)(value % 1000));
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

void builder_escaped(struct builder *b, struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            char hex[4] = {'\\', 'x', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
            builder_bytes(b, hex, sizeof hex);
        } else {
            builder_char(b, (char)c);
        }
    }
}
