#ifndef ADMIN_TEXT_H
#define ADMIN_TEXT_H

#include "base/builder.h"

/* Names that come from outside, as the forms want them. Bytes that are no UTF-8 become U+FFFD, but in CSV. */

/* The inside of a JSON string (RFC 8259 7): quotes, backslashes and controls escaped. */
void text_build_json(struct builder *out, struct str text);
/* The inside of a label's value in Prometheus' format: quotes, backslashes and line feeds escaped. */
void text_build_label(struct builder *out, struct str text);
/* For an HTML element: '&', '<', '>' and quotes escaped. */
void text_build_html(struct builder *out, struct str text);
/* A field of CSV (RFC 4180 2): in quotes if it has to be. */
void text_build_csv(struct builder *out, struct str text);

#endif
