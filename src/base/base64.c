#include "base/base64.h"

static unsigned value_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

bool base64_decode(struct builder *out, struct str text) {
    uint32_t bits = 0;
    unsigned held = 0;
    for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = value_of(text.ptr[i]);
        if (value > 63)
            return false;
        bits = bits << 6 | value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        builder_char(out, (char)(bits >> held & 0xff));
    }
    return !out->overflow;
}
