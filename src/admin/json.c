#include "admin/json.h"

/* Bytes of the UTF-8 sequence at the front, RFC 3629 4; 0: it is none. */
static size_t sequence_len(struct str text) {
    unsigned char first = (unsigned char)text.ptr[0];
    size_t len = first < 0x80                    ? 1
                 : first >= 0xc2 && first < 0xe0 ? 2
                 : first >= 0xe0 && first < 0xf0 ? 3
                 : first >= 0xf0 && first < 0xf5 ? 4
                                                 : 0;
    if (len == 0 || len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)text.ptr[i] & 0xc0) != 0x80)
            return 0;
    unsigned char second = len > 1 ? (unsigned char)text.ptr[1] : 0x80;
    bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    bool is_beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
    return is_overlong || is_beyond ? 0 : len;
}

void json_build(struct builder *out, struct str text) {
    while (text.len) {
        size_t len = sequence_len(text);
        unsigned char c = (unsigned char)text.ptr[0];
        if (len == 0)
            builder_str(out, STR("\\ufffd"));
        else if (c == '"' || c == '\\')
            builder_format(out, "\\%c", c);
        else if (c < 0x20)
            builder_format(out, "\\u%04x", c);
        else
            builder_bytes(out, text.ptr, len);
        text = str_from(text, len ? len : 1);
    }
}
