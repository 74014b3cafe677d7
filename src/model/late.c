#include "model/late.h"

static const enum variable_id late[] = {
    VARIABLE_BODY_BYTES_SENT,
    VARIABLE_BYTES_RECEIVED,
    VARIABLE_BYTES_SENT,
    VARIABLE_CONNECTIONS_ACTIVE,
    VARIABLE_CONNECTIONS_READING,
    VARIABLE_CONNECTIONS_WAITING,
    VARIABLE_CONNECTIONS_WRITING,
    VARIABLE_CONNECTION_TIME,
    VARIABLE_MSEC,
    VARIABLE_REQUEST_COMPLETION,
    VARIABLE_REQUEST_TIME,
    VARIABLE_SESSION_TIME,
    VARIABLE_TIME_ISO8601,
    VARIABLE_TIME_LOCAL,
    VARIABLE_UPSTREAM_BYTES_RECEIVED,
    VARIABLE_UPSTREAM_BYTES_SENT,
    VARIABLE_UPSTREAM_FIRST_BYTE_TIME,
    VARIABLE_UPSTREAM_RESPONSE_TIME,
    VARIABLE_UPSTREAM_SESSION_TIME,
};

bool variable_is_late(const struct variable *variable) {
    if (variable->id == VARIABLE_MAP)
        return variable->map->is_late;
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        if (late[i] == variable->id)
            return true;
    return false;
}

bool template_is_late(const struct template *t) {
    for (size_t i = 0; i < t->count; i++)
        if (variable_is_late(&t->parts[i].variable))
            return true;
    return false;
}

bool value_map_names_late(const struct value_map *map) {
    bool is = template_is_late(&map->source) || template_is_late(&map->fallback);
    for (size_t i = 0; !is && i < map->regexes.count; i++)
        is = template_is_late(&map->regexes.items[i].value);
    for (size_t i = 0; !is && i < map->shares.count; i++)
        is = template_is_late(&map->shares.items[i].value);
    for (size_t i = 0; !is && i < map->ranges.count; i++)
        is = template_is_late(&map->ranges.items[i].value);
    struct str key;
    const void *value;
    for (size_t at = 0; !is && map_each(&map->exact, &at, &key, &value);)
        is = template_is_late(value);
    return is;
}
