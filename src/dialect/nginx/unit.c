#include "dialect/nginx/unit.h"

#include "base/duration.h"
#include "base/size.h"

bool unit_size(struct str text, bool may_be_huge, uint64_t *bytes) {
    return size_parse(text, may_be_huge, bytes);
}

bool unit_time_ms(struct str text, uint64_t *ms) {
    return duration_parse_ms(text, ms);
}

bool unit_time_s(struct str text, uint64_t *s) {
    return duration_parse_s(text, s);
}
