#include "model/value_map.h"

/* Host names: "*.x" and ".x" are kept as ".x", "x.*" as "x."; the longest match of each kind first. */
static const struct template *find_wildcard(const struct value_map *map, struct str value) {
    for (size_t i = 0; i < value.len; i++) {
        const struct template *found =
            value.ptr[i] == '.' && i > 0 ? map_get(&map->exact, str_from(value, i)) : NULL;
        if (found)
            return found;
    }
    for (size_t i = value.len; i-- > 0;) {
        const struct template *found =
            value.ptr[i] == '.' && i + 1 < value.len ? map_get(&map->exact, str_head(value, i + 1)) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

const struct template *value_map_find(const struct value_map *map, struct str value,
                                      struct regex_match *captures) {
    if (map->is_hostnames && value.len && value.ptr[value.len - 1] == '.')
        value.len--;
    const struct template *found = map_get(&map->exact, value);
    if (!found && map->is_hostnames)
        found = find_wildcard(map, value);
    if (found)
        return found;
    for (size_t i = 0; i < map->regexes.count; i++)
        if (regex_matches(map->regexes.items[i].regex, value, captures))
            return &map->regexes.items[i].value;
    return &map->fallback;
}

static struct str key_stored(const struct value_map *map, struct str key) {
    if (!map->is_hostnames)
        return key;
    if (str_starts(key, STR("*.")))
        return str_from(key, 1);
    if (str_ends(key, STR(".*")))
        return str_head(key, key.len - 1);
    return key;
}

bool value_map_has(const struct value_map *map, struct str key) {
    return map_get(&map->exact, key_stored(map, key)) != NULL;
}

bool value_map_put(struct value_map *map, struct str key, struct template *value) {
    if (!map_put(&map->exact, key_stored(map, key), value))
        return false;
    /* ".example.com" is the name itself and all beneath it */
    bool is_both = map->is_hostnames && key.len > 1 && key.ptr[0] == '.';
    return !is_both || map_get(&map->exact, str_from(key, 1)) || map_put(&map->exact, str_from(key, 1), value);
}
