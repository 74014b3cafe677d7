#ifndef PROXY_VARIABLES_H
#define PROXY_VARIABLES_H

#include "proxy/exchange.h"

/* What the variables of a template mean for an exchange, as nginx documents them. Unknown values are empty. */
void variable_eval(struct exchange *x, const struct variable *variable, struct builder *out);
void template_eval(struct exchange *x, const struct template *template, struct builder *out);
/* The value as text in the exchange's arena; at most 64 KiB; ptr NULL without memory. */
struct str template_eval_copy(struct exchange *x, const struct template *template);

/* Before the client's connection becomes a tunnel that is to be logged: keeps what its log lines will say of
 * TLS. False without memory. */
bool variables_keep(struct exchange *x);

#endif
