#ifndef PROXY_HEAD_REPLACE_H
#define PROXY_HEAD_REPLACE_H

#include "proxy/exchange.h"

/* A replacement of proxy_redirect or proxy_cookie_*, done. Each writes the whole new value and gives true, or
 * writes nothing and gives false when the rule does not fit. The value outlives the exchange. */

/* The rule's text begins the value from `at` on, and is replaced; a regular expression that matches there
 * replaces all behind `at`. */
bool replace_prefix_build(struct exchange *x, struct builder *out, const struct replacement *rule,
                          struct str value, size_t at);
/* The same for a text that must be all of the value, in any letter case, a leading dot aside. */
bool replace_domain_build(struct exchange *x, struct builder *out, const struct replacement *rule,
                          struct str value);
/* The text of a template that is short: in `memory`, or where it stands. */
struct str replace_eval(struct exchange *x, const struct template *template, char *memory, size_t room);

#endif
