#include "base/duration.h"

struct step {
    struct str name;
    uint64_t ms;
};

/* From great to small. */
static const struct step steps[] = {
    {{"y", 1}, 365ull * 86400000},
    {{"M", 1}, 30ull * 86400000},
    {{"w", 1}, 7ull * 86400000},
    {{"d", 1}, 86400000},
    {{"h", 1}, 3600000},
    {{"m", 1}, 60000},
    {{"s", 1}, 1000},
    {{"ms", 2}, 1},
};
enum { STEPS = sizeof steps / sizeof *steps, SECONDS = STEPS - 2 };

/* The letters at the head of *rest as a step at `from` or later; none means seconds. STEPS: not one. */
static size_t step_take(struct str *rest, size_t from) {
    size_t len = 0;
    while (len < rest->len && str_lower_char(rest->ptr[len]) >= 'a' && str_lower_char(rest->ptr[len]) <= 'z')
        len++;
    struct str name = str_head(*rest, len);
    *rest = str_from(*rest, len);
    if (len == 0)
        return rest->len == 0 || rest->ptr[0] == ' ' ? SECONDS : STEPS;
    for (size_t i = from; i < STEPS; i++)
        if (str_eq(steps[i].name, name))
            return i;
    return STEPS;
}

bool duration_parse_ms(struct str text, uint64_t *ms) {
    uint64_t sum = 0;
    size_t from = 0;
    bool is_any = false;
    for (struct str rest = text; rest.len;) {
        size_t digits = 0;
        uint64_t value;
        if (is_any && rest.ptr[0] == ' ') {
            rest = str_from(rest, 1);
            continue;
        }
        while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
            digits++;
        if (!str_to_u64(str_head(rest, digits), &value))
            return false;
        rest = str_from(rest, digits);
        size_t step = from < STEPS ? step_take(&rest, from) : STEPS;
        if (step == STEPS || step < from || __builtin_mul_overflow(value, steps[step].ms, &value) ||
            __builtin_add_overflow(sum, value, &sum) || sum > INT64_MAX / 1000)
            return false;
        from = step + 1;
        is_any = true;
    }
    *ms = sum;
    return is_any;
}

bool duration_parse_s(struct str text, uint64_t *s) {
    uint64_t ms;
    if (str_find(text, STR("ms")) != STR_NONE || !duration_parse_ms(text, &ms))
        return false;
    *s = ms / 1000;
    return true;
}
