#ifndef DIALECT_NGINX_GUARD_H
#define DIALECT_NGINX_GUARD_H

#include "dialect/nginx/scope.h"

/* What the rows of who may pass share. */

/* The guard of this very level: at its first directive a copy of the outer one's. NULL without memory. */
struct guard *guard_own(struct scope *scope);
/* The outer level's; NULL: it has none. */
const struct guard *guard_outer(const struct scope *scope);

/* Makes a list of this level its own: what it has from the outer level goes, as nginx inherits a list whole or
 * not at all. */
#define GUARD_OWN_LIST(scope, guard, member)                         \
    do {                                                             \
        const struct guard *outer_ = guard_outer(scope);             \
        if (outer_ && outer_->member.items == (guard)->member.items) \
            memset(&(guard)->member, 0, sizeof(guard)->member);      \
    } while (0)

#endif
