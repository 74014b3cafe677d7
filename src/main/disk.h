#ifndef MAIN_DISK_H
#define MAIN_DISK_H

#include "base/arena.h"

/* Configuration files as they lie on the disk: what dialects read through (struct nginx_source). */

/* The whole file at `path` (NUL-terminated behind its length) into the arena. False with *reason the system's
 * number and words; pipes can be read too, up to 64 MiB. The context is not used. */
bool disk_read(void *context, struct arena *arena, struct str path, struct str *contents, const char **reason);
/* All paths that the pattern (likewise NUL-terminated) stands for, sorted. No match is an empty list; false
 * without memory or when a directory cannot be read. */
bool disk_glob(void *context, struct arena *arena, struct str pattern, struct str **paths, size_t *count);

#endif
