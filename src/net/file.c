#include "net/file.h"

#include "base/builder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the path goes upwards nowhere but where the configuration says so. */
static bool is_beneath(struct str path, size_t trusted) {
    size_t at = 0;
    for (struct str rest = path, segment; str_split(&rest, '/', &segment); at += segment.len + 1)
        if (str_eq(segment, STR("..")) && at + 2 > trusted)
            return false;
    return true;
}

/* Not by openat2(2): RESOLVE_BENEATH would refuse the links that lead out, which are the administrator's own,
 * and RESOLVE_IN_ROOT would bend absolute ones. What a client may choose is the path's text, and that is
 * looked at whole. */
static int path_open(const char *path, size_t trusted) {
    int fd;
    if (!is_beneath(str_of(path), trusted))
        return -EACCES;
    do /* non-blocking, so that a FIFO without a writer keeps nobody waiting */
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

static void info_set(struct file_info *info, const struct stat *found) {
    *info = (struct file_info){
        .size = found->st_size > 0 ? (uint64_t)found->st_size : 0,
        .modified_s = found->st_mtime > 0 ? (uint64_t)found->st_mtime : 0,
        .number = found->st_ino,
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
    return info->is_regular || info->is_directory ? 0 : -ENODEV;
}

int file_open(const char *path, size_t trusted, struct file_info *info) {
    int fd = path_open(path, trusted);
    if (fd < 0)
        return fd == -ENXIO ? -ENODEV : fd; /* a unix socket */
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

int file_resolve(const char *path, char *real, size_t room) {
    char memory[PATH_MAX];
    if (!realpath(path, memory))
        return -errno;
    struct builder out = builder_make(real, room);
    builder_str(&out, str_of(memory));
    builder_char(&out, '\0');
    return out.overflow ? -ENAMETOOLONG : 0;
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

/* ---- temporary files ---- */

static int directory_make(const char *path) {
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Where the file system has no files without names: one with a name that is taken away at once. */
static int temp_unlinked(const char *directory) {
    char path[PATH_MAX];
    struct builder out = builder_make(path, sizeof path);
    builder_str(&out, str_of(directory));
    builder_str(&out, STR("/hawser-XXXXXX"));
    builder_char(&out, '\0');
    if (out.overflow)
        return -ENAMETOOLONG;
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

int file_temp(const char *directory) {
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT) {
        int error = directory_make(directory);
        if (error)
            return error;
        fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    }
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        return temp_unlinked(directory);
    return fd < 0 ? -errno : fd;
}

int file_temp_named(const char *directory, const unsigned char levels[3], uint64_t number, char *path,
                    size_t size) {
    char name[32];
    struct builder digits = builder_make(name, sizeof name), out = builder_make(path, size);
    builder_format(&digits, "%010llu", (unsigned long long)number);
    builder_str(&out, str_of(directory));
    size_t end = digits.len;
    for (unsigned i = 0; i <= 3; i++) { /* the directory itself is made too */
        builder_char(&out, '\0');
        if (out.overflow)
            return -ENAMETOOLONG;
        int error = directory_make(path);
        if (error)
            return error;
        out.len--;
        if (i == 3 || levels[i] == 0 || levels[i] > end)
            break;
        end -= levels[i];
        builder_char(&out, '/');
        builder_bytes(&out, name + end, levels[i]);
    }
    builder_char(&out, '/');
    builder_str(&out, builder_view(&digits));
    builder_char(&out, '\0');
    if (out.overflow)
        return -ENAMETOOLONG;
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

ssize_t file_write(int fd, const void *bytes, size_t len, uint64_t offset) {
    ssize_t put;
    if (offset > INT64_MAX)
        return -EINVAL;
    do
        put = pwrite(fd, bytes, len, (off_t)offset);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : put;
}

int file_truncate(int fd, uint64_t size) {
    return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

int file_remove(const char *path) {
    return unlink(path) < 0 ? -errno : 0;
}
