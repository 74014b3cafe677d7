#ifndef MODEL_LATE_H
#define MODEL_LATE_H

#include "model/value_map.h"

/* What is late: its value goes on changing while a tunnel lives. */

/* The time, and what is counted? A map's is when what it is looked up by is, or what it gives. */
bool variable_is_late(const struct variable *variable);
/* Is one of its variables late? */
bool template_is_late(const struct template *t);
/* Is what it is looked up by late, or what it gives, going by the is_late of the maps that they name? */
bool value_map_names_late(const struct value_map *map);

#endif
