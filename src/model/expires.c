#include "model/expires.h"

#include "base/duration.h"

enum { DAY_S = 86400 };

static bool word_take(struct expires *expires, struct str text) {
    static const struct {
        struct str word;
        enum expires_kind kind;
    } words[] = {{{"off", 3}, EXPIRES_OFF}, {{"epoch", 5}, EXPIRES_EPOCH}, {{"max", 3}, EXPIRES_MAX}};
    for (size_t i = 0; !expires->is_of_modified && i < sizeof words / sizeof *words; i++)
        if (str_eq(text, words[i].word)) {
            expires->kind = words[i].kind;
            return true;
        }
    return false;
}

const char *expires_parse(struct expires *expires, struct str text) {
    uint64_t seconds;
    if (word_take(expires, text))
        return NULL;
    bool is_daily = str_starts(text, STR("@")), is_negative = str_starts(text, STR("-"));
    if (is_daily && expires->is_of_modified)
        return "daily time cannot be used with \"modified\" parameter";
    if (is_daily || is_negative || str_starts(text, STR("+")))
        text = str_from(text, 1);
    if (!duration_parse_s(text, &seconds) || seconds > INT32_MAX)
        return "invalid value";
    if (is_daily && seconds > DAY_S)
        return "daily time value must be less than 24 hours";
    expires->kind = is_daily ? EXPIRES_DAILY : expires->is_of_modified ? EXPIRES_MODIFIED : EXPIRES_ACCESS;
    expires->seconds = is_negative ? -(int64_t)seconds : (int64_t)seconds;
    return NULL;
}
