#include "codec/range.h"

/* Digits at the front of *text; a number above 2^64-1 counts as that, since no content is longer. False when
 * there are none. */
static bool take_number(struct str *text, uint64_t *value) {
    size_t len = 0;
    bool is_over = false;
    *value = 0;
    for (; len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9'; len++)
        is_over = is_over || __builtin_mul_overflow(*value, (uint64_t)10, value) ||
                  __builtin_add_overflow(*value, (uint64_t)(text->ptr[len] - '0'), value);
    if (is_over)
        *value = UINT64_MAX;
    *text = str_from(*text, len);
    return len > 0;
}

enum { SPEC_BAD, SPEC_OUTSIDE, SPEC_INSIDE };

/* One "from-to", "from-" or "-count" against the size. */
static int spec_read(struct str text, uint64_t size, struct range *range) {
    uint64_t from, to = UINT64_MAX;
    bool has_from = take_number(&text, &from);
    if (text.len == 0 || text.ptr[0] != '-')
        return SPEC_BAD;
    text = str_from(text, 1);
    bool has_to = text.len && take_number(&text, &to);
    if (text.len || (!has_from && !has_to) || (has_from && has_to && to < from))
        return SPEC_BAD;
    if (!has_from) {
        if (to == 0 || size == 0)
            return SPEC_OUTSIDE;
        *range = (struct range){to < size ? size - to : 0, size - 1};
        return SPEC_INSIDE;
    }
    if (from >= size)
        return SPEC_OUTSIDE;
    *range = (struct range){from, to < size ? to : size - 1};
    return SPEC_INSIDE;
}

static enum range_verdict none(unsigned *count) {
    *count = 0;
    return RANGE_NONE;
}

enum range_verdict range_parse(struct str field, uint64_t size, struct range *ranges, unsigned max,
                               unsigned *count) {
    uint64_t left = size;
    unsigned specs = 0;
    *count = 0;
    if (!str_starts_nocase(field, STR("bytes=")))
        return RANGE_NONE;
    struct str list = str_from(field, sizeof "bytes=" - 1);
    for (struct str part; str_split(&list, ',', &part);) {
        struct range range;
        part = str_trim(part);
        if (part.len == 0)
            continue;
        int spec = spec_read(part, size, &range);
        if (spec == SPEC_BAD || ++specs > max)
            return none(count);
        if (spec == SPEC_OUTSIDE)
            continue;
        uint64_t len = range.to - range.from + 1;
        if (len > left)
            return none(count);
        left -= len;
        ranges[(*count)++] = range;
    }
    if (specs == 0)
        return RANGE_NONE;
    return *count ? RANGE_SOME : RANGE_UNSATISFIABLE;
}
