#include "model/print/pass_print.h"

#include "model/print/put.h"

static void put_names(struct builder *out, unsigned depth, const char *what, const struct str *names,
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_indent(out, depth);
        builder_format(out, "%s %.*s\n", what, STR_ARG(names[i]));
    }
}

static void put_from(struct builder *out, const struct regex *regex, const struct template *from) {
    if (regex)
        builder_str(out, STR("regex"));
    else
        put_template(out, from);
}

static void put_replacements(struct builder *out, unsigned depth, const char *what,
                             const struct replacement *rules, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_indent(out, depth);
        builder_format(out, "%s ", what);
        put_from(out, rules[i].regex, &rules[i].from);
        builder_str(out, STR(" to "));
        put_template(out, &rules[i].to);
        builder_char(out, '\n');
    }
}

static void put_cookie_rules(struct builder *out, unsigned depth, const struct proxy_policy *policy) {
    for (size_t i = 0; i < policy->cookie_rules.count; i++) {
        const struct cookie_rule *rule = &policy->cookie_rules.items[i];
        put_indent(out, depth);
        builder_str(out, STR("cookie_flags "));
        put_from(out, rule->regex, &rule->name);
        for (size_t k = 0; k < rule->flags.count; k++) {
            builder_char(out, ' ');
            put_template(out, &rule->flags.items[k]);
        }
        builder_char(out, '\n');
    }
}

static void put_text(struct builder *out, unsigned depth, const char *what, const struct template *text) {
    put_indent(out, depth);
    builder_format(out, "%s ", what);
    put_template(out, text);
    builder_char(out, '\n');
}

void pass_print_rates(struct builder *out, unsigned depth, const struct template *rate,
                      const struct template *after) {
    if (!template_is_empty(rate))
        put_text(out, depth, "limit_rate", rate);
    if (!template_is_empty(after))
        put_text(out, depth, "limit_rate_after", after);
}

static void put_path(struct builder *out, unsigned depth, const char *what, const struct temp_path *path,
                     const struct temp_path *usual) {
    if (str_eq(path->directory, usual->directory))
        return;
    put_indent(out, depth);
    builder_format(out, "%s %.*s", what, STR_ARG(path->directory));
    for (unsigned i = 0; i < 3 && path->levels[i]; i++)
        builder_format(out, " %u", path->levels[i]);
    builder_char(out, '\n');
}

void pass_print_body(struct builder *out, unsigned depth, const struct body_policy *body,
                     const struct body_policy *usual) {
    put_number(out, depth, "body_buffer_bytes", body->buffer_bytes, usual->buffer_bytes);
    put_number(out, depth, "body_file_only", body->file_only, usual->file_only);
    put_path(out, depth, "body_path", &body->path, &usual->path);
}

void pass_print_policy(struct builder *out, unsigned depth, const struct proxy_policy *policy,
                       const struct proxy_policy *usual) {
#define NUMBER(member) put_number(out, depth, "proxy_" #member, policy->member, usual->member)
    NUMBER(http_minor);
    NUMBER(passes_request_headers);
    NUMBER(passes_request_body);
    NUMBER(ignored);
    NUMBER(is_request_buffered);
    NUMBER(is_buffered);
    NUMBER(ignores_client_abort);
    NUMBER(forces_ranges);
    NUMBER(intercepts_errors);
    NUMBER(head_bytes);
    NUMBER(buffers);
    NUMBER(buffer_bytes);
    NUMBER(busy_bytes);
    NUMBER(temp_write_bytes);
    NUMBER(temp_max_bytes);
    NUMBER(passes_trailers);
#undef NUMBER
    put_path(out, depth, "proxy_temp_path", &policy->temp_path, &usual->temp_path);
    if (!template_is_empty(&policy->bind))
        put_text(out, depth, policy->binds_transparently ? "proxy_bind transparent" : "proxy_bind",
                 &policy->bind);
    if (!template_is_empty(&policy->limit_rate))
        put_text(out, depth, "proxy_limit_rate", &policy->limit_rate);
    if (!template_is_empty(&policy->method))
        put_text(out, depth, "proxy_method", &policy->method);
    if (policy->has_body)
        put_text(out, depth, "proxy_body", &policy->body);
    put_names(out, depth, "hide_header", policy->hidden.items, policy->hidden.count);
    put_names(out, depth, "pass_header", policy->passed.items, policy->passed.count);
    if (policy->redirect == REDIRECT_OFF)
        put_names(out, depth, "redirect", &STR("off"), 1);
    put_replacements(out, depth, "redirect", policy->redirects.items, policy->redirects.count);
    put_replacements(out, depth, "cookie_domain", policy->cookie_domains.items, policy->cookie_domains.count);
    put_replacements(out, depth, "cookie_path", policy->cookie_paths.items, policy->cookie_paths.count);
    put_cookie_rules(out, depth, policy);
}
