#ifndef NET_FILE_H
#define NET_FILE_H

#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

/* Files that are served. Implemented in file.c, and by the simulator. Negative errno throughout. */

struct file_info {
    uint64_t size;
    uint64_t modified_s;                          /* seconds since 1970 */
    bool is_regular, is_directory, is_executable; /* executable: by its owner */
};

/* Opens `path`, relative and NUL-terminated, beneath the directory `root` for reading, and tells what it is.
 * Only regular files and directories are opened. A path with a ".." segment or a leading '/' is refused with
 * -EACCES, as is anything that is neither file nor directory; symbolic links are followed wherever they lead,
 * as nginx does. -ENOENT, -ENOTDIR, -EACCES, -ENAMETOOLONG, -ELOOP are the path's; -EMFILE, -ENFILE, -ENOMEM
 * our shortage. */
int file_open(const char *root, const char *path, struct file_info *info);
/* What is at `path`, absolute or relative to the working directory, NUL-terminated; symbolic links are
 * followed. Anything may be there. 0 or negative errno, -ENOENT above all. */
int file_look(const char *path, struct file_info *info);
/* Up to len bytes from offset; 0 at the end. */
ssize_t file_read(int fd, void *bytes, size_t len, uint64_t offset);
void file_close(int fd);

#endif
