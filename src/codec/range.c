#include "codec/range.h"

/* nginx's reading, which serves a 416 for what is no range: whoever asks so for a part does not want the whole.
 */

static struct str blanks_skip(struct str text) {
    size_t len = 0;
    while (len < text.len && text.ptr[len] == ' ')
        len++;
    return str_from(text, len);
}

/* Digits at the front of *text and the spaces around them, up to 2^63-1. */
static bool take_number(struct str *text, uint64_t *value) {
    *text = blanks_skip(*text);
    size_t len = 0;
    *value = 0;
    for (; len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9'; len++)
        if (__builtin_mul_overflow(*value, (uint64_t)10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(text->ptr[len] - '0'), value) || *value > INT64_MAX)
            return false;
    *text = blanks_skip(str_from(*text, len));
    return len > 0;
}

enum { SPEC_BAD, SPEC_OUTSIDE, SPEC_WHOLE, SPEC_INSIDE };

/* One "from-to", "from-" or "-count" against the size. Of an empty content from the first byte on is all of it.
 */
static int spec_read(struct str text, uint64_t size, struct range *range) {
    uint64_t from = 0, to = UINT64_MAX, count;
    text = blanks_skip(text);
    bool is_suffix = str_starts(text, STR("-"));
    if (!is_suffix && (!take_number(&text, &from) || !str_starts(text, STR("-"))))
        return SPEC_BAD;
    text = str_from(text, 1);
    if (is_suffix) {
        if (!take_number(&text, &count))
            return SPEC_BAD;
        from = count < size ? size - count : 0;
    } else if (blanks_skip(text).len && !take_number(&text, &to)) {
        return SPEC_BAD;
    }
    if (blanks_skip(text).len)
        return SPEC_BAD;
    *range = (struct range){from, to < size ? to : size - 1};
    if (from < size && from <= range->to)
        return SPEC_INSIDE;
    return from == 0 ? SPEC_WHOLE : SPEC_OUTSIDE;
}

static enum range_verdict refuse(enum range_verdict verdict, unsigned *count) {
    *count = 0;
    return verdict;
}

enum range_verdict range_parse(struct str field, uint64_t size, struct range *ranges, unsigned max,
                               unsigned *count) {
    static const struct str unit = {"bytes=", 6};
    uint64_t sum = 0;
    bool is_over = false;
    *count = 0;
    if (field.len <= unit.len || !str_starts_nocase(field, unit))
        return RANGE_NONE;
    struct str list = str_from(field, unit.len);
    for (struct str part; str_split(&list, ',', &part);) {
        struct range range;
        int spec = spec_read(part, size, &range);
        if (spec == SPEC_BAD)
            return refuse(RANGE_UNSATISFIABLE, count);
        if (spec == SPEC_WHOLE || (spec == SPEC_INSIDE && *count == max))
            return refuse(RANGE_NONE, count);
        if (spec == SPEC_OUTSIDE)
            continue;
        is_over = is_over || __builtin_add_overflow(sum, range.to - range.from + 1, &sum);
        ranges[(*count)++] = range;
    }
    if (*count == 0)
        return RANGE_UNSATISFIABLE;
    return is_over || sum > size ? refuse(RANGE_NONE, count) : RANGE_SOME;
}
