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

/* An address alone; IPv4 within IPv6 is IPv4. */
static bool address_parse(struct str text, struct cidr *address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (str_find_char(text, '/') != STR_NONE || cidr_parse(text, address) == CIDR_BAD ||
        address->family == CIDR_UNIX)
        return false;
    if (address->family == CIDR_V6 && memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memmove(address->bytes, address->bytes + 12, 4);
        memset(address->bytes + 4, 0, 12);
        address->family = CIDR_V4;
        address->bits = 32;
    }
    return true;
}

/* The number of ranges that begin at or below `address`. */
static size_t range_rank(const struct value_map *map, uint32_t address) {
    size_t low = 0, high = map->ranges.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->ranges.items[middle].from <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct template *find_range(const struct value_map *map, const struct cidr *address) {
    const uint8_t *bytes = address->bytes;
    uint32_t number =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
    size_t rank = address->family == CIDR_V4 ? range_rank(map, number) : 0;
    return rank && number <= map->ranges.items[rank - 1].to ? &map->ranges.items[rank - 1].value : NULL;
}

/* The narrowest network that the address is in. */
static const struct template *find_network(const struct value_map *map, struct str address) {
    struct cidr network;
    if (!address_parse(address, &network))
        return NULL;
    if (map->ranges.count)
        return find_range(map, &network);
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

/* Makes room for `count` ranges at `at`. */
static bool ranges_open(struct value_map *map, size_t at, size_t count, struct arena *arena) {
    for (size_t i = 0; i < count; i++)
        if (!VEC_ADD(&map->ranges, arena))
            return false;
    for (size_t i = map->ranges.count; i-- > at + count;)
        map->ranges.items[i] = map->ranges.items[i - count];
    return true;
}

/* A range within the one at `at`: what is left of that stands before and behind. */
static bool range_split(struct value_map *map, size_t at, const struct value_map_range *range,
                        struct arena *arena) {
    struct value_map_range outer = map->ranges.items[at], after = outer;
    bool has_before = outer.from < range->from, has_after = range->to < outer.to;
    if (!ranges_open(map, at, (size_t)has_before + has_after, arena))
        return false;
    if (has_before) {
        outer.to = range->from - 1;
        map->ranges.items[at++] = outer;
    }
    map->ranges.items[at++] = *range;
    if (has_after) {
        after.from = range->to + 1;
        map->ranges.items[at] = after;
    }
    return true;
}

enum value_map_range_put value_map_put_range(struct value_map *map, const struct value_map_range *range,
                                             struct arena *arena) {
    size_t rank = range_rank(map, range->from);
    struct value_map_range *before = rank ? &map->ranges.items[rank - 1] : NULL;
    if (before && range->from <= before->to) {
        if (range->to > before->to)
            return VALUE_MAP_RANGE_OVERLAPS;
        bool is_same = range->from == before->from && range->to == before->to;
        if (!range_split(map, rank - 1, range, arena))
            return VALUE_MAP_RANGE_NO_MEMORY;
        return is_same ? VALUE_MAP_RANGE_REPLACED : VALUE_MAP_RANGE_ADDED;
    }
    if (rank < map->ranges.count && map->ranges.items[rank].from <= range->to)
        return VALUE_MAP_RANGE_OVERLAPS;
    if (!ranges_open(map, rank, 1, arena))
        return VALUE_MAP_RANGE_NO_MEMORY;
    map->ranges.items[rank] = *range;
    return VALUE_MAP_RANGE_ADDED;
}

bool value_map_drop_range(struct value_map *map, uint32_t from, uint32_t to) {
    size_t rank = range_rank(map, from);
    if (!rank || map->ranges.items[rank - 1].from != from || map->ranges.items[rank - 1].to != to)
        return false;
    map->ranges.count--;
    for (size_t i = rank - 1; i < map->ranges.count; i++)
        map->ranges.items[i] = map->ranges.items[i + 1];
    return true;
}

bool value_map_trusts(const struct value_map *map, struct str address) {
    struct cidr parsed;
    if (!address_parse(address, &parsed))
        return false;
    struct str bytes = str_make((const char *)parsed.bytes, parsed.family == CIDR_V4 ? 4 : 16);
    for (size_t i = 0; i < map->proxies.count; i++)
        if (cidr_has(&map->proxies.items[i], bytes, false))
            return true;
    return false;
}
