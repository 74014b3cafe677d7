#include "main/disk.h"

#include "base/builder.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 << 20, FILE_FIRST_BYTES = 16384, REASON_MAX = 200 };

/* A file's bytes as they come; mem_free is the caller's. */
struct bytes {
    char *ptr;
    size_t len, room;
};

static int bytes_grow(struct bytes *bytes) {
    if (bytes->len < bytes->room)
        return 0;
    if (bytes->room >= FILE_MAX_BYTES)
        return EFBIG;
    size_t room = bytes->room ? bytes->room * 2 : FILE_FIRST_BYTES;
    char *ptr = mem_resize(bytes->ptr, room);
    if (!ptr)
        return ENOMEM;
    bytes->ptr = ptr;
    bytes->room = room;
    return 0;
}

static int bytes_read(struct bytes *bytes, int fd) {
    for (;;) {
        int error = bytes_grow(bytes);
        if (error)
            return error;
        ssize_t got = read(fd, bytes->ptr + bytes->len, bytes->room - bytes->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        bytes->len += (size_t)got;
    }
}

static int file_read_whole(const char *path, struct bytes *bytes) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int error = bytes_read(bytes, fd);
    close(fd);
    return error;
}

/* "2: No such file or directory" */
static const char *reason_make(struct arena *arena, int error) {
    char text[REASON_MAX];
    struct builder out = builder_make(text, sizeof text);
    builder_format(&out, "%d: %s", error, strerrordesc_np(error));
    struct str kept = arena_copy(arena, builder_view(&out));
    return kept.ptr ? kept.ptr : strerrordesc_np(error);
}

bool disk_read(void *context, struct arena *arena, struct str path, struct str *contents, const char **reason) {
    (void)context;
    struct bytes bytes = {0};
    struct str name = arena_copy(arena, path);
    int error = name.ptr ? file_read_whole(name.ptr, &bytes) : ENOMEM;
    if (!error) {
        *contents = arena_copy(arena, str_make(bytes.ptr, bytes.len));
        error = contents->ptr ? 0 : ENOMEM;
    }
    mem_free(bytes.ptr);
    if (error)
        *reason = reason_make(arena, error);
    return error == 0;
}

static bool paths_keep(struct arena *arena, const glob_t *found, struct str **paths, size_t *count) {
    *paths = arena_zero(arena, found->gl_pathc + 1, sizeof **paths);
    if (!*paths)
        return false;
    for (size_t i = 0; i < found->gl_pathc; i++) {
        (*paths)[i] = arena_copy(arena, str_of(found->gl_pathv[i]));
        if (!(*paths)[i].ptr)
            return false;
    }
    *count = found->gl_pathc;
    return true;
}

bool disk_glob(void *context, struct arena *arena, struct str pattern, struct str **paths, size_t *count) {
    (void)context;
    struct str text = arena_copy(arena, pattern);
    if (!text.ptr)
        return false;
    glob_t found = {0};
    int result = glob(text.ptr, 0, NULL, &found);
    *count = 0;
    *paths = NULL;
    bool is_fine = result == GLOB_NOMATCH || (result == 0 && paths_keep(arena, &found, paths, count));
    globfree(&found);
    return is_fine;
}
