#include "model/site.h"

const struct site *listen_find_site(const struct listen *listen, struct str host,
                                    struct regex_match *captures) {
    const struct site *site = map_get(&listen->exact, host);
    for (size_t i = 1; !site && listen->suffixes.count && i < host.len; i++)
        if (host.ptr[i] == '.')
            site = map_get(&listen->suffixes, str_from(host, i));
    for (size_t i = host.len; !site && listen->prefixes.count && i-- > 1;)
        if (host.ptr[i] == '.' && i + 1 < host.len)
            site = map_get(&listen->prefixes, str_head(host, i + 1));
    for (size_t i = 0; !site && host.len && i < listen->regexes.count; i++)
        if (regex_matches(listen->regexes.items[i].regex, host, captures))
            site = listen->regexes.items[i].site;
    return site ? site : listen->default_site;
}

static enum site_name_added put_once(struct map *map, struct str key, struct site *site, struct arena *arena) {
    if (!map->arena)
        map_init(map, arena, true);
    const struct site *holder = map_get(map, key);
    if (holder)
        return holder == site ? SITE_NAME_ADDED : SITE_NAME_TAKEN;
    return map_put(map, key, site) ? SITE_NAME_ADDED : SITE_NAME_NO_MEMORY;
}

struct str site_name(const struct site *site) {
    struct str name = site->names.count ? site->names.items[0] : STR("");
    return str_starts(name, STR(".")) ? str_from(name, 1) : name;
}

enum site_name_added listen_add_name(struct listen *listen, struct site *site, struct str name,
                                     struct regex *regex, struct arena *arena) {
    if (regex) {
        struct site_name_regex *slot = VEC_ADD(&listen->regexes, arena);
        if (!slot)
            return SITE_NAME_NO_MEMORY;
        *slot = (struct site_name_regex){regex, site};
        return SITE_NAME_ADDED;
    }
    if (str_starts(name, STR("*.")))
        return put_once(&listen->suffixes, str_from(name, 1), site, arena);
    if (str_ends(name, STR(".*")))
        return put_once(&listen->prefixes, str_head(name, name.len - 1), site, arena);
    if (name.len > 1 && name.ptr[0] == '.') { /* the name itself and all beneath it */
        enum site_name_added added = put_once(&listen->suffixes, name, site, arena);
        if (added != SITE_NAME_ADDED)
            return added;
        name = str_from(name, 1);
    }
    return put_once(&listen->exact, name, site, arena);
}
