#include "edge.h"

#include "codec/uri.h"

#include <stdio.h>

static const struct path {
    const char *text, *merged, *kept; /* NULL: refused */
} paths[] = {
    {"/", "/", "/"},
    {"", "/", "/"},
    {"/socket.io/", "/socket.io/", "/socket.io/"},
    {"/a/b", "/a/b", "/a/b"},
    {"//", "/", "//"},
    {"//a///b//", "/a/b/", "//a///b//"},
    {"/.", "/", "/"},
    {"/./", "/", "/"},
    {"/a/.", "/a/", "/a/"},
    {"/a/./b", "/a/b", "/a/b"},
    {"/a/..", "/", "/"},
    {"/a/../", "/", "/"},
    {"/a/../b", "/b", "/b"},
    {"/a/b/..", "/a/", "/a/"},
    {"/a/b/../c", "/a/c", "/a/c"},
    {"/a/b/../../c", "/c", "/c"},
    {"/a//../b", "/b", "/a/b"},
    {"//..", NULL, "/"},
    {"/...", "/...", "/..."},
    {"/.a/..b/c..", "/.a/..b/c..", "/.a/..b/c.."},
    {"/a/.../b", "/a/.../b", "/a/.../b"},
    {"/..", NULL, NULL},
    {"/../", NULL, NULL},
    {"/../a", NULL, NULL},
    {"/a/../..", NULL, NULL},
    {"/a/../../b", NULL, NULL},
    {"/./..", NULL, NULL},
    {"a", NULL, NULL},
    {"*", NULL, NULL},
    {"?", NULL, NULL},
    {"/%61", "/a", "/a"},
    {"/%2561", "/%61", "/%61"},
    {"/a%2Fb", "/a/b", "/a/b"},
    {"/a%2f%2Fb", "/a/b", "/a//b"},
    {"/a/%2e%2E/b", "/b", "/b"},
    {"/a/%2e", "/a/", "/a/"},
    {"/%2e%2e%2fb", NULL, NULL},
    {"/a%3Fb%23c%20+", "/a?b#c +", "/a?b#c +"},
    {"/%ff%01", "/\xff\x01", "/\xff\x01"},
    {"/%00", NULL, NULL},
    {"/a%00b", NULL, NULL},
    {"/%", NULL, NULL},
    {"/%4", NULL, NULL},
    {"/%4g", NULL, NULL},
    {"/%g4", NULL, NULL},
    {"/%%41", NULL, NULL},
    {"%2f", NULL, NULL},
};

static void test_normalise(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++)
        for (unsigned merges = 0; merges < 2; merges++) {
            const char *wanted = merges ? paths[i].merged : paths[i].kept;
            struct str path = edge_place(str_of(paths[i].text));
            /* text that is there already is not looked at, not even when it could be taken back */
            char memory[64] = "/x/..";
            struct builder out = builder_make(memory, sizeof memory);
            out.len = 5;
            bool is_right = uri_normalise(&out, path, merges);
            if (is_right != (wanted != NULL))
                fail_msg("%s: %d", paths[i].text, is_right);
            if (!wanted)
                continue;
            assert_str(builder_view(&out), str_make(memory, 5 + strlen(wanted)));
            assert_str(str_from(builder_view(&out), 5), str_of(wanted));
            assert_memory_equal(memory, "/x/..", 5);
            /* what is normal stays as it is, and what stays as it is and has no "//" is normal */
            assert_int_equal(uri_is_normal(path), str_eq(path, str_of(paths[i].merged)));
            out = builder_make(memory, path.len ? path.len : 1);
            assert_true(uri_normalise(&out, path, merges));
            out = builder_make(memory, strlen(wanted) - 1);
            bool fits = uri_normalise(&out, path, merges);
            assert_false(fits);
        }
}

static void test_arg(void **state) {
    (void)state;
    static const struct {
        const char *query, *name, *value;
    } rows[] = {
        {"a=1&b=2", "a", "1"},  {"a=1&b=2", "b", "2"},
        {"A=1", "a", "1"},      {"a=1&a=2", "a", "1"},
        {"ba=1&a=2", "a", "2"}, {"a&a=2", "a", "2"},
        {"a=", "a", ""},        {"a", "a", ""},
        {"", "a", ""},          {"a=%20+x=y", "a", "%20+x=y"},
        {"ab=1", "a", ""},      {"a=1", "ab", ""},
        {"&&a=1&", "a", "1"},   {"x?a=1", "a", ""},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_str(uri_arg(edge_place(str_of(rows[i].query)), str_of(rows[i].name)), str_of(rows[i].value));
}

static void test_encode(void **state) {
    (void)state;
    char memory[1024], byte, escape[8];
    struct builder out = builder_make(memory, sizeof memory);
    uri_encode_path(&out, STR("/a b\"#%<>?\\^`{|}\x7f\x80\xff\n!$&'()*+,-.:;=@[]_~"));
    assert_str(builder_view(&out),
               STR("/a%20b%22%23%25%3C%3E%3F%5C%5E%60%7B%7C%7D%7F%80%FF%0A!$&'()*+,-.:;=@[]_~"));
    for (unsigned i = 0; i < 256; i++) {
        byte = (char)i;
        out.len = 0;
        uri_encode_path(&out, edge_place(str_make(&byte, 1)));
        snprintf(escape, sizeof escape, "%%%02X", i);
        assert_str(builder_view(&out), out.len == 1 ? str_make(&byte, 1) : str_make(escape, 3));
    }
    out = builder_make(memory, 5);
    uri_encode_path(&out, STR("  "));
    assert_true(out.overflow);
}

static void test_encode_arg(void **state) {
    (void)state;
    char memory[256];
    struct builder out = builder_make(memory, sizeof memory);
    uri_encode_arg(&out, STR("/a b\"#%&+;<=>?@\\^`{|}~\x7f\n"));
    assert_str(builder_view(&out), STR("/a%20b%22%23%25%26%2B%3B%3C=%3E%3F@%5C%5E%60%7B%7C%7D~%7F%0A"));
}

static void test_encode_target(void **state) {
    (void)state;
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    uri_encode_target(&out, edge_place(STR("/a b\r\n\t%20\x7f\x80?x=\"#")));
    assert_str(builder_view(&out), STR("/a%20b%0D%0A%09%20%7F\x80?x=\"%23"));
}

static void unescapes(const char *text, const char *want) {
    char memory[256];
    struct builder out = builder_make(memory, sizeof memory);
    uri_unescape_redirect(&out, edge_place(str_of(text)));
    assert_false(out.overflow);
    assert_str(builder_view(&out), str_of(want));
}

static void test_unescape_redirect(void **state) {
    (void)state;
    unescapes("", "");
    unescapes("http://h/%41%7e", "http://h/A~");
    unescapes("/%20%25%7F%80%0a", "/%20%25%7F%80%0a");
    unescapes("/%41?%41", "/A?%41");
    unescapes("/%3f%41", "/?%41");
    unescapes("/%zz%4", "/zz4");
    unescapes("%", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),     cmocka_unit_test(test_arg),
        cmocka_unit_test(test_encode),        cmocka_unit_test(test_encode_arg),
        cmocka_unit_test(test_encode_target), cmocka_unit_test(test_unescape_redirect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
