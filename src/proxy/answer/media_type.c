#include "proxy/answer/media_type.h"

enum { TYPE_MAX_BYTES = 32 };

struct str media_type_find(const struct policy *policy, struct str path) {
    size_t dot = path.len;
    while (dot && path.ptr[dot - 1] != '.' && path.ptr[dot - 1] != '/')
        dot--;
    if (dot == 0 || path.ptr[dot - 1] != '.' || path.len - dot > TYPE_MAX_BYTES || !policy->types)
        return policy->default_type;
    char lower[TYPE_MAX_BYTES];
    for (size_t i = dot; i < path.len; i++)
        lower[i - dot] = str_lower_char(path.ptr[i]);
    const struct str *type = map_get(policy->types, str_make(lower, path.len - dot));
    return type ? *type : policy->default_type;
}

struct str media_type_of_text(const struct policy *policy, const struct map *built_in, struct str path) {
    static const struct {
        struct str end, type;
    } known[] = {
        {{".html", 5}, {"text/html", 9}}, {{".gif", 4}, {"image/gif", 9}}, {{".jpg", 4}, {"image/jpeg", 10}}};
    if (policy->types != built_in)
        return media_type_find(policy, path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_ends(path, known[i].end))
            return known[i].type;
    return policy->default_type;
}
