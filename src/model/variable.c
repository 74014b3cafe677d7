#include "model/variable.h"

struct known {
    struct str name;
    enum variable_id id;
};

static const struct known whole[] = {
#define VARIABLE(id, name) {{"" name, sizeof(name) - 1}, VARIABLE_##id},
#define PREFIX(id, name)
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

static const struct known prefixes[] = {
#define VARIABLE(id, name)
#define PREFIX(id, name) {{"" name, sizeof(name) - 1}, VARIABLE_##id},
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

static const struct str names[] = {
#define VARIABLE(id, name) {"" name, sizeof(name) - 1},
#define PREFIX(id, name) {"" name, sizeof(name) - 1},
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
};

struct variable variable_find(struct str name) {
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_eq(whole[i].name, name))
            return (struct variable){.id = whole[i].id, .name = whole[i].name};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(name, prefixes[i].name) && name.len > prefixes[i].name.len)
            return (struct variable){.id = prefixes[i].id, .name = str_from(name, prefixes[i].name.len)};
    return (struct variable){.id = VARIABLE_NONE};
}

const struct str *variable_names(size_t *count) {
    *count = sizeof names / sizeof *names;
    return names;
}
