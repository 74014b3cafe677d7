#ifndef PROXY_VARIABLE_VARIABLES_H
#define PROXY_VARIABLE_VARIABLES_H

#include "proxy/exchange.h"

/* What the variables of a template mean for an exchange, as nginx documents them. Unknown values are empty. */
void variable_eval(struct exchange *x, const struct variable *variable, struct builder *out);
void template_eval(struct exchange *x, const struct template *template, struct builder *out);
/* The value as text in the exchange's arena; at most 64 KiB; ptr NULL without memory. */
struct str template_eval_copy(struct exchange *x, const struct template *template);

/* Groups of them, for variable_eval: true when the variable is one of theirs. */
bool variable_eval_connection(struct exchange *x, const struct variable *variable, struct builder *out);
bool variable_eval_sent(struct exchange *x, const struct variable *variable, struct builder *out);
/* "name", lower case with '_' for '-', as it stands in a variable, against a field's name. */
bool variable_names_field(struct str name, struct str field);
/* $cookie_NAME: of the first cookie of that name in any letter case. */
void variable_build_cookie(const struct h1_head *head, struct str name, struct builder *out);
/* geo's `proxy`: the address that X-Forwarded-For names for one that is a proxy; else the same. */
struct str variable_forwarded(struct exchange *x, const struct value_map *map, struct str address);

#endif
