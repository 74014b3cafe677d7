#include "admin/json.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t room = 6 * size + 2;
    struct str text = fuzz_copy(str_make((const char *)data, size));
    struct builder out = builder_make(mem_alloc(room), room);
    builder_char(&out, '"');
    json_build(&out, text);
    builder_char(&out, '"');
    FUZZ_CHECK(!out.overflow);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK((unsigned char)out.ptr[i] >= 0x20);
    json_error_t error;
    json_t *value = json_loadb(out.ptr, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    FUZZ_CHECK(value && json_is_string(value));
    struct str read = str_make(json_string_value(value), json_string_length(value));
    FUZZ_CHECK(reference(text) == str_eq(read, text));
    json_decref(value);
    mem_free(out.ptr);
    fuzz_drop(text);
    return 0;
}
