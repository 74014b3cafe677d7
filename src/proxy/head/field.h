#ifndef PROXY_HEAD_FIELD_H
#define PROXY_HEAD_FIELD_H

#include "proxy/exchange.h"

/* Header lines, for heads in either direction. */

/* "Name: value" and CRLF. */
void field_build(struct builder *out, struct str name, struct str value);
/* The same with the value of proxy_set_header's or add_header's template; nothing at all when that is empty. */
void field_build_rule(struct exchange *x, struct builder *out, const struct header_rule *rule);
/* Controls from `at` on become blanks, RFC 9110 5.5: a variable may hold anything, and end the line. */
void field_blank(struct builder *out, size_t at);

/* Lines of a head that pass as they are and stand one behind the other there: they are copied together. */
struct field_run {
    const struct h1_head *head;
    struct builder *out;
    uint32_t at, end; /* those that are not copied yet */
};

/* As field_build, in its turn. */
void field_run_add(struct field_run *run, const struct h1_field *field);
/* Copies what is left; before something else is written. */
void field_run_end(struct field_run *run);

#endif
