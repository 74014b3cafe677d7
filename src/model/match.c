#include "model/match.h"

bool match_takes_status(const struct match *match, unsigned status) {
    bool is_listed = match->statuses.count == 0;
    for (size_t i = 0; i < match->statuses.count && !is_listed; i++)
        is_listed = match->statuses.items[i].from <= status && status <= match->statuses.items[i].to;
    return is_listed != match->is_status_negated;
}

bool match_field_holds(const struct match_field *field, struct str value) {
    bool is_there = value.ptr != NULL;
    switch (field->test) {
    case FIELD_PRESENT:
        return is_there;
    case FIELD_ABSENT:
        return !is_there;
    case FIELD_EQUAL:
        return is_there && str_eq(value, field->text);
    case FIELD_UNEQUAL:
        return !is_there || !str_eq(value, field->text);
    case FIELD_LIKE:
        return is_there && regex_matches(field->regex, value, NULL);
    case FIELD_UNLIKE:
        return !is_there || !regex_matches(field->regex, value, NULL);
    }
    return false;
}
