#include "base/log.h"

#include "base/builder.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "base/syslog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000, TELL_MS = 60000 };

struct log_sink {
    atomic_int fd;
    bool is_owned;                 /* a file, not the standard error */
    atomic_uint_least64_t dropped; /* writes that failed, since that was told last */
    atomic_int error;              /* of the last of them, a negative errno; 0: not all of it was written */
    uint64_t told_ms;              /* 0: never; for the one who tells */
    struct syslog *syslog;         /* instead of a file; NULL: none */
    /* Of a buffered one; the lock is for what stands behind it. */
    size_t room; /* 0: every line is written at once */
    uint64_t flush_ms;
    int gzip_level; /* 0: what is gathered is written as it is */
    pthread_mutex_t lock;
    char *buffer;
    size_t len;
    uint64_t since_ms; /* when log_sink_tidy first saw what is in the buffer; 0: it has not */
    char path[];
};

static int path_open(const char *path) {
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
    return fd < 0 ? -errno : fd;
}

static int syslog_set(struct log_sink *sink) {
    struct syslog_target target;
    char problem[SYSLOG_PROBLEM_MAX];
    int error = -EINVAL;
    if (syslog_parse(str_of(sink->path), &target, problem))
        sink->syslog = syslog_open(&target, &error);
    return sink->syslog ? -1 : error;
}

static int sink_fd(struct log_sink *sink) {
    if (strcmp(sink->path, "off") == 0)
        return -1;
    if (strcmp(sink->path, "stderr") == 0)
        return STDERR_FILENO;
    if (strncmp(sink->path, "syslog:", 7) == 0)
        return syslog_set(sink);
    sink->is_owned = true;
    return path_open(sink->path);
}

struct log_sink *log_sink_open(const char *path, int *error) {
    size_t size = strlen(path) + 1;
    struct log_sink *sink = mem_zero(1, sizeof *sink + size);
    if (!sink) {
        *error = -ENOMEM;
        return NULL;
    }
    memcpy(sink->path, path, size);
    pthread_mutex_init(&sink->lock, NULL);
    int fd = sink_fd(sink);
    if (fd < 0 && (sink->is_owned || (!sink->syslog && strcmp(path, "off") != 0))) {
        *error = fd;
        mem_free(sink);
        return NULL;
    }
    atomic_init(&sink->fd, fd);
    return sink;
}

bool log_sink_buffer(struct log_sink *sink, size_t bytes, uint64_t flush_ms, unsigned gzip_level) {
    if (sink->room)
        return true;
    sink->buffer = mem_alloc(bytes);
    sink->room = sink->buffer ? bytes : 0;
    sink->flush_ms = flush_ms;
    sink->gzip_level = (int)gzip_level;
    return sink->buffer != NULL;
}

static void drop(struct log_sink *sink, int error) {
    atomic_store_explicit(&sink->error, error, memory_order_relaxed);
    atomic_fetch_add_explicit(&sink->dropped, 1, memory_order_relaxed);
}

static void bytes_write(struct log_sink *sink, const char *bytes, size_t len) {
    int fd = atomic_load_explicit(&sink->fd, memory_order_relaxed);
    ssize_t written = fd >= 0 && len ? write(fd, bytes, len) : (ssize_t)len;
    if (written != (ssize_t)len)
        drop(sink, written < 0 ? -errno : 0);
}

/* The lock is held, so that members come in the order of their lines. */
static void gathered_write(struct log_sink *sink, struct str gathered) {
    size_t len;
    if (!sink->gzip_level || !gathered.len) {
        bytes_write(sink, gathered.ptr, gathered.len);
        return;
    }
    char *packed = gzip_pack(gathered, sink->gzip_level, &len);
    if (packed)
        bytes_write(sink, packed, len);
    else
        drop(sink, -ENOMEM);
    mem_free(packed);
}

/* The lock is held. */
static void buffer_flush(struct log_sink *sink) {
    gathered_write(sink, str_make(sink->buffer, sink->len));
    sink->len = 0;
    sink->since_ms = 0;
}

static void buffer_add(struct log_sink *sink, struct str line) {
    pthread_mutex_lock(&sink->lock);
    if (line.len > sink->room - sink->len)
        buffer_flush(sink);
    if (line.len > sink->room) {
        gathered_write(sink, line);
    } else {
        memcpy(sink->buffer + sink->len, line.ptr, line.len);
        sink->len += line.len;
    }
    pthread_mutex_unlock(&sink->lock);
}

void log_sink_tidy(struct log_sink *sink, uint64_t now_ms) {
    if (!sink->room || !sink->flush_ms)
        return;
    pthread_mutex_lock(&sink->lock);
    if (sink->len && !sink->since_ms)
        sink->since_ms = now_ms;
    else if (sink->len && now_ms - sink->since_ms >= sink->flush_ms)
        buffer_flush(sink);
    pthread_mutex_unlock(&sink->lock);
}

static void sink_flush(struct log_sink *sink) {
    pthread_mutex_lock(&sink->lock);
    buffer_flush(sink);
    pthread_mutex_unlock(&sink->lock);
}

int log_sink_reopen(struct log_sink *sink) {
    sink_flush(sink);
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
    sink_flush(sink);
    if (sink->is_owned)
        close(atomic_load(&sink->fd));
    syslog_close(sink->syslog);
    pthread_mutex_destroy(&sink->lock);
    mem_free(sink->buffer);
    mem_free(sink);
}

static void syslog_write(struct log_sink *sink, unsigned severity, struct str line) {
    if (line.len && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (!syslog_send(sink->syslog, severity, line))
        drop(sink, -errno);
}

void log_sink_write(struct log_sink *sink, struct str line) {
    if (sink->syslog)
        syslog_write(sink, syslog_severity(sink->syslog), line);
    else if (sink->room)
        buffer_add(sink, line);
    else
        bytes_write(sink, line.ptr, line.len);
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
    for (const struct log *at = log; at; at = at->next) {
        if (level > at->level)
            break;
        if (at->sink->syslog)
            syslog_write(at->sink, (unsigned)level, builder_view(&line));
        else
            log_sink_write(at->sink, builder_view(&line));
    }
}

void log_tell_dropped(const struct log *log, struct log_sink *sink, uint64_t now_ms) {
    if (sink->told_ms && now_ms - sink->told_ms < TELL_MS)
        return;
    uint64_t dropped = atomic_exchange_explicit(&sink->dropped, 0, memory_order_relaxed);
    int error = atomic_load_explicit(&sink->error, memory_order_relaxed);
    if (!dropped)
        return;
    sink->told_ms = now_ms;
    if (error)
        log_line(log, LOG_ALERT, "write() to \"%s\" failed (%d: %s), %llu times", sink->path, -error,
                 strerrordesc_np(-error), (unsigned long long)dropped);
    else
        log_line(log, LOG_ALERT, "write() to \"%s\" was incomplete, %llu times", sink->path,
                 (unsigned long long)dropped);
}
