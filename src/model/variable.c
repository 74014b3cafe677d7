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

bool variable_is_free(struct str name) {
    static const struct known own[] = {
#define OWN(name) {{"" name, sizeof(name) - 1}, VARIABLE_NONE},
        OWN("http_host") OWN("http_user_agent") OWN("http_referer") OWN("http_via") OWN("http_x_forwarded_for")
            OWN("http_cookie") OWN("sent_http_content_type") OWN("sent_http_content_length")
                OWN("sent_http_location") OWN("sent_http_last_modified") OWN("sent_http_connection")
                    OWN("sent_http_keep_alive") OWN("sent_http_transfer_encoding")
                        OWN("sent_http_cache_control") OWN("sent_http_link")
#undef OWN
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_eq(own[i].name, name))
            return false;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_eq(whole[i].name, name))
            return false;
    return true;
}

const struct str *variable_names(size_t *count) {
    *count = sizeof names / sizeof *names;
    return names;
}
