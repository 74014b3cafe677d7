#include "admin/text.h"

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

/* Writes one character of those that the form escapes; false: it is none of them. */
typedef bool char_escape(struct builder *out, unsigned char c);

static void escaped_build(struct builder *out, struct str text, char_escape *escape) {
    while (text.len) {
        size_t len = sequence_len(text);
        if (len == 0)
            builder_str(out, STR("\xef\xbf\xbd"));
        else if (len > 1 || !escape(out, (unsigned char)text.ptr[0]))
            builder_bytes(out, text.ptr, len);
        text = str_from(text, len ? len : 1);
    }
}

static bool json_escape(struct builder *out, unsigned char c) {
    if (c == '"' || c == '\\')
        builder_format(out, "\\%c", c);
    else if (c < 0x20)
        builder_format(out, "\\u%04x", c);
    return c == '"' || c == '\\' || c < 0x20;
}

static bool label_escape(struct builder *out, unsigned char c) {
    if (c == '"' || c == '\\')
        builder_format(out, "\\%c", c);
    else if (c == '\n')
        builder_str(out, STR("\\n"));
    return c == '"' || c == '\\' || c == '\n';
}

static bool html_escape(struct builder *out, unsigned char c) {
    if (c != '&' && c != '<' && c != '>' && c != '"')
        return false;
    builder_format(out, "&#%u;", c);
    return true;
}

void text_build_json(struct builder *out, struct str text) {
    escaped_build(out, text, json_escape);
}

void text_build_label(struct builder *out, struct str text) {
    escaped_build(out, text, label_escape);
}

void text_build_html(struct builder *out, struct str text) {
    escaped_build(out, text, html_escape);
}

void text_build_csv(struct builder *out, struct str text) {
    bool needs_quotes = false;
    for (size_t i = 0; i < text.len; i++)
        needs_quotes |= text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
    if (needs_quotes)
        builder_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            builder_char(out, '"');
        builder_char(out, text.ptr[i]);
    }
    if (needs_quotes)
        builder_char(out, '"');
}
