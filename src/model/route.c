#include "model/route.h"

/* The number of prefixes that are not greater than `path`. */
static size_t prefix_rank(const struct route_table *table, struct str path) {
    size_t low = 0, high = table->prefix_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(table->prefixes[middle]->pattern, path) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Every prefix of the path that is in the table begins the greatest one not above it, or is it. */
static const struct route *prefix_find(const struct route_table *table, struct str path) {
    size_t rank = prefix_rank(table, path);
    const struct route *route = rank ? table->prefixes[rank - 1] : NULL;
    while (route && !str_starts(path, route->pattern))
        route = route->shorter;
    return route;
}

/* is_settled: an exact route or a regex has decided, and outer regexes are not asked any more. */
static const struct route *table_find(const struct route_table *table, struct str path,
                                      struct regex_match *captures, bool *is_settled) {
    const struct route *found = map_get(&table->exact, path);
    if (found) {
        *is_settled = true;
        return found;
    }
    found = prefix_find(table, path);
    bool is_final = found && found->match == ROUTE_PREFIX_FINAL;
    if (found) {
        const struct route *inner = table_find(&found->children, path, captures, is_settled);
        if (inner)
            found = inner;
        if (*is_settled)
            return found;
    }
    for (size_t i = 0; !is_final && i < table->regexes.count; i++) {
        const struct route *route = table->regexes.items[i];
        if (!regex_matches(route->regex, path, captures))
            continue;
        const struct route *inner = table_find(&route->children, path, captures, is_settled);
        *is_settled = true;
        return inner ? inner : route;
    }
    return found;
}

const struct route *route_find(const struct route_table *table, const struct route *fallback, struct str path,
                               struct regex_match *captures) {
    bool is_settled = false;
    const struct route *route = table_find(table, path, captures, &is_settled);
    return route ? route : fallback;
}

static enum route_added add_exact(struct route_table *table, struct route *route, struct arena *arena) {
    if (!table->exact.arena)
        map_init(&table->exact, arena, false);
    if (map_get(&table->exact, route->pattern))
        return ROUTE_IS_DUPLICATE;
    return map_put(&table->exact, route->pattern, route) ? ROUTE_ADDED : ROUTE_NO_MEMORY;
}

/* The new one at `rank` is linked to what it begins with, and what begins with it and comes right behind it to
 * it. */
static void prefix_link(struct route_table *table, size_t rank) {
    struct route *route = table->prefixes[rank], *shorter = rank ? table->prefixes[rank - 1] : NULL;
    while (shorter && !str_starts(route->pattern, shorter->pattern))
        shorter = shorter->shorter;
    route->shorter = shorter;
    for (size_t i = rank + 1; i < table->prefix_count; i++) {
        struct route *longer = table->prefixes[i];
        if (!str_starts(longer->pattern, route->pattern))
            break;
        if (longer->shorter == shorter)
            longer->shorter = route;
    }
}

const struct route *route_table_prefix(const struct route_table *table, struct str pattern) {
    size_t rank = prefix_rank(table, pattern);
    const struct route *route = rank ? table->prefixes[rank - 1] : NULL;
    return route && str_eq(route->pattern, pattern) ? route : NULL;
}

static enum route_added add_prefix(struct route_table *table, struct route *route, struct arena *arena) {
    size_t count = table->prefix_count, rank = prefix_rank(table, route->pattern);
    if (rank && str_eq(table->prefixes[rank - 1]->pattern, route->pattern))
        return ROUTE_IS_DUPLICATE;
    if ((count & (count - 1)) == 0) { /* full: the room is the next power of two */
        struct route **wider = arena_zero(arena, count ? count * 2 : 1, sizeof(struct route *));
        if (!wider)
            return ROUTE_NO_MEMORY;
        for (size_t i = 0; i < count; i++)
            wider[i] = table->prefixes[i];
        table->prefixes = wider;
    }
    memmove(table->prefixes + rank + 1, table->prefixes + rank, (count - rank) * sizeof *table->prefixes);
    table->prefixes[rank] = route;
    table->prefix_count++;
    prefix_link(table, rank);
    return ROUTE_ADDED;
}

enum route_added route_table_add(struct route_table *table, struct route *route, struct arena *arena) {
    if (route->match == ROUTE_EXACT)
        return add_exact(table, route, arena);
    if (route->match != ROUTE_REGEX)
        return add_prefix(table, route, arena);
    struct route **slot = VEC_ADD(&table->regexes, arena);
    if (!slot)
        return ROUTE_NO_MEMORY;
    *slot = route;
    return ROUTE_ADDED;
}
