#include "codec/uri.h"
#include "fuzz.h"

/* Paths and queries against the obvious way of doing the same. */

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ? (c | 0x20) - 'a' + 10 : -1;
}

/* Every escape is two hexadecimal digits. */
static bool decode(struct builder *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? digit(text.ptr[i + 2]) : -1;
        if (text.ptr[i] == '%' && low < 0)
            return false;
        builder_char(out, low < 0 ? text.ptr[i] : (char)(high * 16 + low));
        i += low < 0 ? 0 : 2;
    }
    return !out->overflow;
}

/* Decodes, cuts into segments on a stack, joins. False as uri_normalise. `out` holds path.len + 1 bytes. */
static bool reference(struct builder *out, struct str path, bool merges) {
    struct builder plain = builder_make(mem_alloc(path.len + 1), path.len + 1);
    struct str *stack = mem_zero(path.len + 2, sizeof *stack);
    size_t depth = 0;
    bool is_right = decode(&plain, path.len ? path : STR("/"));
    is_right = is_right && plain.ptr[0] == '/' && (path.len == 0 || path.ptr[0] == '/') &&
               !memchr(plain.ptr, 0, plain.len);
    struct str rest = str_from(builder_view(&plain), 1), part;
    while (is_right && str_split(&rest, '/', &part)) {
        bool is_last = rest.ptr == NULL, is_up = str_eq(part, STR("..")), is_here = str_eq(part, STR("."));
        is_right = !is_up || depth > 0;
        if (is_up && depth)
            depth--;
        if (!is_up && !is_here && (part.len || !merges))
            stack[depth++] = part;
        /* what ends in a slash or in dots is a directory: an empty segment at the end */
        if (is_last && (is_up || is_here || (part.len == 0 && merges)))
            stack[depth++] = str_make("", 0);
    }
    for (size_t i = 0; i < depth; i++) {
        builder_char(out, '/');
        builder_str(out, stack[i]);
    }
    mem_free(stack);
    mem_free(plain.ptr);
    return is_right;
}

static void check_path(struct str path, bool merges) {
    size_t room = path.len + 1;
    struct builder out = builder_make(mem_alloc(room), room), wanted = builder_make(mem_alloc(room), room);
    bool is_right = uri_normalise(&out, path, merges);
    FUZZ_CHECK(is_right == reference(&wanted, path, merges));
    if (is_right) {
        struct str done = builder_view(&out);
        FUZZ_CHECK(!wanted.overflow && str_eq(done, builder_view(&wanted)));
        FUZZ_CHECK(!uri_is_normal(path) || str_eq(done, path));
        FUZZ_CHECK(!merges || uri_is_normal(path) == (str_eq(done, path) && !memchr(path.ptr, '%', path.len)));
        /* what is written for an upstream comes back as the same path */
        struct builder wire = builder_make(mem_alloc(3 * room), 3 * room),
                       again = builder_make(mem_alloc(room), room);
        uri_encode_path(&wire, done);
        FUZZ_CHECK(!wire.overflow && uri_normalise(&again, builder_view(&wire), merges) &&
                   str_eq(builder_view(&again), done));
        again.len = 0;
        FUZZ_CHECK(decode(&again, builder_view(&wire)) && str_eq(builder_view(&again), done));
        for (size_t i = 0; i < wire.len; i++)
            FUZZ_CHECK(wire.ptr[i] > ' ' && wire.ptr[i] < 0x7f && wire.ptr[i] != '?' && wire.ptr[i] != '#');
        mem_free(again.ptr);
        mem_free(wire.ptr);
    }
    mem_free(out.ptr);
    mem_free(wanted.ptr);
}

static void check_arg(struct str query) {
    static const struct str name = {"sid", 3};
    struct str value = uri_arg(query, name), wanted = str_make("", 0);
    for (size_t i = 0; i + 4 <= query.len; i++)
        if ((i == 0 || query.ptr[i - 1] == '&') &&
            str_eq_nocase(str_head(str_from(query, i), 4), STR("sid="))) {
            wanted = str_from(query, i + 4);
            wanted.len = str_find_char(wanted, '&') == STR_NONE ? wanted.len : str_find_char(wanted, '&');
            break;
        }
    FUZZ_CHECK(str_eq(value, wanted));
}

/* Groups of a rewrite: what is put into a query comes back, and a redirect's target never grows. */
static void check_rewritten(struct str text) {
    size_t room = text.len + 1;
    struct builder wire = builder_make(mem_alloc(3 * room), 3 * room),
                   back = builder_make(mem_alloc(room), room);
    uri_encode_arg(&wire, text);
    FUZZ_CHECK(!wire.overflow && decode(&back, builder_view(&wire)) && str_eq(builder_view(&back), text));
    for (size_t i = 0; i < wire.len; i++)
        FUZZ_CHECK(!strchr("&+?#", wire.ptr[i]));
    back.len = 0;
    uri_unescape_redirect(&back, text);
    FUZZ_CHECK(!back.overflow && back.len <= text.len);
    /* behind the first '?' everything stays */
    size_t mark = str_find_char(text, '?');
    FUZZ_CHECK(mark == STR_NONE || str_ends(builder_view(&back), str_from(text, mark)));
    mem_free(back.ptr);
    mem_free(wire.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    check_path(input, true);
    check_path(input, false);
    check_arg(input);
    check_rewritten(input);
    return 0;
}
