#ifndef DIALECT_NGINX_MAP_H
#define DIALECT_NGINX_MAP_H

#include "dialect/nginx/reader.h"

/* Makes the variables of all map blocks of this level known, so that templates may name them before the block
 * stands. */
void map_declare(struct scope *scope);

#endif
