#include "../unit.h"

#include "model/expires.h"

static void expect(const char *text, bool is_of_modified, enum expires_kind kind, int64_t seconds) {
    struct expires expires = {.is_of_modified = is_of_modified};
    assert_null(expires_parse(&expires, str_of(text)));
    assert_int_equal(expires.kind, kind);
    assert_int_equal(expires.seconds, seconds);
}

static void expect_wrong(const char *text, bool is_of_modified, const char *problem) {
    struct expires expires = {.is_of_modified = is_of_modified};
    const char *said = expires_parse(&expires, str_of(text));
    assert_non_null(said);
    assert_string_equal(said, problem);
}

static void test_words_and_times(void **state) {
    (void)state;
    expect("off", false, EXPIRES_OFF, 0);
    expect("epoch", false, EXPIRES_EPOCH, 0);
    expect("max", false, EXPIRES_MAX, 0);
    expect("30d", false, EXPIRES_ACCESS, 30 * 86400);
    expect("-1h", false, EXPIRES_ACCESS, -3600);
    expect("0", false, EXPIRES_ACCESS, 0);
    expect("1h30m", true, EXPIRES_MODIFIED, 5400);
    expect("+1d", true, EXPIRES_MODIFIED, 86400);
    expect("-60", true, EXPIRES_MODIFIED, -60);
    expect("@15h30m33s", false, EXPIRES_DAILY, 55833);
    expect("@24h", false, EXPIRES_DAILY, 86400);
}

static void test_what_is_wrong(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "", "-", "@", "soon", "1x", "@-1h", "--1", "1ms", "+", "+-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_wrong(wrong[i], false, "invalid value");
    expect_wrong("max", true, "invalid value");
    expect_wrong("@25h", false, "daily time value must be less than 24 hours");
    expect_wrong("@1h", true, "daily time cannot be used with \"modified\" parameter");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_and_times),
        cmocka_unit_test(test_what_is_wrong),
    };
    return cmocka_run_group_tests_name("expires", tests, NULL, NULL);
}
