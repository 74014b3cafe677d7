#ifndef MAIN_PID_FILE_H
#define MAIN_PID_FILE_H

#include "base/str.h"

#include <sys/types.h>

/* The file in which a running hawser leaves its process number. Paths are NUL-terminated. */

/* 0 or negative errno. */
int pid_file_write(const char *path, pid_t pid);
/* Removes it; where the directory does not allow that any more, empties it. */
void pid_file_remove(const char *path);
/* The number in it, or a negative errno: -EINVAL when it holds none. */
pid_t pid_file_read(const char *path);

#endif
