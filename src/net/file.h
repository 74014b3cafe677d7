#ifndef NET_FILE_H
#define NET_FILE_H

#include "base/str.h"

#include <stdint.h>
#include <sys/types.h>

/* Files that are served, and temporary ones. Implemented in file.c, and by the simulator. Negative errno
 * throughout. */

struct file_info {
    uint64_t size;
    uint64_t modified_s;                          /* seconds since 1970 */
    uint64_t number;                              /* of the file on its disk, whatever its name is */
    bool is_regular, is_directory, is_executable; /* executable: by its owner */
};

/* Opens `path`, NUL-terminated, for reading, and tells what it is. Its first `trusted` bytes are the
 * configuration's; the rest may be a client's, and a segment ".." of which any byte is there is refused with
 * -EACCES. Only regular files and directories are opened, else -ENODEV; symbolic links are followed wherever
 * they lead, as nginx does. -ENOENT, -ENOTDIR, -EACCES, -ENAMETOOLONG, -ELOOP are the path's; -EMFILE, -ENFILE,
 * -ENOMEM our shortage. */
int file_open(const char *path, size_t trusted, struct file_info *info);
/* What is at `path`, absolute or relative to the working directory, NUL-terminated; symbolic links are
 * followed. Anything may be there. 0 or negative errno, -ENOENT above all. */
int file_look(const char *path, struct file_info *info);
/* The path without symbolic links, ".." and ".", NUL-terminated, into `real`. 0 or negative errno;
 * -ENAMETOOLONG when it does not fit. */
int file_resolve(const char *path, char *real, size_t room);
/* Up to len bytes from offset; 0 at the end. */
ssize_t file_read(int fd, void *bytes, size_t len, uint64_t offset);
void file_close(int fd);

/* A new file for reading and writing that has no name, in the directory, which is made (mode 0700) when it is
 * not there but its parent is. */
int file_temp(const char *directory);
/* The same with the name DIRECTORY/LEVELS/NUMBER, NUMBER in ten digits, written to `path` with a NUL; the
 * levels are directories named by the number's last digits, as nginx's; 0 ends them. -EEXIST: there is one. */
int file_temp_named(const char *directory, const unsigned char levels[3], uint64_t number, char *path,
                    size_t size);
/* Writes at offset, maybe less than len. */
ssize_t file_write(int fd, const void *bytes, size_t len, uint64_t offset);
/* Makes the file end at `size`. */
int file_truncate(int fd, uint64_t size);
/* Takes the name of a file away. */
int file_remove(const char *path);

#endif
