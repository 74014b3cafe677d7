#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/builder.h"

/* Decodes RFC 4648 base64, with or without the padding at its end, into out. False when it is none or does not
 * fit. */
bool base64_decode(struct builder *out, struct str text);

#endif
