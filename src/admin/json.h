#ifndef ADMIN_JSON_H
#define ADMIN_JSON_H

#include "base/builder.h"

/* The inside of a JSON string (RFC 8259 7): quotes, backslashes and controls escaped; bytes that are no UTF-8
 * become U+FFFD. */
void json_build(struct builder *out, struct str text);

#endif
