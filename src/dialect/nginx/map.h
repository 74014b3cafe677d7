#ifndef DIALECT_NGINX_MAP_H
#define DIALECT_NGINX_MAP_H

#include "dialect/nginx/scope.h"

/* Declares the variables of all map, split_clients and geo blocks of the http level, so that they may name each
 * other and be named above where they stand. */
void map_declare(struct scope *scope);
/* The map that was declared for the block, empty; NULL when something is wrong, which is said. */
struct value_map *map_begin(struct scope *scope, const struct node *node, enum value_map_kind kind);

/* Rows' handlers. */
void split_read(struct scope *scope, const struct node *node, const struct directive *row);
void geo_read(struct scope *scope, const struct node *node, const struct directive *row);

#endif
