#include "codec/http_date.h"
#include "codec/range.h"
#include "fuzz.h"

/* Range and date fields. For ranges the first byte chooses the content's size. */

enum { MAX = 8 };

static void check_range(struct str input) {
    static const uint64_t sizes[] = {0, 1, 2, 10, 1000, UINT32_MAX, (uint64_t)INT64_MAX - 1, INT64_MAX};
    uint64_t size = sizes[fuzz_byte(&input) % 8], sum = 0;
    struct range ranges[MAX], again[MAX];
    unsigned count, count_again;
    enum range_verdict verdict = range_parse(input, size, ranges, MAX, &count);
    FUZZ_CHECK(count <= MAX && (verdict == RANGE_SOME) == (count > 0));
    if (verdict != RANGE_SOME)
        return;
    char text[MAX * 48];
    struct builder b = builder_make(text, sizeof text);
    builder_str(&b, STR("bytes="));
    for (unsigned i = 0; i < count; i++) {
        FUZZ_CHECK(ranges[i].from <= ranges[i].to && ranges[i].to < size);
        FUZZ_CHECK(!__builtin_add_overflow(sum, ranges[i].to - ranges[i].from + 1, &sum) && sum <= size);
        builder_u64(&b, ranges[i].from);
        builder_char(&b, '-');
        builder_u64(&b, ranges[i].to);
        builder_char(&b, ',');
    }
    b.len--;
    FUZZ_CHECK(!b.overflow && range_parse(builder_view(&b), size, again, MAX, &count_again) == RANGE_SOME);
    FUZZ_CHECK(count_again == count && memcmp(again, ranges, count * sizeof ranges[0]) == 0);
    FUZZ_CHECK(range_parse(input, size, again, count - 1, &count_again) == RANGE_NONE);
}

static void check_date(struct str input) {
    uint64_t seconds, again;
    char text[HTTP_DATE_LEN];
    if (!http_date_parse(input, &seconds))
        return;
    struct builder b = builder_make(text, sizeof text);
    http_date_build(&b, seconds);
    FUZZ_CHECK(!b.overflow && b.len == HTTP_DATE_LEN);
    FUZZ_CHECK(http_date_parse(builder_view(&b), &again));
    /* the leap second of the last year that can be written has no next second */
    FUZZ_CHECK(again == seconds || seconds == 253402300800);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    check_range(input);
    check_date(input);
    return 0;
}
