#include "../unit.h"

#include "model/cidr.h"

#include <arpa/inet.h>

static void reads(const char *text, enum cidr_parsed want, const char *canonical) {
    char memory[128];
    struct builder out = builder_make(memory, sizeof memory);
    struct cidr cidr;
    assert_int_equal(cidr_parse(str_of(text), &cidr), want);
    if (want == CIDR_BAD)
        return;
    cidr_build(&out, &cidr);
    assert_str(builder_view(&out), str_of(canonical));
}

static void forms(void **state) {
    (void)state;
    reads("192.0.2.1", CIDR_PARSED, "192.0.2.1/32");
    reads("192.0.2.0/24", CIDR_PARSED, "192.0.2.0/24");
    reads("192.0.2.1/24", CIDR_LOW_BITS, "192.0.2.0/24");
    reads("192.0.2.128/255.255.255.128", CIDR_PARSED, "192.0.2.128/25");
    reads("0.0.0.0/0", CIDR_PARSED, "0.0.0.0/0");
    reads("2001:db8::/32", CIDR_PARSED, "2001:db8::/32");
    reads("2001:db8::1/32", CIDR_LOW_BITS, "2001:db8::/32");
    reads("::", CIDR_PARSED, "::/128");
    reads("unix:", CIDR_PARSED, "unix:");
    const char *bad[] = {"",        "all",         "1.2.3",           "1.2.3.4/33", "1.2.3.4/",    "1.2.3.4/-1",
                         "::1/129", "1.2.3.4/1x",  "1.2.3.4/1.2.3.4", "localhost",  "1.2.3.4/8/8", "unix:/x",
                         "[::1]",   "::/255.0.0.0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        reads(bad[i], CIDR_BAD, NULL);
}

static bool has(const char *range, int family, const char *ip) {
    struct cidr cidr;
    char bytes[16];
    assert_int_not_equal(cidr_parse(str_of(range), &cidr), CIDR_BAD);
    assert_int_equal(inet_pton(family, ip, bytes), 1);
    return cidr_has(&cidr, str_make(bytes, family == AF_INET ? 4 : 16), false);
}

static void ranges(void **state) {
    (void)state;
    assert_true(has("192.0.2.0/24", AF_INET, "192.0.2.255"));
    assert_false(has("192.0.2.0/24", AF_INET, "192.0.3.0"));
    assert_true(has("192.0.2.128/25", AF_INET, "192.0.2.128"));
    assert_false(has("192.0.2.128/25", AF_INET, "192.0.2.127"));
    assert_true(has("0.0.0.0/0", AF_INET, "255.1.2.3"));
    assert_false(has("0.0.0.0/0", AF_INET6, "::1"));
    assert_true(has("2001:db8::/33", AF_INET6, "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", AF_INET6, "2001:db8:8000::1"));
    struct cidr all = {.family = CIDR_ALL}, sock = {.family = CIDR_UNIX}, any;
    assert_int_equal(cidr_parse(STR("0.0.0.0/0"), &any), CIDR_PARSED);
    assert_true(cidr_has(&all, STR("/run"), true));
    assert_true(cidr_has(&sock, STR(""), true));
    assert_false(cidr_has(&any, STR("/run"), true)); /* a path of four bytes is no address */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
