#ifndef MODEL_PRINT_VALUE_MAP_PRINT_H
#define MODEL_PRINT_VALUE_MAP_PRINT_H

#include "base/builder.h"
#include "model/value_map.h"

/* A map, split_clients or geo block. */
void value_map_print(struct builder *out, const struct value_map *map);

#endif
