#include "edge.h"

#include "base/builder.h"
#include "codec/range.h"

enum { MAX = 4 };

/* `wanted`: "from-to," for each range; "none"; "unsatisfiable". */
static const struct {
    const char *field;
    uint64_t size;
    const char *wanted;
} rows[] = {
    {"bytes=0-0", 10, "0-0,"},
    {"bytes=0-9", 10, "0-9,"},
    {"Bytes=0-", 10, "0-9,"},
    {"bytes=9-", 10, "9-9,"},
    {"bytes=5-100", 10, "5-9,"},
    {"bytes=-1", 10, "9-9,"},
    {"bytes=-10", 10, "0-9,"},
    {"bytes=-11", 10, "0-9,"},
    {"bytes=0-1,3-4", 10, "0-1,3-4,"},
    {"bytes=8-9 , 0-1 ", 10, "8-9,0-1,"},
    {"bytes=0-0,20-30,-1", 10, "0-0,9-9,"},
    {"bytes=0-4,0-4", 10, "0-4,0-4,"},
    {"bytes=0-4,0-5", 10, "none"},
    {"bytes=0-,0-", 10, "none"},
    {"bytes=0-0,1-1,2-2,3-3", 10, "0-0,1-1,2-2,3-3,"},
    {"bytes=0-0,1-1,2-2,3-3,4-4", 10, "none"},
    {"bytes=10-", 10, "unsatisfiable"},
    {"bytes=10-10,11-", 10, "unsatisfiable"},
    {"bytes=-0", 10, "unsatisfiable"},
    {"bytes=0-", 0, "none"},
    {"bytes=-1", 0, "none"},
    {"bytes=2147483647-2147483648", 4294967296, "2147483647-2147483648,"},
    {"bytes=4294967295-4294967297", 4294967298, "4294967295-4294967297,"},
    {"bytes=9223372036854775807-", INT64_MAX, "unsatisfiable"},
    {"bytes=9223372036854775806-9223372036854775807", INT64_MAX, "9223372036854775806-9223372036854775806,"},
    {"bytes=0-9223372036854775807", 10, "0-9,"},
    {"bytes=0-9223372036854775808", 10, "unsatisfiable"},
    {"bytes=0-99999999999999999999999999999999999999999999", 10, "unsatisfiable"},
    {"bytes=18446744073709551616-18446744073709551616", 10, "unsatisfiable"},
    {"bytes=-18446744073709551617", 10, "unsatisfiable"},
    {"bytes=0-", UINT64_MAX, "0-18446744073709551614,"},
    {"bytes=5-", 0, "unsatisfiable"},
    {"bytes=", 10, "none"},
    {"bytes=,", 10, "unsatisfiable"},
    {"bytes=-", 10, "unsatisfiable"},
    {"bytes=0", 10, "unsatisfiable"},
    {"bytes=5-4", 10, "unsatisfiable"},
    {"bytes=0-0,5-4", 10, "0-0,"},
    {"bytes=a-b", 10, "unsatisfiable"},
    {"bytes=0-b", 10, "unsatisfiable"},
    {"bytes=0:1", 10, "unsatisfiable"},
    {"bytes=0-1-2", 10, "unsatisfiable"},
    {"bytes=0 - 1", 10, "0-1,"},
    {"bytes =0-1", 10, "none"},
    {"bytes= 0-1", 10, "0-1,"},
    {"bytes=--1", 10, "unsatisfiable"},
    {"bytes=+0-1", 10, "unsatisfiable"},
    {"byte=0-1", 10, "none"},
    {"items=0-1", 10, "none"},
    {"0-1", 10, "none"},
    {"", 10, "none"},
};

static void test_ranges(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct range ranges[MAX];
        unsigned count = MAX;
        char text[256];
        struct builder b = builder_make(text, sizeof text);
        enum range_verdict verdict =
            range_parse(edge_place(str_of(rows[i].field)), rows[i].size, ranges, MAX, &count);
        assert_true(verdict == RANGE_SOME ? count > 0 : count == 0);
        for (unsigned k = 0; k < count; k++) {
            builder_u64(&b, ranges[k].from);
            builder_char(&b, '-');
            builder_u64(&b, ranges[k].to);
            builder_char(&b, ',');
        }
        if (verdict != RANGE_SOME)
            builder_str(&b, verdict == RANGE_NONE ? STR("none") : STR("unsatisfiable"));
        if (!str_eq(builder_view(&b), str_of(rows[i].wanted)))
            fail_msg("%s of %lu: %.*s", rows[i].field, (unsigned long)rows[i].size, STR_ARG(builder_view(&b)));
    }
    unsigned count;
    assert_int_equal(range_parse(STR("bytes=0-0"), 1, NULL, 0, &count), RANGE_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
