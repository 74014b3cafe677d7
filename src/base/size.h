#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include "base/str.h"

/* Sizes in bytes as people write them: "512", "8k", "1m"; with may_be_huge also "2g". False on anything else,
 * and on overflow. */
bool size_parse(struct str text, bool may_be_huge, uint64_t *bytes);

#endif
