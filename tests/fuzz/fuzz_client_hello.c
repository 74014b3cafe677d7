#include "base/builder.h"
#include "codec/client_hello.h"
#include "fuzz.h"

/* What a connection begins with: against the obvious way of reading a ClientHello that lies in one piece; cut
 * anywhere; in other records. */

static bool is_same(const struct client_hello *a, const struct client_hello *b) {
    return a->version == b->version && str_eq(str_make(a->name, a->name_len), str_make(b->name, b->name_len)) &&
           str_eq(str_make(a->alpn, a->alpn_len), str_make(b->alpn, b->alpn_len));
}

static enum codec_result read_copy(struct client_hello *hello, struct str bytes) {
    struct str copy = fuzz_copy(bytes);
    enum codec_result result = client_hello_read(hello, copy);
    fuzz_drop(copy);
    FUZZ_CHECK(hello->name_len <= CLIENT_HELLO_NAME_MAX && hello->alpn_len <= CLIENT_HELLO_ALPN_MAX);
    return result;
}

/* ---- the obvious way ---- */

/* Takes a part off the front behind its length of `bytes` bytes; false: it is not all there. */
static bool part_take(struct str *from, unsigned bytes, struct str *part) {
    size_t len = 0;
    if (from->len < bytes)
        return false;
    while (bytes--)
        len = len << 8 | fuzz_byte(from);
    *part = str_head(*from, len);
    *from = str_from(*from, len);
    return part->len == len;
}

static bool names_read(struct client_hello *hello, struct str names) {
    while (names.len) {
        struct str name;
        unsigned type = fuzz_byte(&names);
        if (!part_take(&names, 2, &name))
            return false;
        if (type != 0 || name.len > CLIENT_HELLO_NAME_MAX || hello->name_len)
            continue;
        for (size_t i = 0; i < name.len; i++)
            hello->name[hello->name_len++] = str_lower_char(name.ptr[i]);
    }
    return true;
}

static bool protocols_read(struct client_hello *hello, struct str list) {
    struct builder out = builder_make(hello->alpn, sizeof hello->alpn);
    out.len = hello->alpn_len;
    while (list.len) {
        struct str name;
        if (!part_take(&list, 1, &name))
            return false;
        if (out.len + name.len + 1 > sizeof hello->alpn)
            continue;
        if (out.len)
            builder_char(&out, ',');
        builder_str(&out, name);
    }
    hello->alpn_len = (uint16_t)out.len;
    return true;
}

static bool extension_read(struct client_hello *hello, unsigned type, struct str body) {
    struct str names;
    if (type == 0 && body.len)
        return part_take(&body, 2, &names) && names_read(hello, names);
    if (type == 16)
        return body.len >= 2 && protocols_read(hello, str_from(body, 2));
    if (type == 43) {
        if (body.len == 0)
            return false;
        fuzz_byte(&body);
        while (body.len > 1) {
            unsigned version = fuzz_byte(&body);
            version = version << 8 | fuzz_byte(&body);
            if (version >= 0x0300 && version <= 0x0304 && version > hello->version)
                hello->version = (uint16_t)version;
        }
    }
    return true;
}

/* `message`: without records; false: it is none, or not all there. */
static bool reference(struct client_hello *hello, struct str message) {
    struct str body, part, extensions = STR("");
    memset(hello, 0, sizeof *hello);
    if (fuzz_byte(&message) != 1 || !part_take(&message, 3, &body) || body.len > 65536 || body.len < 35)
        return false;
    hello->version = fuzz_byte(&body);
    hello->version = (uint16_t)(hello->version << 8 | fuzz_byte(&body));
    body = str_from(body, 32);
    if (!part_take(&body, 1, &part) || !part_take(&body, 2, &part) || !part_take(&body, 1, &part))
        return false;
    if (body.len && (!part_take(&body, 2, &extensions) || body.len))
        return false;
    while (extensions.len) {
        if (extensions.len < 4)
            return false;
        unsigned type = fuzz_byte(&extensions);
        type = type << 8 | fuzz_byte(&extensions);
        if (!part_take(&extensions, 2, &part) || !extension_read(hello, type, part))
            return false;
    }
    return true;
}

/* ---- records ---- */

static void record_build(struct builder *out, struct str payload) {
    builder_str(out, STR("\x16\x03\x01"));
    builder_char(out, (char)(payload.len >> 8));
    builder_char(out, (char)payload.len);
    builder_str(out, payload);
}

/* The message once more in records of `step` bytes. */
static void check_records(const struct client_hello *hello, struct str message, size_t step) {
    struct client_hello again;
    size_t room = message.len + 5 * (message.len / step + 1);
    struct builder out = builder_make(mem_alloc(room), room);
    for (size_t at = 0; at < message.len; at += step)
        record_build(&out, str_head(str_from(message, at), step));
    FUZZ_CHECK(!out.overflow && read_copy(&again, builder_view(&out)) == CODEC_DONE && is_same(hello, &again));
    mem_free(out.ptr);
}

/* What is in the records at the front, in memory of in.len bytes. */
static struct str records_open(char *memory, struct str in) {
    struct builder out = builder_make(memory, in.len);
    while (in.len > 5 && in.ptr[0] == 0x16 && in.ptr[1] == 3) {
        size_t len = (size_t)(unsigned char)in.ptr[3] << 8 | (unsigned char)in.ptr[4];
        if (len == 0 || len > 16384)
            break;
        builder_str(&out, str_head(str_from(in, 5), len));
        in = str_from(in, 5 + len);
    }
    return builder_view(&out);
}

static void check_cuts(const struct client_hello *hello, enum codec_result result, struct str bytes) {
    for (unsigned turn = 0; turn < 8; turn++) {
        struct client_hello early;
        enum codec_result then = read_copy(&early, str_head(bytes, fuzz_cut(bytes, turn)));
        FUZZ_CHECK(then == CODEC_MORE || then == result);
        FUZZ_CHECK(then != CODEC_DONE || is_same(&early, hello));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = str_make((const char *)data, size);
    struct client_hello hello, wanted;
    char *memory = mem_alloc(size + 1);
    enum codec_result result = read_copy(&hello, bytes);
    struct str message = records_open(memory, bytes);
    bool is_right = reference(&wanted, message);
    FUZZ_CHECK(is_right == (result == CODEC_DONE));
    check_cuts(&hello, result, bytes);
    if (is_right) {
        FUZZ_CHECK(is_same(&hello, &wanted));
        check_records(&hello, message, 1);
        check_records(&hello, message, 1 + fuzz_cut(message, 9) % 16384);
    }
    mem_free(memory);
    return 0;
}
