#ifndef PROXY_HEAD_RESPONSE_FIELD_H
#define PROXY_HEAD_RESPONSE_FIELD_H

#include "proxy/head/field.h"

/* Fields of a server's answer as the client gets them: hidden, passed or rewritten. */

/* May the client see a field of this name? By nginx's own list, proxy_hide_header and proxy_pass_header. */
bool response_field_passes(const struct exchange *x, unsigned id, struct str name);
/* The line, with what proxy_redirect (Location, Refresh) and proxy_cookie_* (Set-Cookie) make of its value. */
void response_field_build(struct exchange *x, struct field_run *run, const struct h1_field *field);

#endif
