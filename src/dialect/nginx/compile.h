#ifndef DIALECT_NGINX_COMPILE_H
#define DIALECT_NGINX_COMPILE_H

#include "dialect/nginx/scope.h"

/* A text with variables ($name, ${name}, $1) compiled; maps and slots by their names. What is wrong is said;
 * false then. */
bool compile_template(struct scope *scope, const struct word *at, struct str text, struct template *out);
/* The same, but a variable that nginx knows and hawser does not yet becomes "-" with a warning: for log lines.
 */
bool compile_log_template(struct scope *scope, const struct word *at, struct str text, struct template *out);
/* Does the text name a variable? */
bool compile_has_variable(struct str text);
/* A regular expression compiled, its named groups bound to their slots, and freed with the model; NULL is said.
 */
struct regex *compile_regex(struct reader *reader, const struct word *at, struct str pattern, bool is_nocase);

#endif
