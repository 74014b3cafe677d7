#include "base/map.h"

#include "base/hash.h"

struct map_entry {
    struct str key;
    void *value; /* NULL: the place is free */
    uint64_t hash;
};

void map_init(struct map *map, struct arena *arena, bool is_nocase) {
    *map = (struct map){.arena = arena, .is_nocase = is_nocase};
}

static uint64_t key_hash(const struct map *map, struct str key) {
    return map->is_nocase ? hash_str_nocase(key, 1) : hash_str(key, 1);
}

/* The entry with this key, or the free one where it belongs. The table always has a free place. */
static struct map_entry *place_find(const struct map *map, struct str key, uint64_t hash) {
    for (size_t i = hash & (map->places - 1);; i = (i + 1) & (map->places - 1)) {
        struct map_entry *entry = &map->entries[i];
        if (!entry->value)
            return entry;
        if (entry->hash == hash && (map->is_nocase ? str_eq_nocase(entry->key, key) : str_eq(entry->key, key)))
            return entry;
    }
}

void *map_get(const struct map *map, struct str key) {
    return map->count ? place_find(map, key, key_hash(map, key))->value : NULL;
}

static bool table_grow(struct map *map) {
    struct map_entry *old = map->entries;
    size_t old_places = map->places;
    size_t places = old_places ? old_places * 2 : 8;
    struct map_entry *entries = arena_zero(map->arena, places, sizeof *entries);
    if (!entries)
        return false;
    map->entries = entries;
    map->places = places;
    for (size_t i = 0; i < old_places; i++)
        if (old[i].value)
            *place_find(map, old[i].key, old[i].hash) = old[i];
    return true;
}

bool map_put(struct map *map, struct str key, void *value) {
    if (map->count * 4 >= map->places * 3 && !table_grow(map))
        return false;
    uint64_t hash = key_hash(map, key);
    struct map_entry *entry = place_find(map, key, hash);
    map->count += entry->value == NULL;
    *entry = (struct map_entry){key, value, hash};
    return true;
}

bool map_each(const struct map *map, size_t *at, struct str *key, const void **value) {
    while (*at < map->places) {
        const struct map_entry *entry = &map->entries[(*at)++];
        if (!entry->value)
            continue;
        *key = entry->key;
        *value = entry->value;
        return true;
    }
    return false;
}
