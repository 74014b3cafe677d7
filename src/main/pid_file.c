#include "main/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NUMBER_MAX = 24, PATH_MAX_BYTES = 4096 };

static int number_write(const char *path, pid_t pid) {
    char text[NUMBER_MAX];
    int len = snprintf(text, sizeof text, "%d\n", (int)pid);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    ssize_t written = write(fd, text, (size_t)len);
    int error = written == len ? 0 : written < 0 ? -errno : -ENOSPC;
    close(fd);
    return error;
}

/* Beside the file and then in its place, so that whoever waits for it never reads it empty; where the directory
 * takes no new file, into the one that is there. */
int pid_file_write(const char *path, pid_t pid) {
    char beside[PATH_MAX_BYTES];
    int len = snprintf(beside, sizeof beside, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof beside || number_write(beside, pid))
        return number_write(path, pid);
    if (rename(beside, path) == 0)
        return 0;
    int error = -errno;
    unlink(beside);
    return error;
}

void pid_file_remove(const char *path) {
    if (unlink(path) == 0)
        return;
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
}

pid_t pid_file_read(const char *path) {
    char text[NUMBER_MAX] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, text, sizeof text - 1);
    int error = -errno;
    close(fd);
    if (len < 0)
        return error;
    char *end;
    long pid = strtol(text, &end, 10);
    bool is_number = end > text && (*end == '\0' || *end == '\n') && pid > 0 && pid <= INT32_MAX;
    return is_number ? (pid_t)pid : -EINVAL;
}
