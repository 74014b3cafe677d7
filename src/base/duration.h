#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/str.h"

/* Lengths of time as people write them: "30", "1h30m", "1d 12h", "500ms": y M w d h m s ms, each once and from
 * great to small; a bare number is seconds. False on anything else, and on overflow. */
bool duration_parse_ms(struct str text, uint64_t *ms);
/* The same without ms, into seconds. */
bool duration_parse_s(struct str text, uint64_t *s);

#endif
