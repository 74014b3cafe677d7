#include "main/report.h"

#include "main/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DIAGNOSTICS_BYTES = 16 << 20, DIAGNOSTIC_MAX = 8192 };

const char *report_name(const struct options *options) {
    return options->url_count ? "hawser" : "nginx";
}

static void sink_open(struct report *report) {
    struct str path = arena_copy(&report->arena, report->options->error_log);
    int error = 0;
    if (path.len == 0 || str_eq(path, STR("stderr")))
        return;
    report->sink = log_sink_open(path.ptr, &error);
    if (!report->sink)
        fprintf(stderr, "%s: [alert] could not open error log file: open() \"%s\" failed (%d: %s)\n",
                report_name(report->options), path.ptr, -error, strerrordesc_np(-error));
}

void report_init(struct report *report, const struct options *options) {
    *report = (struct report){.options = options};
    arena_pool_init(&report->pool, 0, DIAGNOSTICS_BYTES);
    arena_init(&report->arena, &report->pool);
    diagnostics_init(&report->diagnostics, &report->arena);
    sink_open(report);
}

void report_fini(struct report *report) {
    log_sink_close(report->sink);
    arena_fini(&report->arena);
    arena_pool_fini(&report->pool);
}

static enum log_level level_of(const struct diagnostic *diagnostic) {
    static const enum log_level levels[] = {LOG_NOTICE, LOG_WARN, LOG_EMERG};
    return levels[diagnostic->severity];
}

void report_tell(struct report *report, enum severity least, const struct log *log) {
    bool in_colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
    char memory[DIAGNOSTIC_MAX];
    for (size_t i = 0; i < report->diagnostics.list.count; i++) {
        const struct diagnostic *one = &report->diagnostics.list.items[i];
        if (one->severity < least)
            continue;
        struct builder out = builder_make(memory, sizeof memory);
        builder_format(&out, "%s: [%s] ", report_name(report->options), log_level_name(level_of(one)));
        diagnostic_print_line(&out, one);
        builder_char(&out, '\n');
        diagnostic_print_picture(&out, one, in_colour);
        fwrite(out.ptr, 1, out.len, stderr);
    }
    struct log own = wire_log(report->sink, LOG_WARN, 0);
    if (log || report->sink)
        report_log(report, log ? log : &own);
    report->diagnostics.list.count = 0;
}

void report_log(const struct report *report, const struct log *log) {
    char memory[DIAGNOSTIC_MAX];
    for (size_t i = 0; i < report->diagnostics.list.count; i++) {
        const struct diagnostic *one = &report->diagnostics.list.items[i];
        struct builder out = builder_make(memory, sizeof memory);
        diagnostic_print_line(&out, one);
        for (struct str rest = one->hint, line; rest.len && str_split(&rest, '\n', &line);)
            builder_format(&out, "%s%.*s", line.ptr == one->hint.ptr ? "; " : " ", STR_ARG(str_trim(line)));
        log_line(log, level_of(one), "%.*s", STR_ARG(builder_view(&out)));
    }
}
