#include "codec/uri.h"

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = str_lower_char(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Takes one byte from the front of *text, decoded. False on a broken escape. */
static bool byte_take(struct str *text, char *byte) {
    *byte = text->ptr[0];
    size_t len = 1;
    if (*byte == '%') {
        int high = text->len > 2 ? hex_value(text->ptr[1]) : -1;
        int low = high >= 0 ? hex_value(text->ptr[2]) : -1;
        if (low < 0)
            return false;
        *byte = (char)(high << 4 | low);
        len = 3;
    }
    *text = str_from(*text, len);
    return true;
}

enum dots { DOTS_NONE, DOTS_RESOLVED, DOTS_ABOVE };

/* A segment has ended: "." and ".." are taken back with what they undo, but not the slash before that. */
static enum dots dots_resolve(struct builder *out, size_t root) {
    struct str written = str_from(builder_view(out), root);
    if (str_ends(written, STR("/."))) {
        out->len--;
        return DOTS_RESOLVED;
    }
    if (!str_ends(written, STR("/..")))
        return DOTS_NONE;
    size_t at = out->len - 3;
    if (at == root)
        return DOTS_ABOVE;
    do
        at--;
    while (out->ptr[at] != '/');
    out->len = at + 1;
    return DOTS_RESOLVED;
}

bool uri_normalise(struct builder *out, struct str path, bool merges_slashes) {
    size_t root = out->len;
    if (path.len == 0)
        builder_char(out, '/');
    else if (path.ptr[0] != '/')
        return false;
    while (path.len && !out->overflow) {
        char c;
        if (!byte_take(&path, &c) || c == '\0')
            return false;
        if (c == '/') {
            enum dots dots = dots_resolve(out, root);
            if (dots == DOTS_ABOVE)
                return false;
            bool is_doubled = out->len > root && out->ptr[out->len - 1] == '/';
            if (dots == DOTS_RESOLVED || (is_doubled && merges_slashes))
                continue;
        }
        builder_char(out, c);
    }
    return !out->overflow && dots_resolve(out, root) != DOTS_ABOVE;
}

bool uri_is_normal(struct str path) {
    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (c == '%' || c == '\0')
            return false;
        if (c != '/' || i + 1 == path.len)
            continue;
        if (path.ptr[i + 1] == '/')
            return false;
        if (path.ptr[i + 1] != '.')
            continue;
        size_t dots = i + 2 < path.len && path.ptr[i + 2] == '.' ? 2 : 1;
        if (i + 1 + dots == path.len || path.ptr[i + 1 + dots] == '/')
            return false;
    }
    return true;
}

struct str uri_arg(struct str query, struct str name) {
    for (struct str part; str_split(&query, '&', &part);)
        if (part.len > name.len && part.ptr[name.len] == '=' && str_eq_nocase(str_head(part, name.len), name))
            return str_from(part, name.len + 1);
    return str_make("", 0);
}

static void escape_build(struct builder *out, char c) {
    static const char digits[] = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    builder_bytes(out, escape, sizeof escape);
}

/* Controls, DEL and above, and the marks. */
static void text_encode(struct builder *out, struct str text, struct str marks) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte >= 0x7f || memchr(marks.ptr, text.ptr[i], marks.len))
            escape_build(out, text.ptr[i]);
        else
            builder_char(out, text.ptr[i]);
    }
}

void uri_encode_path(struct builder *out, struct str path) {
    text_encode(out, path, STR(" \"#%<>?\\^`{|}"));
}

void uri_encode_arg(struct builder *out, struct str text) {
    text_encode(out, text, STR(" \"#%&+;<>?\\^`{|}"));
}

void uri_encode_target(struct builder *out, struct str target) {
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || target.ptr[i] == '#' || target.ptr[i] == 0x7f)
            escape_build(out, target.ptr[i]);
        else
            builder_char(out, target.ptr[i]);
}

void uri_unescape_redirect(struct builder *out, struct str text) {
    char c = '\0';
    while (text.len && text.ptr[0] != '?' && c != '?') {
        struct str rest = text;
        if (text.ptr[0] != '%') {
            builder_char(out, text.ptr[0]);
        } else if (!byte_take(&rest, &c)) {
            ; /* left out */
        } else if (c > '%' && c < 0x7f) {
            builder_char(out, c);
        } else {
            builder_bytes(out, text.ptr, 3);
        }
        text = str_from(text, rest.len < text.len ? text.len - rest.len : 1);
    }
    builder_str(out, text);
}
