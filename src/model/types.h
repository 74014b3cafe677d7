#ifndef MODEL_TYPES_H
#define MODEL_TYPES_H

#include "base/map.h"

/* The types of files when a configuration gives none: the usual ones of the web. Extension in lower case ->
 * struct str *. In the arena; NULL without memory. */
struct map *types_built_in(struct arena *arena);

#endif
