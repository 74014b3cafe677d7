#include "proxy/head/field.h"

#include "proxy/variable/variables.h"

void field_build(struct builder *out, struct str name, struct str value) {
    builder_str(out, name);
    builder_str(out, STR(": "));
    builder_str(out, value);
    builder_str(out, STR("\r\n"));
}

void field_run_end(struct field_run *run) {
    builder_bytes(run->out, run->head->base + run->at, run->end - run->at);
    run->at = run->end;
}

/* Is the line written as field_build would? */
static bool is_plain(const struct h1_head *head, const struct h1_field *field) {
    const char *colon = head->base + field->name_at + field->name_len;
    const char *end = head->base + field->value_at + field->value_len;
    return head->base + field->value_at == colon + 2 && colon[1] == ' ' && end[0] == '\r' && end[1] == '\n';
}

void field_run_add(struct field_run *run, const struct h1_field *field) {
    if (field->name_at != run->end) {
        field_run_end(run);
        run->at = run->end = field->name_at;
    }
    if (is_plain(run->head, field)) {
        run->end = field->value_at + field->value_len + 2;
        return;
    }
    field_run_end(run);
    field_build(run->out, h1_field_name(run->head, field), h1_field_value(run->head, field));
}

static bool is_control(char c) {
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

void field_blank(struct builder *out, size_t at) {
    if (builder_is_plain(str_make(out->ptr + at, out->len - at))) /* nearly all are */
        return;
    for (size_t i = at; i < out->len; i++)
        if (is_control(out->ptr[i]))
            out->ptr[i] = ' ';
}

void field_build_rule(struct exchange *x, struct builder *out, const struct header_rule *rule) {
    size_t begin = out->len;
    builder_str(out, rule->name);
    builder_str(out, STR(": "));
    size_t value = out->len;
    template_eval(x, &rule->value, out);
    if (out->len == value) {
        out->len = begin;
        return;
    }
    field_blank(out, value);
    builder_str(out, STR("\r\n"));
}
