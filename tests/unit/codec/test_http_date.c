#include "edge.h"

#include "codec/http_date.h"

#include <time.h>

static const struct {
    const char *text;
    uint64_t seconds;
} dates[] = {
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Wed Nov 16 08:49:37 1994", 784975777},
    {"Tue, 29 Feb 2000 23:59:59 GMT", 951868799},
    {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
    {"Tue, 19 Jan 2038 03:14:07 GMT", INT32_MAX},
    {"Tue, 19 Jan 2038 03:14:08 GMT", UINT64_C(1) << 31},
    {"Sun, 07 Feb 2106 06:28:15 GMT", UINT32_MAX},
    {"Sun, 07 Feb 2106 06:28:16 GMT", UINT64_C(1) << 32},
    {"Friday, 31-Dec-99 23:59:60 GMT", 946684800},
    {"Friday, 01-Jan-70 00:00:00 GMT", 0},
    {"Tuesday, 31-Dec-69 23:59:59 GMT", 3155759999},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
};

static void test_parse(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        uint64_t seconds = 1;
        size_t len = strlen(dates[i].text);
        assert_true(http_date_parse(edge_place(str_make(dates[i].text, len)), &seconds));
        assert_int_equal(seconds, dates[i].seconds);
        for (size_t cut = 0; cut < len; cut++)
            assert_false(http_date_parse(edge_place(str_make(dates[i].text, cut)), &seconds));
    }
}

static void test_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        "0",
        "-1",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 30 Feb 2024 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Wed, 31 Dec 1969 23:59:59 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Sun, 0a Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:3/ GMT",
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t seconds;
        if (http_date_parse(edge_place(str_of(rows[i])), &seconds))
            fail_msg("taken: %s", rows[i]);
    }
}

static void text_is(uint64_t seconds, const char *wanted) {
    char text[HTTP_DATE_LEN];
    struct builder out = builder_make(text, sizeof text);
    http_date_build(&out, seconds);
    assert_str(builder_view(&out), str_of(wanted));
}

/* Against libc's calendar, every day with a step that is prime to a day's seconds. */
static void test_build(void **state) {
    (void)state;
    for (uint64_t seconds = 0; seconds < 253402300800; seconds += 86400 * 3 + 4241) {
        char text[64];
        uint64_t back;
        time_t moment = (time_t)seconds;
        struct tm parts;
        assert_int_equal(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&moment, &parts)),
                         HTTP_DATE_LEN);
        text_is(seconds, text);
        assert_true(http_date_parse(str_make(text, HTTP_DATE_LEN), &back) && back == seconds);
    }
    text_is(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
    text_is(253402300800, "Fri, 31 Dec 9999 23:59:59 GMT");
    text_is(UINT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
    char small[HTTP_DATE_LEN - 1];
    struct builder out = builder_make(small, sizeof small);
    http_date_build(&out, 0);
    assert_true(out.overflow && out.len == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
