#ifndef MODEL_VARIABLE_H
#define MODEL_VARIABLE_H

#include "base/str.h"

/* The variables a template may name. What they mean at run time is proxy/variables.c's. */
enum variable_id {
    VARIABLE_NONE,
#define VARIABLE(id, name) VARIABLE_##id,
#define PREFIX(id, name) VARIABLE_##id,
#include "model/variable.def"
#undef VARIABLE
#undef PREFIX
    VARIABLE_MAP,     /* of a map block: variable.map */
    VARIABLE_CAPTURE, /* $1 to $9: a group of the regular expression that matched last: variable.index */
    VARIABLE_SLOT,    /* of `set`, or a named group: variable.index among model->slots */
    VARIABLE_IDS
};

struct value_map;

struct variable {
    enum variable_id id;
    unsigned index; /* CAPTURE: number of the group; SLOT: of the slot */
    struct str
        name; /* what stands behind a prefix, '_' kept, lower case ("x_forwarded_for"); else the whole name */
    struct value_map *map; /* MAP */
};

/* Finds a built-in variable by its name without '$'. VARIABLE_NONE in ->id when there is none. */
struct variable variable_find(struct str name);
/* Is it one of stream's, or of http's? Most are of one of them only. */
bool variable_is_of(const struct variable *variable, bool is_stream);
/* May a configuration make a variable of this name (lower case)? Not when it is built in; but those of a prefix
 * may be, apart from the few that nginx gives a name of their own. */
bool variable_is_free(struct str name);
/* The names of all built-in ones (prefixes with their '_'), for suggestions. */
const struct str *variable_names(size_t *count);

#endif
