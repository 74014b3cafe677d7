#include "../unit.h"

#include "net/address.h"
#include "net/resolver.h"
#include "net/why.h"

#include <errno.h>
#include <stdio.h>

static const char *shown(const struct address *address, bool is_host) {
    static char memory[2][200];
    static int turn;
    turn = !turn;
    struct builder out = builder_make(memory[turn], sizeof memory[turn]);
    if (is_host)
        address_build_host(&out, address);
    else
        address_build(&out, address);
    builder_char(&out, '\0');
    assert_false(out.overflow);
    return memory[turn];
}

static void literals_are_parsed_and_built(void **state) {
    static const struct {
        const char *text, *host, *whole;
        size_t bytes;
    } cases[] = {
        {"1.2.3.4", "1.2.3.4", "1.2.3.4:80", 4},
        {"255.255.255.255", "255.255.255.255", "255.255.255.255:80", 4},
        {"::1", "::1", "[::1]:80", 16},
        {"[::1]", "::1", "[::1]:80", 16},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", "[2001:db8::1:0:0:1]:80", 16},
        {"::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1:80", 4},
        {"[::ffff:10.0.0.1]", "10.0.0.1", "10.0.0.1:80", 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address address;
        assert_true(address_parse(str_of(cases[i].text), 80, &address));
        assert_string_equal(shown(&address, true), cases[i].host);
        assert_string_equal(shown(&address, false), cases[i].whole);
        assert_int_equal(address_port(&address), 80);
        assert_int_equal(address_bytes(&address).len, cases[i].bytes);
    }
}

static void what_is_no_literal_is_refused(void **state) {
    static const char *const cases[] = {
        "",   "localhost", "1.2.3",    "1.2.3.4.5",  "1.2.3.256", "[1.2.3.4]", "[::1",    "::1]",
        "[]", ":::",       "1.2.3.4 ", "1.2.3.4:80", "[::1]:80",  "::1%lo",    "[[::1]]", "01.2.3.4x"};
    struct address address;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(address_parse(str_of(cases[i]), 80, &address));
    assert_false(address_parse(STR("1.2.3.4\0"), 80, &address));
    assert_false(address_parse(STR("1.2.3.4\0x"), 80, &address));
    char longest[300];
    memset(longest, '1', sizeof longest);
    assert_false(address_parse(str_make(longest, sizeof longest), 80, &address));
}

static void unix_paths_have_a_bound(void **state) {
    char path[200];
    struct address address;
    size_t most = sizeof address.path.sun_path - 1;
    (void)state;
    memset(path, 'p', sizeof path);
    assert_true(address_unix(str_make(path, most), &address));
    assert_str(address_bytes(&address), str_make(path, most));
    assert_false(address_unix(str_make(path, most + 1), &address));
    assert_false(address_unix(STR(""), &address));
    assert_false(address_unix(STR("a\0b"), &address));
    assert_true(address_unix(STR("/run/a.sock"), &address));
    assert_string_equal(shown(&address, false), "unix:/run/a.sock");
    assert_string_equal(shown(&address, true), "unix:");
    assert_int_equal(address_port(&address), 0);
    /* A client's socket has no path; a kernel path may fill the array without a NUL. */
    address.len = sizeof(sa_family_t);
    assert_string_equal(shown(&address, false), "unix:");
    memset(address.path.sun_path, 'q', sizeof address.path.sun_path);
    address.len = sizeof address.path + 1;
    assert_int_equal(address_bytes(&address).len, sizeof address.path.sun_path);
}

static void equality_looks_at_what_matters(void **state) {
    struct address a, b;
    (void)state;
    assert_true(address_parse(STR("1.2.3.4"), 80, &a) && address_parse(STR("1.2.3.4"), 80, &b));
    assert_true(address_eq(&a, &b));
    memset(b.v4.sin_zero, 7, sizeof b.v4.sin_zero);
    assert_true(address_eq(&a, &b));
    b.v4.sin_port = htons(81);
    assert_false(address_eq(&a, &b));
    assert_true(address_parse(STR("1.2.3.5"), 80, &b));
    assert_false(address_eq(&a, &b));
    assert_true(address_parse(STR("::1"), 80, &a) && address_parse(STR("::1"), 80, &b));
    assert_true(address_eq(&a, &b));
    b.v6.sin6_flowinfo = 5;
    assert_true(address_eq(&a, &b));
    b.v6.sin6_scope_id = 5;
    assert_false(address_eq(&a, &b));
    assert_true(address_parse(STR("::1.2.3.4"), 80, &b));
    assert_false(address_eq(&a, &b));
    assert_true(address_unix(STR("/a"), &a) && address_unix(STR("/a"), &b));
    assert_true(address_eq(&a, &b));
    assert_true(address_unix(STR("/b"), &b));
    assert_false(address_eq(&a, &b));
    struct address none = {0};
    assert_false(address_eq(&a, &none));
    assert_string_equal(shown(&none, false), "");
    assert_string_equal(shown(&none, true), "");
}

static void every_why_is_told(void **state) {
    (void)state;
    for (unsigned why = 0; why < WHY_COUNT; why++) {
        const struct why_info *info = why_info(why);
        assert_true(strlen(info->name) > 0 && strlen(info->text) > 0);
        for (const char *c = info->name; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
    }
    assert_string_equal(why_info(WHY_BAD_TRANSFER_CODING)->name, "bad_transfer_coding");
    assert_string_equal(why_info(WHY_BACKEND_SEND_TIMEOUT)->name, "backend_send_timeout");
    assert_string_equal(why_info(WHY_DONE)->name, "done");
    assert_int_equal(why_info(WHY_NO_PEER)->http, 502);
    assert_int_equal(why_info(WHY_NO_PEER)->close, 1013);
    assert_int_equal(why_info(WHY_NO_PEER)->owner, WHY_OWNER_BACKEND);
    assert_ptr_equal(why_info(WHY_COUNT), why_info(WHY_INTERNAL));
}

static void own_shortages_stay_our_own(void **state) {
    static const struct {
        int error;
        enum why why;
        enum why_owner owner;
    } cases[] = {
        {-ECONNREFUSED, WHY_CONNECT_REFUSED, WHY_OWNER_BACKEND},
        {-ETIMEDOUT, WHY_CONNECT_TIMEOUT, WHY_OWNER_BACKEND},
        {-EMFILE, WHY_NO_DESCRIPTOR, WHY_OWNER_SELF},
        {-ENFILE, WHY_NO_DESCRIPTOR, WHY_OWNER_SELF},
        {-ENOMEM, WHY_NO_MEMORY, WHY_OWNER_SELF},
        {-ENOBUFS, WHY_NO_MEMORY, WHY_OWNER_SELF},
        {-EADDRNOTAVAIL, WHY_NO_PORT, WHY_OWNER_SELF},
        {-EHOSTUNREACH, WHY_CONNECT_FAILED, WHY_OWNER_BACKEND},
        {-EAGAIN, WHY_CONNECT_FAILED, WHY_OWNER_BACKEND},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(why_of_connect_error(cases[i].error), cases[i].why);
        assert_int_equal(why_info(cases[i].why)->owner, cases[i].owner);
    }
}

static void the_resolver_needs_no_system_for_literals(void **state) {
    struct address found[RESOLVER_MAX];
    const char *reason = NULL;
    (void)state;
    assert_int_equal(resolver_lookup(STR("10.1.2.3"), 99, found, &reason), 1);
    assert_string_equal(shown(&found[0], false), "10.1.2.3:99");
    assert_int_equal(resolver_lookup(STR("[::1]"), 99, found, &reason), 1);
    assert_string_equal(shown(&found[0], false), "[::1]:99");
}

static void the_resolver_finds_localhost_without_doubles(void **state) {
    struct address found[RESOLVER_MAX];
    const char *reason = NULL;
    (void)state;
    int count = resolver_lookup(STR("localhost"), 3000, found, &reason);
    assert_true(count >= 1);
    bool is_v6 = false;
    for (int i = 0; i < count; i++) {
        assert_int_equal(address_port(&found[i]), 3000);
        assert_false(is_v6 && found[i].any.sa_family == AF_INET); /* IPv4 first */
        is_v6 |= found[i].any.sa_family == AF_INET6;
        for (int j = 0; j < i; j++)
            assert_false(address_eq(&found[i], &found[j]));
    }
}

static void the_resolver_tells_why_not(void **state) {
    struct address found[RESOLVER_MAX];
    const char *reason = NULL;
    char longest[400];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_int_equal(resolver_lookup(STR(""), 1, found, &reason), 0);
    assert_string_equal(reason, "invalid host name");
    assert_int_equal(resolver_lookup(STR("a\0b"), 1, found, &reason), 0);
    assert_string_equal(reason, "invalid host name");
    assert_int_equal(resolver_lookup(str_make(longest, sizeof longest), 1, found, &reason), 0);
    assert_string_equal(reason, "invalid host name");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_parsed_and_built),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(unix_paths_have_a_bound),
        cmocka_unit_test(equality_looks_at_what_matters),
        cmocka_unit_test(every_why_is_told),
        cmocka_unit_test(own_shortages_stay_our_own),
        cmocka_unit_test(the_resolver_needs_no_system_for_literals),
        cmocka_unit_test(the_resolver_finds_localhost_without_doubles),
        cmocka_unit_test(the_resolver_tells_why_not),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
