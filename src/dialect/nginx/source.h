#ifndef DIALECT_NGINX_SOURCE_H
#define DIALECT_NGINX_SOURCE_H

#include "base/arena.h"
#include "base/str.h"

/* What is to be read, and what reads files and finds names for it. */
struct nginx_source {
    struct str path;    /* of the file; for relative includes and messages */
    struct str prefix;  /* -p: relative paths and includes are beneath it */
    struct str globals; /* -g: directives read as if at the top of the file; may be empty */
    /* Reads a whole file into the arena; false with *reason as "2: No such file or directory", static or in the
     * arena. Given by main, or by a test. */
    bool (*read)(void *context, struct arena *arena, struct str path, struct str *contents,
                 const char **reason);
    /* Expands an include's pattern to paths in order; an empty list for no match. */
    bool (*glob)(void *context, struct arena *arena, struct str pattern, struct str **paths, size_t *count);
    /* The addresses of a name, for `listen NAME`, written to the arena; false with *reason as above, static. */
    bool (*lookup)(void *context, struct arena *arena, struct str name, struct str **addresses, size_t *count,
                   const char **reason);
    struct str hostname; /* this machine's, for server_name $hostname */
    void *context;
};

#endif
