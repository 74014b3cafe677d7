#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/str.h"

enum { GZIP_LEVEL_FAST = 1, GZIP_LEVEL_BEST = 9 };

/* `bytes` as a gzip member of its own (RFC 1952), which may stand behind others in a file; level 1 to 9. NULL
 * without memory, else *len bytes that the caller gives to mem_free. */
char *gzip_pack(struct str bytes, int level, size_t *len);

#endif
