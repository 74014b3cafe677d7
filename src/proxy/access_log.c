#include "proxy/access_log.h"

#include "base/check.h"
#include "model/late.h"
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
    return variable->id == VARIABLE_MAP || variable->id == VARIABLE_SLOT || variable->id == VARIABLE_IS_ARGS ||
           variable->id == VARIABLE_REQUEST_COMPLETION;
}

/* A variable's value, escaped as the format says; one that there is not is nginx's "-". */
static void value_build(struct exchange *x, const struct log_format *format, const struct variable *variable,
                        struct builder *out) {
    size_t room = out->capacity - out->len;
    struct builder in_place = builder_make(out->ptr + out->len, room < LINE_MAX_BYTES ? room : LINE_MAX_BYTES);
    variable_eval(x, variable, &in_place);
    struct str value = builder_view(&in_place);
    out->len += value.len;
    out->overflow |= in_place.overflow;
    if (value.len == 0 && format->escape == LOG_ESCAPE_DEFAULT && !is_always_known(variable))
        builder_char(out, '-');
    if (format->escape == LOG_ESCAPE_NONE || builder_is_plain(value))
        return;
    char memory[LINE_MAX_BYTES];
    memcpy(memory, value.ptr, value.len);
    out->len -= value.len;
    value.ptr = memory;
    if (format->escape == LOG_ESCAPE_JSON)
        json_escaped_build(out, value);
    else
        builder_escaped(out, value);
}

/* ---- what is settled ---- */

/* Settled is, log after log in the order of the route, whether the line is wanted, where that is a question,
 * and each variable of its condition (if that is late) and of its format: a number of two bytes, MARK_LATE or
 * the length of the text that stands behind it. */
enum { MARK_UNWANTED = 0, MARK_WANTED = 1, MARK_LATE = UINT16_MAX };

static void mark_put(struct builder *out, unsigned number) {
    uint16_t mark = (uint16_t)number;
    builder_bytes(out, (const char *)&mark, sizeof mark);
}

static unsigned mark_take(struct str *settled) {
    uint16_t mark;
    CHECK(settled->len >= sizeof mark, "%zu bytes are left of what is settled", settled->len);
    memcpy(&mark, settled->ptr, sizeof mark);
    *settled = str_from(*settled, sizeof mark);
    return mark;
}

/* What a map has given once it gives for the rest of the request. */
static bool is_late(const struct exchange *x, const struct variable *variable) {
    bool is_kept = variable->id == VARIABLE_MAP && x->slots && x->slots[variable->map->slot].ptr;
    return !is_kept && variable_is_late(variable);
}

/* The format NULL: the value as it is. */
static void variable_settle(struct exchange *x, const struct log_format *format,
                            const struct variable *variable, struct builder *out, bool *needs_exchange) {
    size_t at = out->len;
    mark_put(out, MARK_LATE);
    if (out->overflow)
        return;
    if (is_late(x, variable)) {
        *needs_exchange |= variable->id == VARIABLE_MAP;
        return;
    }
    if (format)
        value_build(x, format, variable, out);
    else
        variable_eval(x, variable, out);
    uint16_t len = (uint16_t)(out->len - at - sizeof len);
    memcpy(out->ptr + at, &len, sizeof len);
}

static void template_settle(struct exchange *x, const struct template *template,
                            const struct log_format *format, struct builder *out, bool *needs_exchange) {
    for (size_t i = 0; i < template->count; i++)
        if (template->parts[i].variable.id != VARIABLE_NONE)
            variable_settle(x, format, &template->parts[i].variable, out, needs_exchange);
}

/* Settled NULL: all is asked of the exchange. */
static void template_build(struct exchange *x, const struct template *template, const struct log_format *format,
                           struct str *settled, struct builder *out) {
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        unsigned mark = MARK_LATE;
        if (part->variable.id != VARIABLE_NONE && settled)
            mark = mark_take(settled);
        if (part->variable.id == VARIABLE_NONE) {
            builder_str(out, part->text);
        } else if (mark != MARK_LATE) {
            builder_str(out, str_head(str_head(*settled, mark), out->capacity - out->len));
            *settled = str_from(*settled, mark);
        } else if (format) {
            value_build(x, format, &part->variable, out);
        } else {
            variable_eval(x, &part->variable, out);
        }
    }
}

/* ---- lines ---- */

static struct str line_build(struct exchange *x, const struct log_format *format, struct str *settled) {
    char *memory = x->engine->back_scratch; /* nothing of the back's is in it any more */
    struct builder out = builder_make(memory, LINE_MAX_BYTES - 1);
    template_build(x, &format->text, format, settled, &out);
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

static bool is_wanted(struct exchange *x, const struct access_log *log, struct str *settled) {
    char memory[4];
    struct builder value = builder_make(memory, sizeof memory);
    if (template_is_empty(&log->condition))
        return true;
    template_build(x, &log->condition, NULL, settled, &value);
    return value.overflow || (value.len && !str_eq(builder_view(&value), STR("0")));
}

/* Is the line wanted, as far as that is known? */
static bool condition_settle(struct exchange *x, const struct access_log *log, struct builder *out,
                             bool *needs_exchange) {
    if (template_is_empty(&log->condition))
        return true;
    if (!template_is_late(&log->condition)) {
        bool is = is_wanted(x, log, NULL);
        mark_put(out, is ? MARK_WANTED : MARK_UNWANTED);
        return is;
    }
    mark_put(out, MARK_LATE);
    template_settle(x, &log->condition, NULL, out, needs_exchange);
    return true;
}

bool access_log_settle(struct exchange *x, struct builder *out, bool *needs_exchange) {
    const struct policy *policy = exchange_policy(x);
    bool is_any = false;
    for (size_t i = 0; i < policy->access_logs.count; i++) {
        const struct access_log *log = &policy->access_logs.items[i];
        if (!condition_settle(x, log, out, needs_exchange))
            continue;
        is_any = true;
        *needs_exchange |= !template_is_empty(&log->file);
        template_settle(x, &log->format->text, log->format, out, needs_exchange);
    }
    return is_any;
}

void access_log_write(struct exchange *x, struct str *settled) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->access_logs.count; i++) {
        const struct access_log *log = &policy->access_logs.items[i];
        unsigned mark = MARK_LATE;
        if (settled && !template_is_empty(&log->condition))
            mark = mark_take(settled);
        bool is = mark == MARK_LATE ? is_wanted(x, log, settled) : mark == MARK_WANTED;
        if (!is && (!settled || mark == MARK_UNWANTED))
            continue;
        struct str line = line_build(x, log->format, settled); /* what is settled of it is taken in any case */
        if (is && template_is_empty(&log->file))
            log_sink_write(x->hold->snapshot->sinks[log->sink], line);
        else if (is)
            line_put(x, log, line);
    }
}
