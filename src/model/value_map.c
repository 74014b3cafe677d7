#include "model/value_map.h"

#include "base/hash.h"

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

static struct str network_key(const struct cidr *network) {
    return str_make((const char *)network, sizeof *network);
}

/* The narrowest network that the address is in. */
static const struct template *find_network(const struct value_map *map, struct str address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* IPv4 within IPv6 */
    struct cidr network;
    if (str_find_char(address, '/') != STR_NONE || cidr_parse(address, &network) == CIDR_BAD ||
        network.family == CIDR_UNIX)
        return NULL;
    if (network.family == CIDR_V6 && memcmp(network.bytes, mapped, sizeof mapped) == 0) {
        memmove(network.bytes, network.bytes + 12, 4);
        memset(network.bytes + 4, 0, 12);
        network.family = CIDR_V4;
    }
    bool is_v6 = network.family == CIDR_V6;
    for (unsigned bits = is_v6 ? 129 : 33; bits-- > 0;) {
        if (bits < (is_v6 ? 128u : 32u))
            network.bytes[bits / 8] &= (uint8_t) ~(0x80 >> bits % 8);
        network.bits = (uint8_t)bits;
        const struct template *found =
            map->has_bits[is_v6][bits] ? map_get(&map->exact, network_key(&network)) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static const struct template *find_share(const struct value_map *map, struct str value) {
    uint32_t hash = hash_murmur2(value);
    for (size_t i = 0; i < map->shares.count; i++)
        if (hash < map->shares.items[i].end || map->shares.items[i].end == 0)
            return &map->shares.items[i].value;
    return &map->fallback;
}

const struct template *value_map_find(const struct value_map *map, struct str value,
                                      struct regex_match *captures) {
    if (map->kind == VALUE_MAP_SHARES)
        return find_share(map, value);
    if (map->kind == VALUE_MAP_NETWORKS) {
        const struct template *of_network = find_network(map, value);
        return of_network ? of_network : &map->fallback;
    }
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

bool value_map_put_network(struct value_map *map, const struct cidr *network, struct template *value,
                           struct arena *arena) {
    struct cidr *key = arena_alloc(arena, sizeof *key);
    if (!key)
        return false;
    *key = *network;
    map->has_bits[network->family == CIDR_V6][network->bits] = true;
    return map_put(&map->exact, network_key(key), value);
}
