#ifndef DIALECT_NGINX_SLOT_H
#define DIALECT_NGINX_SLOT_H

#include "dialect/nginx/scope.h"

/* Slots: the variables a configuration makes itself, by `set`, `auth_request_set` and named groups of regular
 * expressions. Each request has a value a slot. They may be named before the line that gives them, so all are
 * gathered before anything is compiled. */

/* Gathers those of the block and of all blocks in it. */
void slot_declare(struct scope *scope);
/* Is there a slot of this name (lower case)? Its number in *slot. */
bool slot_find(const struct reader *reader, struct str name, unsigned *slot);
/* The number of the slot `name`, made when there is none; false without memory. */
bool slot_make(struct reader *reader, struct str name, unsigned *slot);
/* What `set` and its like are told to set: a slot, or in http $args or $limit_rate. False when it cannot be
 * set, which is said. */
bool slot_target(struct scope *scope, const struct word *at, struct variable *target);

#endif
