#include "dialect/endpoint.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/headers.h"
#include "dialect/nginx/pass.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* How requests are passed to an upstream. */

/* Both say where the body ends, which is not for a configuration to say; empty, as auth_request is documented
 * with, they ask for what is done. */
static void framing_note(struct scope *scope, const struct node *node) {
    const struct word *name = &node->words[1];
    bool is_length = str_eq_nocase(name->text, STR("Content-Length"));
    if ((!is_length && !str_eq_nocase(name->text, STR("Transfer-Encoding"))) || node->words[2].text.len == 0)
        return;
    struct diagnostic *said =
        reader_say(scope->reader, SEVERITY_WARNING, name,
                   "\"proxy_set_header %.*s\" has no effect: the body that is sent is announced as it is",
                   STR_ARG(name->text));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "remove it; proxy_request_buffering on, the default, gives servers a Content-Length");
}

/* proxy_set_header NAME VALUE: one in a block replaces all of the outer ones. */
static void proxy_header_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct policy *policy = scope->policy;
    struct header_rule rule;
    if (scope->is_first) {
        memset(&policy->proxy_headers, 0, sizeof policy->proxy_headers);
        policy->says_upgrade = false;
    }
    if (!headers_rule_read(scope, node, &rule))
        return;
    framing_note(scope, node);
    struct header_rule *slot = READER_ADD(scope->reader, &policy->proxy_headers);
    if (!slot)
        return;
    *slot = rule;
    policy->says_upgrade |= str_eq_nocase(rule.name, STR("Upgrade"));
}

static void version_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str text = node->words[1].text;
    if (str_eq(text, STR("1.0")) || str_eq(text, STR("1.1")))
        scope->policy->proxy.http_minor = text.ptr[2] == '1';
    else if (str_eq(text, STR("2")))
        reader_refuse(scope->reader, &node->words[1], row->name,
                      "servers are spoken to by HTTP/1.1: write 1.1");
    else
        set_fail(scope, &node->words[1], row, "1.0 or 1.1");
}

/* proxy_method METHOD */
static void method_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct template *method = &scope->policy->proxy.method;
    const struct word *at = &node->words[1];
    if (!compile_has_variable(at->text) && !headers_name_is_valid(at->text))
        set_fail(scope, at, row, "the name of a method, as POST");
    else
        compile_template(scope, at, at->text, method);
}

/* proxy_buffers NUMBER SIZE */
static void buffers_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t count, bytes;
    if (!str_to_u64(node->words[1].text, &count) || count < 2 || count > 65536) {
        set_fail(scope, &node->words[1], row, "a number of buffers, 2 at least, then their size");
        return;
    }
    if (!unit_size(node->words[2].text, false, &bytes) || bytes == 0 || bytes > 1 << 30) {
        set_fail(scope, &node->words[2], row, "the size of a buffer, as 8k");
        return;
    }
    scope->policy->proxy.buffers = (size_t)count;
    scope->policy->proxy.buffer_bytes = (size_t)bytes;
}

static void transparent_set(struct scope *scope, const struct word *at) {
    struct process_settings *settings = &scope->reader->model->process;
    scope->policy->proxy.binds_transparently = true;
    if (!settings->is_transparent)
        settings->transparent_place = word_place(at);
    settings->is_transparent = true;
}

/* proxy_bind ADDRESS[:PORT] [transparent] | off */
static void bind_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct template *bind = &scope->policy->proxy.bind;
    bool is_transparent = node->count == 3 && str_eq(node->words[2].text, STR("transparent"));
    const struct word *at = &node->words[1];
    struct endpoint endpoint;
    const char *problem;
    scope->policy->proxy.binds_transparently = false;
    if (node->count == 3 && !is_transparent) {
        set_fail(scope, &node->words[2], row, "\"transparent\", and nothing else, that follows the address");
    } else if (str_eq(at->text, STR("off"))) {
        *bind = (struct template){0};
    } else if (!compile_has_variable(at->text) &&
               (!endpoint_parse(at->text, &endpoint, &problem) || endpoint.is_unix)) {
        reader_fail(scope->reader, at, "invalid address \"%.*s\"", STR_ARG(at->text));
    } else if (compile_template(scope, at, at->text, bind) && is_transparent) {
        transparent_set(scope, &node->words[2]);
    }
}

/* proxy_set_body TEXT */
static void body_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    scope->policy->proxy.has_body =
        compile_template(scope, &node->words[1], node->words[1].text, &scope->policy->proxy.body);
}

enum { NEXT_OFF = 1 << 30 };

static const struct set_word cases[] = {
    {"error", NEXT_ERROR},
    {"timeout", NEXT_TIMEOUT},
    {"invalid_header", NEXT_INVALID_HEADER},
    {"non_idempotent", NEXT_NON_IDEMPOTENT},
    {"http_403", NEXT_403},
    {"http_404", NEXT_404},
    {"http_429", NEXT_429},
    {"http_500", NEXT_500},
    {"http_502", NEXT_502},
    {"http_503", NEXT_503},
    {"http_504", NEXT_504},
    {"updating", 0}, /* of caches, which there are none of */
    {"denied", 0},   /* by proxy_allow_upstream */
    {"off", NEXT_OFF},
};

static void next_set(struct scope *scope, const struct node *node, const struct directive *row) {
    unsigned bits = set_read_words(scope, node, row, cases, sizeof cases / sizeof *cases, NULL);
    scope->policy->next_upstream = bits & NEXT_OFF ? 0 : bits;
}

static const char no_cache[] = "nothing is cached here";

static const struct directive rows[] = {
    {"proxy_pass", CONTEXT_LOCATION | CONTEXT_LOCATION_IF | CONTEXT_LIMIT, 1, 1, DIRECTIVE_ONCE, pass_read,
     NOTHING, NULL},
    {"proxy_set_header", CONTEXT_HSL, 2, 2, 0, proxy_header_add, NOTHING, NULL},
    {"proxy_connect_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(connect_timeout_ms), NULL},
    {"proxy_read_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(read_timeout_ms), NULL},
    {"proxy_send_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(send_timeout_ms), NULL},
    {"proxy_handshake_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(handshake_timeout_ms),
     NULL},
    {"proxy_http_version", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, version_set, NOTHING, NULL},
    {"proxy_method", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, method_set, NOTHING, NULL},
    {"proxy_set_body", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, body_set, NOTHING, NULL},
    {"proxy_pass_request_headers", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag,
     POLICY(proxy.passes_request_headers), NULL},
    {"proxy_pass_request_body", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.passes_request_body),
     NULL},
    {"proxy_next_upstream", CONTEXT_HSL, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, next_set, NOTHING, NULL},
    {"proxy_next_upstream_tries", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_tries, POLICY(next_upstream_tries),
     NULL},
    {"proxy_next_upstream_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_time_ms,
     POLICY(next_upstream_timeout_ms), NULL},
    {"proxy_request_buffering", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.is_request_buffered),
     NULL},
    {"proxy_buffering", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.is_buffered), NULL},
    {"proxy_buffer_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_size, POLICY(proxy.head_bytes), NULL},
    {"proxy_buffers", CONTEXT_HSL, 2, 2, DIRECTIVE_ONCE, buffers_set, NOTHING, NULL},
    {"proxy_busy_buffers_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_size_unused, POLICY(proxy.busy_bytes),
     "what a client can take goes to it at once"},
    {"proxy_max_temp_file_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_bytes, POLICY(proxy.temp_max_bytes),
     NULL},
    {"proxy_temp_file_write_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_size_unused,
     POLICY(proxy.temp_write_bytes), "what comes is written to the file as it came"},
    {"proxy_temp_path", CONTEXT_HSL, 1, 4, DIRECTIVE_ONCE, set_temp_path, POLICY(proxy.temp_path), NULL},
    {"proxy_bind", CONTEXT_HSL | CONTEXT_STREAMS, 1, 2, DIRECTIVE_ONCE, bind_set, NOTHING, NULL},
    {"proxy_limit_rate", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_rate, POLICY(proxy.limit_rate), NULL},
    {"proxy_pass_trailers", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.passes_trailers), NULL},
    {"proxy_send_lowat", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"proxy_socket_keepalive", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "servers that vanish are found in any case"},
    {"proxy_headers_hash_max_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"proxy_headers_hash_bucket_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"proxy_cache_bypass", CONTEXT_HSL, 1, ARGUMENTS_ANY, 0, set_nothing, NOTHING, no_cache},
    {"proxy_no_cache", CONTEXT_HSL, 1, ARGUMENTS_ANY, 0, set_nothing, NOTHING, no_cache},
    {"proxy_cache", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "off"},
    {"proxy_intercept_errors", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.intercepts_errors),
     NULL},
    {"proxy_ignore_client_abort", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag,
     POLICY(proxy.ignores_client_abort), NULL},
    {"proxy_store", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "off"},
    {"proxy_force_ranges", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(proxy.forces_ranges), NULL},
};

const struct area proxy_area = {rows, sizeof rows / sizeof *rows};
