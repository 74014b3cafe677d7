#ifndef PROXY_ANSWER_MEDIA_TYPE_H
#define PROXY_ANSWER_MEDIA_TYPE_H

#include "proxy/exchange.h"

/* The type that `types` and default_type of the route give to a path, by its extension in any letter case. */
struct str media_type_find(const struct exchange *x, struct str path);
/* The same for a text of the configuration's. Where no `types` is said this knows nginx's three alone: the many
 * that are built in beyond them are for files. */
struct str media_type_of_text(const struct exchange *x, struct str path);

#endif
