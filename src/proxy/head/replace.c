#include "proxy/head/replace.h"

#include "proxy/variable/variables.h"

enum { TEXT_MAX = 2048 };

struct str replace_eval(struct exchange *x, const struct template *template, char *memory, size_t room) {
    struct str text;
    if (template_is_empty(template))
        return STR("");
    if (template_is_literal(template, &text))
        return text;
    struct builder out = builder_make(memory, room);
    template_eval(x, template, &out);
    return builder_view(&out);
}

bool replace_prefix_build(struct exchange *x, struct builder *out, const struct replacement *rule,
                          struct str value, size_t at) {
    char memory[TEXT_MAX];
    struct str rest = str_from(value, at);
    if (rule->regex) {
        if (!exchange_match(x, rule->regex, rest))
            return false;
        rest = STR("");
    } else {
        struct str from = replace_eval(x, &rule->from, memory, sizeof memory);
        if (!str_starts(rest, from))
            return false;
        rest = str_from(rest, from.len);
    }
    builder_str(out, str_head(value, at));
    template_eval(x, &rule->to, out);
    builder_str(out, rest);
    return true;
}

bool replace_domain_build(struct exchange *x, struct builder *out, const struct replacement *rule,
                          struct str value) {
    char memory[TEXT_MAX];
    size_t dot = str_starts(value, STR(".")) && !rule->regex;
    if (rule->regex ? !exchange_match(x, rule->regex, value)
                    : !str_eq_nocase(str_from(value, dot), replace_eval(x, &rule->from, memory, sizeof memory)))
        return false;
    builder_str(out, str_head(value, dot));
    template_eval(x, &rule->to, out);
    return true;
}
