#ifndef MODEL_VALUE_MAP_H
#define MODEL_VALUE_MAP_H

#include "base/map.h"
#include "base/vec.h"
#include "model/cidr.h"
#include "model/diagnostic.h"
#include "model/regex.h"
#include "model/template.h"

/* A map, split_clients or geo block: a variable whose value is looked up by the value of a template. */
enum value_map_kind { VALUE_MAP_KEYS, VALUE_MAP_SHARES, VALUE_MAP_NETWORKS };

/* split_clients: what hashes below `end`; 0: whatever is left. */
struct value_map_share {
    uint32_t end;
    struct template value;
};

struct value_map_regex {
    struct regex *regex;
    struct template value;
};

/* geo with `ranges`: IPv4 addresses as numbers, both ends within. */
struct value_map_range {
    uint32_t from, to;
    struct template value;
};

struct value_map {
    struct place place;
    struct str name; /* without '$' */
    enum value_map_kind kind;
    unsigned slot; /* keeps the value for the rest of the request, or what `set` gives the variable instead */
    bool is_volatile; /* it is looked up anew each time */
    bool is_late; /* as variable_is_late says; the dialect asks value_map_names_late when all maps are read */
    struct template source;
    struct map exact; /* key (without case, as nginx compares) -> struct template *; with is_hostnames "*.x" is
                         kept as ".x", "x.*" as "x." */
    VEC(struct value_map_regex) regexes;
    struct template fallback; /* default */
    bool is_hostnames;
    VEC(struct value_map_share) shares; /* of SHARES */
    VEC(struct value_map_range) ranges; /* of NETWORKS too: in order, none in another */
    VEC(struct cidr) proxies;           /* of NETWORKS: who names the address in X-Forwarded-For instead */
    bool is_proxy_recursive;            /* there the last that is none of them counts */
    bool has_bits[2][129]; /* of NETWORKS: are there any of so many bits, of IPv4 and IPv6? They are in `exact`,
                              by their struct cidr */
};

/* The template for a source value: exact, then (hostnames) ".suffix" and wildcards, then regexes in order, then
 * default. Fills captures (may be NULL) when a regex matched. */
const struct template *value_map_find(const struct value_map *map, struct str value,
                                      struct regex_match *captures);

/* For those who build one: set is_hostnames and init `exact` (nocase) first. Adds a key that is no regular
 * expression; key and value outlive the map. False without memory. */
bool value_map_put(struct value_map *map, struct str key, struct template *value);
/* Adds a network, in place of the same one; value outlives the map. False without memory. */
bool value_map_put_network(struct value_map *map, const struct cidr *network, struct template *value,
                           struct arena *arena);
/* Adds a range; one within another takes its place there. A range that is partly in another is not added. */
enum value_map_range_put {
    VALUE_MAP_RANGE_ADDED,
    VALUE_MAP_RANGE_REPLACED, /* the same range had a value */
    VALUE_MAP_RANGE_OVERLAPS,
    VALUE_MAP_RANGE_NO_MEMORY
};
enum value_map_range_put value_map_put_range(struct value_map *map, const struct value_map_range *range,
                                             struct arena *arena);
/* Takes exactly this range out; false when there is none. */
bool value_map_drop_range(struct value_map *map, uint32_t from, uint32_t to);
/* Is the address, a text, one of the proxies? False when it is no address. */
bool value_map_trusts(const struct value_map *map, struct str address);
/* Is there such a key already? */
bool value_map_has(const struct value_map *map, struct str key);

#endif
