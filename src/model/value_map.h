#ifndef MODEL_VALUE_MAP_H
#define MODEL_VALUE_MAP_H

#include "base/map.h"
#include "base/vec.h"
#include "model/diagnostic.h"
#include "model/regex.h"
#include "model/template.h"

/* A map block: a variable whose value is looked up by the value of a template. */
struct value_map_regex {
    struct regex *regex;
    struct template value;
};

struct value_map {
    struct place place;
    struct str name; /* without '$' */
    struct template source;
    struct map exact; /* key (without case, as nginx compares) -> struct template *; with is_hostnames "*.x" is
                         kept as ".x", "x.*" as "x." */
    VEC(struct value_map_regex) regexes;
    struct template fallback; /* default */
    bool is_hostnames;
};

/* The template for a source value: exact, then (hostnames) ".suffix" and wildcards, then regexes in order, then
 * default. Fills captures (may be NULL) when a regex matched. */
const struct template *value_map_find(const struct value_map *map, struct str value,
                                      struct regex_match *captures);

/* For those who build one: set is_hostnames and init `exact` (nocase) first. Adds a key that is no regular
 * expression; key and value outlive the map. False without memory. */
bool value_map_put(struct value_map *map, struct str key, struct template *value);
/* Is there such a key already? */
bool value_map_has(const struct value_map *map, struct str key);

#endif
