#include "proxy/access_log.h"

#include "proxy/variables.h"

enum { LINE_MAX_BYTES = 16384 };

static void json_escaped_build(struct builder *out, struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"' || c == '\\') {
            builder_char(out, '\\');
            builder_char(out, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            builder_format(out, "\\u%04X", c);
        } else {
            builder_char(out, (char)c);
        }
    }
}

/* A variable's value, escaped as the format says; an empty one is nginx's "-". */
static void value_build(struct exchange *x, const struct log_format *format, const struct variable *variable,
                        struct builder *out) {
    char memory[4096];
    struct builder value = builder_make(memory, sizeof memory);
    variable_eval(x, variable, &value);
    if (format->escape == LOG_ESCAPE_JSON)
        json_escaped_build(out, builder_view(&value));
    else if (value.len == 0 && format->escape == LOG_ESCAPE_DEFAULT)
        builder_char(out, '-');
    else if (format->escape == LOG_ESCAPE_DEFAULT)
        builder_escaped(out, builder_view(&value));
    else
        builder_str(out, builder_view(&value));
}

static void line_write(struct exchange *x, const struct access_log *log, struct log_sink *sink) {
    char *memory = x->engine->back_scratch; /* nothing of the back's is in it any more */
    struct builder out = builder_make(memory, LINE_MAX_BYTES - 1);
    for (size_t i = 0; i < log->format->text.count; i++) {
        const struct template_part *part = &log->format->text.parts[i];
        if (part->variable.id == VARIABLE_NONE)
            builder_str(&out, part->text);
        else
            value_build(x, log->format, &part->variable, &out);
    }
    out.ptr[out.len++] = '\n';
    log_sink_write(sink, builder_view(&out));
}

void access_log_write(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->access_logs.count; i++) {
        const struct access_log *log = &policy->access_logs.items[i];
        line_write(x, log, x->hold->snapshot->access_sinks[log->sink]);
    }
}
