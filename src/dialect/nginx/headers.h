#ifndef DIALECT_NGINX_HEADERS_H
#define DIALECT_NGINX_HEADERS_H

#include "dialect/nginx/scope.h"

/* RFC 9110 5.1: is it a token? */
bool headers_name_is_valid(struct str name);
/* NAME VALUE of a directive that sets a header field, into *rule. What is wrong is said; false then. */
bool headers_rule_read(struct scope *scope, const struct node *node, struct header_rule *rule);
/* A level begins, with a copy of the outer one's policy: drops what it is not to inherit. */
void headers_enter(struct policy *policy);

#endif
