#ifndef DIALECT_NGINX_REFUSAL_H
#define DIALECT_NGINX_REFUSAL_H

#include "base/str.h"

/* What to use instead of a directive of nginx's that is not supported, by its name or family; NULL: the name is
 * of none that is known. An empty text: there is nothing to say. */
const char *refusal_hint(struct str name);

#endif
