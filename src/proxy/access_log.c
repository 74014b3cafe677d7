#include "proxy/access_log.h"

#include "net/file.h"
#include "proxy/variable/variables.h"

#include <errno.h>

enum { LINE_MAX_BYTES = 16384, PATH_MAX_BYTES = 4096 };

/* nginx's escape=json: what JSON asks for, and no more. */
static void json_escaped_build(struct builder *out, struct str s) {
    static const char named[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t at = 0;
        while (named[at] && (unsigned char)named[at] != c)
            at += 2;
        if (c && named[at]) {
            builder_char(out, '\\');
            builder_char(out, named[at + 1]);
        } else if (c < 0x20) {
            builder_format(out, "\\u%04X", c);
        } else {
            builder_char(out, (char)c);
        }
    }
}

/* nginx knows these in any case: empty they are empty, and not "-". */
static bool is_always_known(const struct variable *variable) {
    return variable->id == VARIABLE_MAP || variable->id == VARIABLE_SLOT || variable->id == VARIABLE_IS_ARGS;
}

/* A variable's value, escaped as the format says; one that there is not is nginx's "-". */
static void value_build(struct exchange *x, const struct log_format *format, const struct variable *variable,
                        struct builder *out) {
    char memory[LINE_MAX_BYTES];
    struct builder value = builder_make(memory, sizeof memory);
    variable_eval(x, variable, &value);
    if (format->escape == LOG_ESCAPE_JSON)
        json_escaped_build(out, builder_view(&value));
    else if (value.len == 0 && format->escape == LOG_ESCAPE_DEFAULT && !is_always_known(variable))
        builder_char(out, '-');
    else if (format->escape == LOG_ESCAPE_DEFAULT)
        builder_escaped(out, builder_view(&value));
    else
        builder_str(out, builder_view(&value));
}

static struct str line_build(struct exchange *x, const struct log_format *format) {
    char *memory = x->engine->back_scratch; /* nothing of the back's is in it any more */
    struct builder out = builder_make(memory, LINE_MAX_BYTES - 1);
    for (size_t i = 0; i < format->text.count; i++) {
        const struct template_part *part = &format->text.parts[i];
        if (part->variable.id == VARIABLE_NONE)
            builder_str(&out, part->text);
        else
            value_build(x, format, &part->variable, &out);
    }
    out.ptr[out.len++] = '\n';
    return str_make(out.ptr, out.len);
}

/* nginx makes no log files for requests to a root that is not there: names that clients choose make none. */
static bool has_root(struct exchange *x) {
    char root[PATH_MAX_BYTES];
    struct builder out = builder_make(root, sizeof root - 1);
    struct file_info info;
    template_eval(x, &exchange_policy(x)->root, &out);
    root[out.len] = '\0';
    return !out.overflow && file_look(root, &info) == 0 && info.is_directory;
}

/* A path with variables: opened for this line alone. */
static void line_put(struct exchange *x, const struct access_log *log, struct str line) {
    char path[PATH_MAX_BYTES];
    struct builder out = builder_make(path, sizeof path - 1);
    template_eval(x, &log->file, &out);
    path[out.len] = '\0';
    int error = 0;
    if (!x->is_stream && !has_root(x))
        return;
    struct log_sink *sink = out.overflow ? NULL : log_sink_open(path, &error);
    if (!sink) {
        exchange_log(x, LOG_CRIT, "open() \"%s\" failed (%d: %s) while logging request", path, -error,
                     strerrordesc_np(-error));
        return;
    }
    log_sink_write(sink, line);
    log_sink_close(sink);
}

static bool is_wanted(struct exchange *x, const struct access_log *log) {
    char memory[4];
    struct builder value = builder_make(memory, sizeof memory);
    if (template_is_empty(&log->condition))
        return true;
    template_eval(x, &log->condition, &value);
    return value.overflow || (value.len && !str_eq(builder_view(&value), STR("0")));
}

void access_log_write(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->access_logs.count; i++) {
        const struct access_log *log = &policy->access_logs.items[i];
        if (!is_wanted(x, log))
            continue;
        struct str line = line_build(x, log->format);
        if (template_is_empty(&log->file))
            log_sink_write(x->hold->snapshot->sinks[log->sink], line);
        else
            line_put(x, log, line);
    }
}
