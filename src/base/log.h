#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

/* Log files and what is written to them. A sink may be shared by all threads: each line is one write(2)
 * to a descriptor opened with O_APPEND. */

enum log_level { LOG_EMERG, LOG_ALERT, LOG_CRIT, LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* An open log file; opened by sink_open, reopened by name for rotation. */
struct log_sink;

/* Opens `path` for appending, creating it 0644; "stderr" is the standard error, "off" drops all, "syslog:..."
 * is what syslog_parse reads. NULL on failure, with *error the negative errno. */
struct log_sink *log_sink_open(const char *path, int *error);
/* Opens the file of the same name anew in the place of the old one; on failure the old one goes on. */
int log_sink_reopen(struct log_sink *sink);
void log_sink_close(struct log_sink *sink);
/* From now on lines are gathered and written when `bytes` are full, or the oldest has waited for `flush_ms` (0:
 * any time) as log_sink_tidy sees it; each time as a gzip member if there is a level (0: as they are). Before
 * the first line. False without memory. */
bool log_sink_buffer(struct log_sink *sink, size_t bytes, uint64_t flush_ms, unsigned gzip_level);
/* To be called now and then: writes what has waited for its time. */
void log_sink_tidy(struct log_sink *sink, uint64_t now_ms);
/* Writes one line as given, its end included; never blocks on a pipe that nobody reads: then the line is
 * dropped (log_tell_dropped). */
void log_sink_write(struct log_sink *sink, struct str line);

/* One thread's way to an error log, or to several. The owner sets all fields; text passes the one escaper. */
struct log {
    struct log_sink *sink;
    enum log_level level; /* what is less urgent than this is not written */
    const struct log
        *next;   /* of several, the most talkative first: only sink and level count; NULL: the last */
    unsigned id; /* shown as tid */
    uint64_t (*wall_ms)(void);
};

/* "2026/11/21 10:00:00 [error] pid#id: text", nginx's form. The format's result is escaped and cut at 2,000
 * bytes. */
void log_line(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* To be called now and then, by one thread for each sink: says in the log what could not be written to the sink
 * since it was said last, at most once a minute, as nginx does. */
void log_tell_dropped(const struct log *log, struct log_sink *sink, uint64_t now_ms);

static inline bool log_wants(const struct log *log, enum log_level level) {
    return level <= log->level;
}

/* LOG_COUNT when the name is none of emerg alert crit error warn notice info debug. */
enum { LOG_COUNT = LOG_DEBUG + 1 };
unsigned log_level_find(struct str name);
const char *log_level_name(enum log_level level);

#endif
