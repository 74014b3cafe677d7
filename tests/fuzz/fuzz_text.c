#include "admin/text.h"
#include "fuzz.h"

#include <jansson.h>

/* Texts of anybody's making within JSON: another's parser reads them, and what is UTF-8 comes back as it was.
 */

/* Is it UTF-8, character by character, RFC 3629? */
static bool reference(struct str text) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    while (text.len) {
        uint32_t value = fuzz_byte(&text);
        unsigned more = value < 0x80       ? 0
                        : value >> 5 == 6  ? 1
                        : value >> 4 == 14 ? 2
                        : value >> 3 == 30 ? 3
                                           : 4;
        if (more == 4 || more > text.len)
            return false;
        value &= more ? 0x3fu >> more : 0x7fu;
        for (unsigned i = 0; i < more; i++) {
            unsigned byte = fuzz_byte(&text);
            if (byte >> 6 != 2)
                return false;
            value = value << 6 | (byte & 0x3f);
        }
        if (value < least[more + 1] || value > 0x10ffff || value >> 11 == 0x1b)
            return false;
    }
    return true;
}

static void check_json(struct str text, bool is_utf8) {
    size_t room = 6 * text.len + 2;
    struct builder out = builder_make(mem_alloc(room), room);
    builder_char(&out, '"');
    text_build_json(&out, text);
    builder_char(&out, '"');
    FUZZ_CHECK(!out.overflow);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK((unsigned char)out.ptr[i] >= 0x20);
    json_error_t error;
    json_t *value = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    FUZZ_CHECK(value && json_is_string(value));
    struct str read = str_make(json_string_value(value), json_string_length(value));
    FUZZ_CHECK(is_utf8 == str_eq(read, text));
    json_decref(value);
    mem_free(out.ptr);
}

static void check_label(struct str text, bool is_utf8) {
    size_t room = 3 * text.len;
    struct builder out = builder_make(mem_alloc(room), room), read = builder_make(mem_alloc(room), room);
    text_build_label(&out, text);
    FUZZ_CHECK(!out.overflow);
    for (size_t i = 0; i < out.len; i++) {
        char c = out.ptr[i];
        FUZZ_CHECK(c != '"' && c != '\n');
        if (c == '\\') {
            FUZZ_CHECK(++i < out.len && strchr("\\\"n", out.ptr[i]));
            c = out.ptr[i] == 'n' ? '\n' : out.ptr[i];
        }
        builder_char(&read, c);
    }
    FUZZ_CHECK(is_utf8 == str_eq(builder_view(&read), text));
    mem_free(read.ptr);
    mem_free(out.ptr);
}

static void check_html(struct str text, bool is_utf8) {
    size_t room = 6 * text.len;
    struct builder out = builder_make(mem_alloc(room), room), read = builder_make(mem_alloc(room), room);
    text_build_html(&out, text);
    FUZZ_CHECK(!out.overflow);
    for (struct str rest = builder_view(&out); rest.len;) {
        char c = rest.ptr[0];
        size_t len = 1;
        FUZZ_CHECK(c != '<' && c != '>' && c != '"');
        if (c == '&') {
            uint64_t code = 0;
            len = str_find_char(rest, ';');
            FUZZ_CHECK(len != STR_NONE && len > 2 && rest.ptr[1] == '#');
            FUZZ_CHECK(str_to_u64(str_from(str_head(rest, len), 2), &code) && code < 0x80);
            c = (char)code;
            len++;
        }
        builder_char(&read, c);
        rest = str_from(rest, len);
    }
    FUZZ_CHECK(is_utf8 == str_eq(builder_view(&read), text));
    mem_free(read.ptr);
    mem_free(out.ptr);
}

static void check_csv(struct str text) {
    size_t room = 2 * text.len + 2;
    struct builder out = builder_make(mem_alloc(room), room), read = builder_make(mem_alloc(room), room);
    text_build_csv(&out, text);
    FUZZ_CHECK(!out.overflow);
    bool is_quoted = out.len && out.ptr[0] == '"';
    FUZZ_CHECK(!is_quoted || (out.len > 1 && out.ptr[out.len - 1] == '"'));
    for (size_t i = is_quoted; i < out.len - is_quoted; i++) {
        FUZZ_CHECK(is_quoted || !strchr(",\"\r\n", out.ptr[i]) || out.ptr[i] == '\0');
        if (out.ptr[i] == '"')
            FUZZ_CHECK(++i < out.len - 1 && out.ptr[i] == '"');
        builder_char(&read, out.ptr[i]);
    }
    FUZZ_CHECK(str_eq(builder_view(&read), text));
    mem_free(read.ptr);
    mem_free(out.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = fuzz_copy(str_make((const char *)data, size));
    bool is_utf8 = reference(text);
    check_json(text, is_utf8);
    check_label(text, is_utf8);
    check_html(text, is_utf8);
    check_csv(text);
    fuzz_drop(text);
    return 0;
}
