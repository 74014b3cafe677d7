#include "edge.h"

#include "codec/client_hello.h"

#include "base/builder.h"

enum { HELLO_MAX = 4096 };

struct wanted {
    unsigned version; /* in the hello's head */
    const char *extensions;
    size_t extensions_len;
    unsigned record; /* bytes of payload a record at most */
};

static void put_16(struct builder *out, size_t value) {
    builder_char(out, (char)(value >> 8));
    builder_char(out, (char)value);
}

/* A ClientHello with these extensions, cut into records. */
static struct str hello_build(char *memory, const struct wanted *wanted) {
    char message[HELLO_MAX];
    struct builder body = builder_make(message, sizeof message);
    size_t len = 2 + 32 + 1 + 4 + 2 + 4 + 1 + 1 + 2 + wanted->extensions_len;
    builder_char(&body, 1);
    builder_char(&body, 0);
    put_16(&body, len);
    put_16(&body, wanted->version);
    for (int i = 0; i < 32; i++)
        builder_char(&body, 'r');
    builder_str(&body, STR("\4sess"));
    put_16(&body, 4);
    builder_str(&body, STR("abcd"));
    builder_char(&body, 1);
    builder_char(&body, 0);
    put_16(&body, wanted->extensions_len);
    builder_bytes(&body, wanted->extensions, wanted->extensions_len);
    struct builder out = builder_make(memory, HELLO_MAX * 6);
    for (struct str rest = builder_view(&body); rest.len;) {
        size_t piece = rest.len < wanted->record ? rest.len : wanted->record;
        builder_bytes(&out, "\x16\3\1", 3);
        put_16(&out, piece);
        builder_str(&out, str_head(rest, piece));
        rest = str_from(rest, piece);
    }
    assert_false(body.overflow || out.overflow);
    return builder_view(&out);
}

/* Whole at once, and before it is, in every part. */
static void reads(struct str bytes, enum codec_result want, struct client_hello *hello) {
    assert_int_equal(client_hello_read(hello, edge_place(bytes)), want);
    for (size_t i = 0; i < bytes.len; i++) {
        struct client_hello part;
        enum codec_result result = client_hello_read(&part, edge_place(str_head(bytes, i)));
        assert_true(result == CODEC_MORE || (want == CODEC_BAD && result == CODEC_BAD));
    }
}

static struct client_hello hello_read(const char *extensions, size_t len, unsigned record) {
    static char memory[HELLO_MAX * 6];
    struct wanted wanted = {0x0303, extensions, len, record};
    struct client_hello hello;
    reads(hello_build(memory, &wanted), CODEC_DONE, &hello);
    return hello;
}

#define READ(extensions, record) hello_read("" extensions, sizeof(extensions) - 1, record)
#define NAME                   \
    "\0\0\0\x0e\0\x0c\0\0\x09" \
    "A.Example"
#define ALPN "\0\x10\0\x0e\0\x0c\2h2\x08http/1.1"
#define VERSIONS "\0\x2b\0\7\6\x0a\x0a\3\4\3\3"

static void says_what_it_is(void **state) {
    (void)state;
    static const unsigned records[] = {16384, 100, 7, 1};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct client_hello hello = READ(NAME ALPN VERSIONS, records[i]);
        assert_str(str_make(hello.name, hello.name_len), STR("a.example"));
        assert_str(str_make(hello.alpn, hello.alpn_len), STR("h2,http/1.1"));
        assert_string_equal(client_hello_version(hello.version), "TLSv1.3");
    }
}

static void says_little(void **state) {
    (void)state;
    struct client_hello hello = READ("\0\x17\0\0", 16384);
    assert_int_equal(hello.name_len, 0);
    assert_int_equal(hello.alpn_len, 0);
    assert_string_equal(client_hello_version(hello.version), "TLSv1.2");
    hello = READ("\0\0\0\0", 16384); /* an empty server_name */
    assert_int_equal(hello.name_len, 0);
    assert_string_equal(client_hello_version(0x0300), "SSLv3");
    assert_string_equal(client_hello_version(0x0301), "TLSv1");
    assert_string_equal(client_hello_version(0x0302), "TLSv1.1");
    assert_string_equal(client_hello_version(0x7f1c), "");
}

/* Of TLS 1.0 without any extensions. */
static void old_one(void **state) {
    (void)state;
    struct client_hello hello;
    char bytes[64] = "\x16\3\1\0\x2d\1\0\0\x29\3\1";
    memcpy(bytes + 43, "\0\0\2\0\xff\1\0", 7);
    reads(str_make(bytes, 50), CODEC_DONE, &hello);
    assert_string_equal(client_hello_version(hello.version), "TLSv1");
}

static void is_none(void **state) {
    (void)state;
    struct client_hello hello;
    reads(STR("GET / HTTP/1.1\r\n"), CODEC_BAD, &hello);
    reads(STR("\x16\2"), CODEC_BAD, &hello);
    reads(str_make("\x16\3\1\0\0", 5), CODEC_BAD, &hello);           /* an empty record */
    reads(str_make("\x16\3\1\x40\1", 5), CODEC_BAD, &hello);         /* a too long one */
    reads(str_make("\x16\3\1\0\1\2", 6), CODEC_BAD, &hello);         /* a ServerHello */
    reads(str_make("\x16\3\1\0\4\1\0\0\1", 9), CODEC_BAD, &hello);   /* a too short hello */
    reads(str_make("\x16\3\1\0\4\1\2\0\0", 9), CODEC_BAD, &hello);   /* a too long one */
    reads(str_make("\x16\3\1\0\1\1\x17\3\1", 9), CODEC_BAD, &hello); /* another record within */
}

static void is_broken(void **state) {
    static char memory[HELLO_MAX * 6];
    (void)state;
    static const struct str broken[] = {
#define BAD(text) {"" text, sizeof(text) - 1}
        BAD("\0\0\0"),               /* half an extension */
        BAD("\0\0\0\5ab"),           /* longer than what holds it */
        BAD("\0\0\0\5\0\7\0\0\x09"), /* a name likewise */
        BAD("\0\0\0\5\0\2\0\0\0"),   /* names of two bytes, and one takes three */
        BAD("\0\x10\0\4\0\2\7h"),    /* a protocol likewise */
        BAD("\0\0\0\1a"),            /* no room for the list's length */
#undef BAD
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct wanted wanted = {0x0303, broken[i].ptr, broken[i].len, 16384};
        struct client_hello hello;
        reads(hello_build(memory, &wanted), CODEC_BAD, &hello);
    }
}

/* Names and protocols that do not fit are left out; the rest is read. */
static void is_long(void **state) {
    (void)state;
    char extensions[HELLO_MAX];
    struct builder out = builder_make(extensions, sizeof extensions);
    put_16(&out, 0);
    put_16(&out, 305);
    put_16(&out, 303);
    builder_char(&out, 0);
    put_16(&out, 300);
    for (int i = 0; i < 300; i++)
        builder_char(&out, 'n');
    put_16(&out, 16);
    put_16(&out, 2 + 201 + 101 + 3);
    put_16(&out, 201 + 101 + 3);
    builder_char(&out, (char)200);
    for (int i = 0; i < 200; i++)
        builder_char(&out, 'p');
    builder_char(&out, 100);
    for (int i = 0; i < 100; i++)
        builder_char(&out, 'q');
    builder_str(&out, STR("\2h2"));
    struct client_hello hello = hello_read(extensions, out.len, 16384);
    assert_int_equal(hello.name_len, 0);
    assert_int_equal(hello.alpn_len, 203);
    assert_str(str_make(hello.alpn + 200, 3), STR(",h2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is), cmocka_unit_test(says_little), cmocka_unit_test(old_one),
        cmocka_unit_test(is_none),         cmocka_unit_test(is_broken),   cmocka_unit_test(is_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
