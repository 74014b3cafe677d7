#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"

/* A hash table from strings to pointers that is filled once and then only read, as everything in a
 * configuration is. Keys are views: their bytes and the arena outlive the table. */
struct map_entry;

struct map {
    struct arena *arena;
    struct map_entry *entries; /* open addressing, a power of two of places */
    size_t count, places;
    bool is_nocase;
};

void map_init(struct map *map, struct arena *arena, bool is_nocase);
/* NULL when absent. */
void *map_get(const struct map *map, struct str key);
/* Adds or replaces; value is not NULL. False without memory. */
bool map_put(struct map *map, struct str key, void *value);
/* Walks all entries in no order that means anything: *at begins at 0; false when there are no more. */
bool map_each(const struct map *map, size_t *at, struct str *key, const void **value);

#endif
