#include "net/file.h"

#include "base/builder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether `path` stays where it is put: relative, and no segment of it goes up. */
static bool is_beneath(struct str path) {
    if (path.len && path.ptr[0] == '/')
        return false;
    for (struct str rest = path, segment; str_split(&rest, '/', &segment);)
        if (str_eq(segment, STR("..")))
            return false;
    return true;
}

/* Not by openat2(2): RESOLVE_BENEATH would refuse the links that lead out, which are the administrator's own,
 * and RESOLVE_IN_ROOT would bend absolute ones. What a client may choose is the path's text, and that is
 * looked at whole. */
static int path_open(const char *root, struct str path) {
    char memory[PATH_MAX];
    struct builder full = builder_make(memory, sizeof memory);
    if (!is_beneath(path))
        return -EACCES;
    builder_str(&full, str_of(root));
    builder_char(&full, '/');
    builder_str(&full, path);
    builder_char(&full, '\0');
    if (full.overflow)
        return -ENAMETOOLONG;
    int fd;
    do /* non-blocking, so that a FIFO without a writer keeps nobody waiting */
        fd = open(memory, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static void info_set(struct file_info *info, const struct stat *found) {
    *info = (struct file_info){
        .size = found->st_size > 0 ? (uint64_t)found->st_size : 0,
        .modified_s = found->st_mtime > 0 ? (uint64_t)found->st_mtime : 0,
        .is_regular = S_ISREG(found->st_mode),
        .is_directory = S_ISDIR(found->st_mode),
        .is_executable = (found->st_mode & S_IXUSR) != 0,
    };
}

static int info_fill(int fd, struct file_info *info) {
    struct stat found;
    if (fstat(fd, &found) < 0)
        return -errno;
    info_set(info, &found);
    return info->is_regular || info->is_directory ? 0 : -EACCES;
}

int file_open(const char *root, const char *path, struct file_info *info) {
    int fd = path_open(root, str_of(path));
    if (fd < 0)
        return fd == -ENXIO ? -EACCES : fd; /* a unix socket */
    int error = info_fill(fd, info);
    if (error)
        close(fd);
    return error ? error : fd;
}

int file_look(const char *path, struct file_info *info) {
    struct stat found;
    if (stat(path, &found) < 0)
        return -errno;
    info_set(info, &found);
    return 0;
}

ssize_t file_read(int fd, void *bytes, size_t len, uint64_t offset) {
    ssize_t got;
    if (offset > INT64_MAX)
        return -EINVAL;
    do
        got = pread(fd, bytes, len, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void file_close(int fd) {
    close(fd);
}
