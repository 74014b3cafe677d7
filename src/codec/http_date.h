#ifndef CODEC_HTTP_DATE_H
#define CODEC_HTTP_DATE_H

#include "base/builder.h"

enum { HTTP_DATE_LEN = 29 };

/* "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 5.6.7. */
void http_date_build(struct builder *out, uint64_t seconds);
/* All three formats of 5.6.7; false for anything else. */
bool http_date_parse(struct str text, uint64_t *seconds);

#endif
