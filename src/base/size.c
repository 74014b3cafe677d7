#include "base/size.h"

bool size_parse(struct str text, bool may_be_huge, uint64_t *bytes) {
    unsigned shift = 0;
    char last = text.len ? str_lower_char(text.ptr[text.len - 1]) : '\0';
    if (last == 'k')
        shift = 10;
    else if (last == 'm')
        shift = 20;
    else if (last == 'g' && may_be_huge)
        shift = 30;
    if (shift)
        text.len--;
    uint64_t value;
    if (!str_to_u64(text, &value) || value > (uint64_t)(INT64_MAX >> shift))
        return false;
    *bytes = value << shift;
    return true;
}
