#ifndef DIALECT_NGINX_UNIT_H
#define DIALECT_NGINX_UNIT_H

#include "base/str.h"

/* nginx's numbers with units; false on anything it would not take, and on overflow. */

/* "512", "8k", "1m"; with may_be_huge also "2g". Into bytes. */
bool unit_size(struct str text, bool may_be_huge, uint64_t *bytes);
/* "30", "1h30m", "1d 12h", "500ms": y M w d h m s ms, each once and from great to small; a bare number is
 * seconds. */
bool unit_time_ms(struct str text, uint64_t *ms);
/* The same without ms, into seconds. */
bool unit_time_s(struct str text, uint64_t *s);

#endif
