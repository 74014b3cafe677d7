#include "proxy/field.h"

#include "proxy/variables.h"

void field_build(struct builder *out, struct str name, struct str value) {
    builder_str(out, name);
    builder_str(out, STR(": "));
    builder_str(out, value);
    builder_str(out, STR("\r\n"));
}

/* Bytes that would end the line, and begin another, as blanks. */
static void line_breaks_blank(char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == '\0')
            bytes[i] = ' ';
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
    line_breaks_blank(out->ptr + value, out->len - value);
    builder_str(out, STR("\r\n"));
}
