#include "base/log.h"

#include "base/builder.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000 };

struct log_sink {
    atomic_int fd;
    bool is_owned; /* not the standard error */
    atomic_uint_least64_t dropped;
    char path[];
};

static int path_open(const char *path) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    return fd < 0 ? -errno : fd;
}

struct log_sink *log_sink_open(const char *path, int *error) {
    size_t size = strlen(path) + 1;
    struct log_sink *sink = mem_zero(1, sizeof *sink + size);
    if (!sink) {
        *error = -ENOMEM;
        return NULL;
    }
    memcpy(sink->path, path, size);
    bool is_off = strcmp(path, "off") == 0, is_stderr = strcmp(path, "stderr") == 0;
    sink->is_owned = !is_off && !is_stderr;
    int fd = is_off ? -1 : is_stderr ? STDERR_FILENO : path_open(path);
    if (sink->is_owned && fd < 0) {
        *error = fd;
        mem_free(sink);
        return NULL;
    }
    atomic_init(&sink->fd, fd);
    return sink;
}

int log_sink_reopen(struct log_sink *sink) {
    if (!sink->is_owned)
        return 0;
    int fd = path_open(sink->path);
    if (fd < 0)
        return fd;
    /* dup3 swaps the file under the number that other threads may be writing to at this moment. */
    int swapped = dup3(fd, atomic_load(&sink->fd), O_CLOEXEC);
    int error = swapped < 0 ? -errno : 0;
    close(fd);
    return error;
}

void log_sink_close(struct log_sink *sink) {
    if (!sink)
        return;
    if (sink->is_owned)
        close(atomic_load(&sink->fd));
    mem_free(sink);
}

void log_sink_write(struct log_sink *sink, struct str line) {
    int fd = atomic_load_explicit(&sink->fd, memory_order_relaxed);
    if (fd < 0)
        return;
    ssize_t written = write(fd, line.ptr, line.len);
    if (written != (ssize_t)line.len)
        atomic_fetch_add_explicit(&sink->dropped, 1, memory_order_relaxed);
}

uint64_t log_sink_dropped(const struct log_sink *sink) {
    return atomic_load_explicit(&sink->dropped, memory_order_relaxed);
}

static const char *const level_names[LOG_COUNT] = {"emerg", "alert",  "crit", "error",
                                                   "warn",  "notice", "info", "debug"};

unsigned log_level_find(struct str name) {
    unsigned level = 0;
    while (level < LOG_COUNT && !str_eq(name, str_of(level_names[level])))
        level++;
    return level;
}

const char *log_level_name(enum log_level level) {
    return level_names[level];
}

static void stamp_build(struct builder *line, const struct log *log, enum log_level level) {
    time_t seconds = (time_t)(log->wall_ms() / 1000);
    struct tm local;
    localtime_r(&seconds, &local);
    builder_format(line, "%04d/%02d/%02d %02d:%02d:%02d [%s] %d#%u: ", local.tm_year + 1900, local.tm_mon + 1,
                   local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, level_names[level], getpid(),
                   log->id);
}

void log_line(const struct log *log, enum log_level level, const char *format, ...) {
    char text[LINE_MAX_BYTES], memory[LINE_MAX_BYTES * 4 + 100];
    va_list args;
    if (!log_wants(log, level))
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0)
        return;
    size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    struct builder line = builder_make(memory, sizeof memory);
    stamp_build(&line, log, level);
    /* Quotes are the format's own here; whatever came from outside was escaped when it was quoted. */
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            builder_char(&line, (char)c);
        else
            builder_escaped(&line, str_make(text + i, 1));
    }
    builder_char(&line, '\n');
    log_sink_write(log->sink, builder_view(&line));
}
