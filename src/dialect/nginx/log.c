#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* error_log, access_log, log_format. */

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
    struct str name = node->count > 2 ? node->words[2].text : STR("combined");
    struct log_format *format = format_find(reader, name);
    if (!format && str_eq(name, STR("combined"))) {
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
                            "it must be defined with \"log_format\" in http; \"combined\" always is");
    }
    return format;
}

static unsigned sink_find(struct reader *reader, struct str path) {
    struct model *model = reader->model;
    for (size_t i = 0; i < model->log_paths.count; i++)
        if (str_eq(model->log_paths.items[i], path))
            return (unsigned)i;
    struct str *slot = VEC_ADD(&model->log_paths, &model->arena);
    if (!slot) {
        reader_starve(reader);
        return 0;
    }
    *slot = path;
    return (unsigned)model->log_paths.count - 1;
}

static bool options_are_right(struct scope *scope, const struct node *node) {
    static const char *const noted[] = {"buffer=", "flush=", "gzip"};
    struct reader *reader = scope->reader;
    for (size_t i = 3; i < node->count; i++) {
        const struct word *at = &node->words[i];
        bool is_noted = false;
        for (size_t j = 0; j < sizeof noted / sizeof *noted; j++)
            is_noted |= str_starts(at->text, str_of(noted[j]));
        if (is_noted) {
            reader_say(reader, SEVERITY_NOTE, at,
                       "\"%.*s\" has no effect: each line is written at once, as text", STR_ARG(at->text));
            continue;
        }
        if (str_starts(at->text, STR("if=")))
            reader_fail(reader, at, "\"if=\" in \"access_log\" is not built yet");
        else
            reader_fail(reader, at, "invalid parameter \"%.*s\" in \"access_log\"", STR_ARG(at->text));
        return false;
    }
    return true;
}

/* access_log off | PATH [FORMAT] [buffer= flush= gzip] */
static void access_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct policy *policy = scope->policy;
    struct str path = node->words[1].text;
    if (scope->is_first)
        memset(&policy->access_logs, 0, sizeof policy->access_logs);
    if (str_eq(path, STR("off"))) {
        if (node->count > 2)
            reader_fail(reader, &node->words[2], "invalid parameter \"%.*s\" behind \"access_log off\"",
                        STR_ARG(node->words[2].text));
        return;
    }
    if (str_starts(path, STR("syslog:")) || compile_has_variable(path)) {
        reader_fail(reader, &node->words[1], "\"access_log\" to %s is not built yet",
                    compile_has_variable(path) ? "a path with variables" : "syslog");
        return;
    }
    struct log_format *format = format_use(scope, node);
    if (!format || !options_are_right(scope, node))
        return;
    path = reader_path(reader, path);
    struct access_log *log = VEC_ADD(&policy->access_logs, &reader->model->arena);
    if (!log) {
        reader_starve(reader);
        return;
    }
    *log = (struct access_log){path, format, sink_find(reader, path)};
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

/* error_log PATH|stderr [LEVEL]: one for the whole program. */
static void error_log_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct model *model = reader->model;
    struct str path = node->words[1].text;
    enum log_level level = LOG_ERROR;
    if (str_starts(path, STR("syslog:")) || str_starts(path, STR("memory:"))) {
        reader_fail(reader, &node->words[1], "\"error_log\" to \"%.*s\" is not built yet", STR_ARG(path));
        return;
    }
    if (node->count == 3 && !level_read(scope, &node->words[2], &level))
        return;
    if (reader->has_error_log) {
        struct diagnostic *said =
            reader_say(reader, SEVERITY_WARNING, &node->words[0],
                       "this \"error_log\" is not used: there is one for the whole program");
        diagnostic_hint(reader->diagnostics, said, "the first one is kept, which writes to \"%.*s\"",
                        STR_ARG(model->error_log_path));
        return;
    }
    reader->has_error_log = true;
    model->error_log_path = str_eq(path, STR("stderr")) ? path : reader_path(reader, path);
    model->error_log_level = level;
}

static const struct directive rows[] = {
    {"log_format", CONTEXT_HTTP, 2, ARGUMENTS_ANY, DIRECTIVE_FIRST, format_read, NOTHING, NULL},
    {"access_log", CONTEXT_HSLI, 1, ARGUMENTS_ANY, 0, access_add, NOTHING, NULL},
    {"error_log", CONTEXT_MAIN | CONTEXT_HSL, 1, 2, DIRECTIVE_FIRST, error_log_set, NOTHING, NULL},
    {"open_log_file_cache", CONTEXT_HSL, 1, 4, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"log_subrequest", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area log_area = {rows, sizeof rows / sizeof *rows};
