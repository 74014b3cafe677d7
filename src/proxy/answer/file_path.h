#ifndef PROXY_ANSWER_FILE_PATH_H
#define PROXY_ANSWER_FILE_PATH_H

#include "net/file.h"
#include "proxy/exchange.h"

/* Paths of files: what root and alias make of x->path. */

enum { FILE_PATH_MAX = 4096 };

struct file_path {
    struct builder out; /* text, NUL-terminated behind out.len */
    size_t base_len;    /* what root or alias gave: the rest is the request's */
    size_t trusted;     /* what the configuration wrote itself, where ".." may stand */
    char text[FILE_PATH_MAX];
};

enum file_path_verdict {
    FILE_PATH_MADE,
    FILE_PATH_TOO_LONG,
    FILE_PATH_OUTSIDE /* an alias, and the path does not begin with its location any more */
};

/* The file of x->path. */
enum file_path_verdict file_path_build(struct exchange *x, struct file_path *path);
/* What root or alias gives alone; what is to be looked for is appended with file_path_add. */
void file_path_begin(struct exchange *x, struct file_path *path);
/* False when it does not fit. */
bool file_path_add(struct file_path *path, struct str text);
/* As file_open. */
int file_path_open(const struct file_path *path, struct file_info *info);

#endif
