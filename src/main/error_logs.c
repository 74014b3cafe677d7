#include "main/error_logs.h"

#include "base/mem.h"
#include "main/wire.h"

#include <errno.h>

/* The one that there is when the configuration names none. */
static struct error_log fallback(const struct options *options) {
    struct str path = options->error_log.len ? options->error_log : STR("stderr");
    return (struct error_log){.path = path, .level = LOG_ERROR};
}

static struct log_sink *sink_open(struct str path, struct diagnostics *diagnostics) {
    struct str name = arena_copy(diagnostics->arena, path);
    int error = -ENOMEM;
    struct log_sink *sink = name.ptr ? log_sink_open(name.ptr, &error) : NULL;
    if (!sink)
        diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0},
                        "open() \"%.*s\" failed (%d: %s)", STR_ARG(path), -error, strerrordesc_np(-error));
    return sink;
}

/* Puts it among the others, by how much it wants to hear. */
static void log_insert(struct error_logs *logs, struct log log) {
    size_t at = logs->count++;
    for (; at > 0 && logs->logs[at - 1].level < log.level; at--)
        logs->logs[at] = logs->logs[at - 1];
    logs->logs[at] = log;
}

struct error_logs *error_logs_open(const struct options *options, const struct model *model,
                                   struct diagnostics *diagnostics) {
    struct error_log only = fallback(options);
    const struct error_log *named = model->error_logs.count ? model->error_logs.items : &only;
    size_t count = model->error_logs.count ? model->error_logs.count : 1;
    struct error_logs *logs = mem_zero(1, sizeof *logs + count * sizeof *logs->logs);
    for (size_t i = 0; logs && i < count; i++) {
        struct log_sink *sink = sink_open(named[i].path, diagnostics);
        if (!sink) {
            error_logs_close(logs);
            return NULL;
        }
        log_insert(logs, wire_log(sink, named[i].level, 0));
    }
    for (size_t i = 0; logs && i + 1 < count; i++)
        logs->logs[i].next = &logs->logs[i + 1];
    if (!logs)
        diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "out of memory");
    return logs;
}

void error_logs_close(struct error_logs *logs) {
    for (size_t i = 0; logs && i < logs->count; i++)
        log_sink_close(logs->logs[i].sink);
    mem_free(logs);
}

void error_logs_reopen(struct error_logs *logs) {
    for (size_t i = 0; i < logs->count; i++) {
        int error = log_sink_reopen(logs->logs[i].sink);
        if (error)
            log_line(&logs->logs[0], LOG_EMERG, "reopening an error log failed (%d: %s)", -error,
                     strerrordesc_np(-error));
    }
}

bool error_logs_have_stderr(const struct options *options, const struct model *model) {
    struct error_log only = fallback(options);
    bool has = model->error_logs.count == 0 && str_eq(only.path, STR("stderr"));
    for (size_t i = 0; i < model->error_logs.count; i++)
        has |= str_eq(model->error_logs.items[i].path, STR("stderr"));
    return has;
}
