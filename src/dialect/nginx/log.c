#include "base/gzip.h"
#include "base/syslog.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* error_log, access_log, log_format. */

enum { GZIP_BUFFER_BYTES = 64 << 10 };

static const char combined[] =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";

static struct log_format *format_find(const struct reader *reader, struct str name) {
    for (size_t i = 0; i < reader->formats.count; i++)
        if (str_eq(reader->formats.items[i]->name, name))
            return reader->formats.items[i];
    return NULL;
}

static struct log_format *format_make(struct reader *reader, struct str name) {
    struct log_format *format = reader_alloc(reader, sizeof *format);
    struct log_format **slot = format ? VEC_ADD(&reader->formats, &reader->scratch) : NULL;
    if (!slot) {
        reader_starve(reader);
        return NULL;
    }
    *slot = format;
    format->name = name;
    return format;
}

/* log_format NAME [escape=default|json|none] TEXT... */
static void format_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str name = node->words[1].text, text = STR("");
    size_t first = 2;
    enum log_escape escape = LOG_ESCAPE_DEFAULT;
    if (format_find(reader, name) || str_eq(name, STR("combined"))) {
        reader_fail(reader, &node->words[1], "duplicate \"log_format\" name \"%.*s\"", STR_ARG(name));
        return;
    }
    if (str_starts(node->words[2].text, STR("escape="))) {
        struct str how = str_from(node->words[2].text, 7);
        first++;
        if (str_eq(how, STR("json")))
            escape = LOG_ESCAPE_JSON;
        else if (str_eq(how, STR("none")))
            escape = LOG_ESCAPE_NONE;
        else if (!str_eq(how, STR("default")))
            reader_fail(reader, &node->words[2],
                        "unknown log format escaping \"%.*s\": it is default, json or none", STR_ARG(how));
    }
    for (size_t i = first; i < node->count; i++)
        text = reader_join(reader, text, node->words[i].text);
    struct log_format *format = reader->is_starved ? NULL : format_make(reader, name);
    if (!format)
        return;
    format->escape = escape;
    compile_log_template(scope, &node->words[2], text, &format->text);
}

static struct log_format *format_use(struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    bool is_stream = (scope->context & CONTEXT_STREAMS) != 0;
    struct str name = node->count > 2 ? node->words[2].text : STR("combined");
    struct log_format *format = format_find(reader, name);
    if (!format && is_stream && node->count <= 2) {
        struct diagnostic *said = reader_fail(reader, &node->words[0], "log format is not specified");
        diagnostic_hint(reader->diagnostics, said,
                        "streams have no \"combined\": write log_format NAME ..., and "
                        "access_log PATH NAME");
    } else if (!format && !is_stream && str_eq(name, STR("combined"))) {
        format = format_make(reader, name);
        if (format)
            compile_log_template(scope, &node->words[0], str_of(combined), &format->text);
    } else if (!format) {
        struct diagnostic *said =
            reader_fail(reader, &node->words[2], "unknown log format \"%.*s\"", STR_ARG(name));
        struct str near = STR("");
        for (size_t i = 0; i < reader->formats.count && near.len == 0; i++)
            near = diagnostic_nearest(name, &reader->formats.items[i]->name, 1);
        if (near.len)
            diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
        else
            diagnostic_hint(reader->diagnostics, said,
                            is_stream
                                ? "it must be defined with \"log_format\" in stream"
                                : "it must be defined with \"log_format\" in http; \"combined\" always is");
    }
    return format;
}

/* The log file of this path, each path once. */
static struct log_file *file_find(struct reader *reader, struct str path, unsigned *number) {
    struct model *model = reader->model;
    for (size_t i = 0; i < model->log_files.count; i++)
        if (str_eq(model->log_files.items[i].path, path)) {
            *number = (unsigned)i;
            return &model->log_files.items[i];
        }
    struct log_file *file = READER_ADD(reader, &model->log_files);
    if (!file)
        return NULL;
    file->path = path;
    *number = (unsigned)model->log_files.count - 1;
    return file;
}

static bool is_syslog(struct str path) {
    return str_starts(path, STR("syslog:"));
}

static bool syslog_is_right(struct reader *reader, const struct word *at) {
    struct syslog_target target;
    char problem[SYSLOG_PROBLEM_MAX];
    if (syslog_parse(at->text, &target, problem))
        return true;
    struct diagnostic *said = reader_fail(reader, at, "%s in \"%.*s\"", problem, STR_ARG(at->text));
    diagnostic_hint(reader->diagnostics, said,
                    "it is written: syslog:server=127.0.0.1:514,facility=local7,tag=nginx,severity=info");
    return false;
}

/* What stands behind path and format. */
struct access_options {
    uint64_t buffer_bytes, flush_ms;
    unsigned gzip_level; /* 0: none */
    bool has_buffer, has_flush;
};

/* gzip[=LEVEL]: what is compressed is gathered first, in nginx's 64k if no size is said. */
static bool gzip_read(struct reader *reader, const struct word *at, struct access_options *options) {
    uint64_t level = GZIP_LEVEL_FAST;
    if (!options->has_buffer)
        options->buffer_bytes = GZIP_BUFFER_BYTES;
    options->has_buffer = true;
    if (at->text.len > 4 &&
        (!str_to_u64(str_from(at->text, 5), &level) || level < GZIP_LEVEL_FAST || level > GZIP_LEVEL_BEST)) {
        reader_fail(reader, at, "invalid compression level \"%.*s\": it is 1 to 9",
                    STR_ARG(str_from(at->text, 5)));
        return false;
    }
    options->gzip_level = (unsigned)level;
    return true;
}

static bool option_read(struct scope *scope, const struct word *at, struct access_log *log,
                        struct access_options *options) {
    struct reader *reader = scope->reader;
    struct str text = at->text;
    if (str_starts(text, STR("if=")))
        return compile_template(scope, at, str_from(text, 3), &log->condition);
    if (str_starts(text, STR("buffer="))) {
        options->has_buffer = true;
        if (unit_size(str_from(text, 7), false, &options->buffer_bytes) && options->buffer_bytes)
            return true;
        reader_fail(reader, at, "invalid buffer size \"%.*s\"", STR_ARG(text));
        return false;
    }
    if (str_starts(text, STR("flush="))) {
        options->has_flush = true;
        if (unit_time_ms(str_from(text, 6), &options->flush_ms) && options->flush_ms)
            return true;
        reader_fail(reader, at, "invalid flush time \"%.*s\"", STR_ARG(text));
        return false;
    }
    if (str_eq(text, STR("gzip")) || str_starts(text, STR("gzip="))) {
        return gzip_read(reader, at, options);
    }
    reader_fail(reader, at, "invalid parameter \"%.*s\" in \"access_log\"", STR_ARG(text));
    return false;
}

static bool options_fit(struct scope *scope, const struct node *node, const struct access_log *log,
                        const struct access_options *options) {
    struct reader *reader = scope->reader;
    struct str path = node->words[1].text;
    const char *problem = NULL;
    if (options->has_flush && !options->has_buffer)
        problem = "no buffer is defined for access_log";
    else if (options->has_buffer && log->file.count)
        problem = "buffered logs cannot have variables in name";
    else if (options->has_buffer && is_syslog(path))
        problem = "logs to syslog cannot be buffered";
    if (problem)
        reader_fail(reader, &node->words[1], "%s \"%.*s\"", problem, STR_ARG(path));
    return !problem;
}

/* The file that a path without variables names, and how lines come into it, which must be one way. */
static bool file_set(struct scope *scope, const struct node *node, struct access_log *log,
                     const struct access_options *options) {
    struct reader *reader = scope->reader;
    size_t known = reader->model->log_files.count;
    struct log_file *file = file_find(reader, log->path, &log->sink);
    if (!file)
        return false;
    bool is_new = reader->model->log_files.count > known;
    if (is_new || (options->has_buffer && file->buffer_bytes == 0)) {
        file->buffer_bytes = (size_t)options->buffer_bytes;
        file->flush_ms = options->flush_ms;
        file->gzip_level = options->gzip_level;
    } else if (options->has_buffer &&
               (file->buffer_bytes != options->buffer_bytes || file->flush_ms != options->flush_ms ||
                file->gzip_level != options->gzip_level)) {
        reader_fail(reader, &node->words[1], "access_log \"%.*s\" already defined with conflicting parameters",
                    STR_ARG(log->path));
        return false;
    }
    return true;
}

static bool place_set(struct scope *scope, const struct node *node, struct access_log *log) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    if (is_syslog(at->text)) {
        log->path = at->text;
        return syslog_is_right(reader, at);
    }
    log->path = at->text.len && at->text.ptr[0] == '$' ? at->text : reader_path(reader, at->text);
    return !compile_has_variable(at->text) || compile_template(scope, at, log->path, &log->file);
}

static void access_off(struct scope *scope, const struct node *node) {
    struct policy *policy = scope->policy;
    policy->is_access_log_off = true;
    policy->access_logs.count = 0;
    if (node->count > 2)
        reader_fail(scope->reader, &node->words[2], "invalid parameter \"%.*s\" behind \"access_log off\"",
                    STR_ARG(node->words[2].text));
}

/* access_log off | PATH [FORMAT] [buffer= flush= gzip= if=] */
static void access_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct policy *policy = scope->policy;
    struct access_log log = {.path = STR("")};
    struct access_options options = {0};
    if (scope->is_first) {
        memset(&policy->access_logs, 0, sizeof policy->access_logs);
        policy->is_access_log_off = false;
    }
    if (str_eq(node->words[1].text, STR("off"))) {
        access_off(scope, node);
        return;
    }
    log.format = format_use(scope, node);
    bool is_fine = log.format && place_set(scope, node, &log);
    for (size_t i = 3; is_fine && i < node->count; i++)
        is_fine = option_read(scope, &node->words[i], &log, &options);
    if (!is_fine || reader->is_starved || !options_fit(scope, node, &log, &options) ||
        policy->is_access_log_off)
        return;
    if (log.file.count == 0 && !file_set(scope, node, &log, &options))
        return;
    struct access_log *slot = READER_ADD(reader, &policy->access_logs);
    if (slot)
        *slot = log;
}

static bool level_read(struct scope *scope, const struct word *at, enum log_level *level) {
    struct str names[LOG_COUNT];
    unsigned found = log_level_find(at->text);
    if (found < LOG_COUNT) {
        *level = (enum log_level)found;
        return true;
    }
    for (unsigned i = 0; i < LOG_COUNT; i++)
        names[i] = str_of(log_level_name((enum log_level)i));
    struct str near = diagnostic_nearest(at->text, names, LOG_COUNT);
    struct diagnostic *said = reader_fail(scope->reader, at, "invalid log level \"%.*s\"", STR_ARG(at->text));
    diagnostic_hint(scope->reader->diagnostics, said,
                    near.len ? "did you mean \"%.*s\"?"
                             : "it is one of emerg "
                               "alert crit error warn notice info debug%.*s",
                    STR_ARG(near));
    return false;
}

static bool error_place_set(struct reader *reader, const struct word *at, struct error_log *log) {
    struct str path = at->text;
    log->path = path;
    if (is_syslog(path))
        return syslog_is_right(reader, at);
    if (str_starts(path, STR("memory:"))) {
        reader_refuse(reader, at, "error_log", "name a file: error_log /var/log/hawser/debug.log debug;");
        return false;
    }
    if (!str_eq(path, STR("stderr")))
        log->path = reader_path(reader, path);
    return true;
}

/* error_log PATH|stderr|syslog: [LEVEL]: the program's own at the top; else of what happens to requests there.
 */
static void error_log_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct policy *policy = scope->context & CONTEXT_MAIN ? NULL : scope->policy;
    struct error_log log = {.level = LOG_ERROR};
    if (!error_place_set(reader, &node->words[1], &log) ||
        (node->count == 3 && !level_read(scope, &node->words[2], &log.level)))
        return;
    if (policy && scope->is_first) {
        memset(&policy->error_logs, 0, sizeof policy->error_logs);
        policy->error_level = LOG_EMERG;
    }
    if (policy && !file_find(reader, log.path, &log.sink))
        return;
    struct error_log *slot =
        policy ? READER_ADD(reader, &policy->error_logs) : READER_ADD(reader, &reader->model->error_logs);
    if (!slot)
        return;
    *slot = log;
    if (policy && log.level > policy->error_level)
        policy->error_level = log.level;
}

static const struct directive rows[] = {
    {"log_format", CONTEXT_HTTP | CONTEXT_STREAM, 2, ARGUMENTS_ANY, DIRECTIVE_FIRST, format_read, NOTHING,
     NULL},
    {"access_log", CONTEXT_HSLI | CONTEXT_STREAMS, 1, ARGUMENTS_ANY, 0, access_add, NOTHING, NULL},
    {"error_log", CONTEXT_MAIN | CONTEXT_HSL | CONTEXT_STREAMS, 1, 2, DIRECTIVE_FIRST, error_log_add, NOTHING,
     NULL},
    {"open_log_file_cache", CONTEXT_HSL, 1, 4, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"log_subrequest", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area log_area = {rows, sizeof rows / sizeof *rows};
