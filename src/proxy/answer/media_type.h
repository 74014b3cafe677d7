#ifndef PROXY_ANSWER_MEDIA_TYPE_H
#define PROXY_ANSWER_MEDIA_TYPE_H

#include "model/route.h"

/* The type that `types` and default_type give to a path, by its extension in any letter case. */
struct str media_type_find(const struct policy *policy, struct str path);
/* The same for a text of the configuration's. Where no `types` is said, so that they are those built in, this
 * knows nginx's three alone: the many beyond them are for files. */
struct str media_type_of_text(const struct policy *policy, const struct map *built_in, struct str path);

#endif
