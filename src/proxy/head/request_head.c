#include "proxy/head/request_head.h"

#include "codec/uri.h"
#include "proxy/head/field.h"
#include "proxy/variable/variables.h"

static void args_build(const struct exchange *x, struct builder *out) {
    if (x->args.len == 0)
        return;
    builder_char(out, '?');
    if (x->is_uri_changed) /* variables may have put anything into them */
        uri_encode_target(out, x->args);
    else
        builder_str(out, x->args);
}

/* What came without escapes is passed on without, as nginx does. */
static void path_build(const struct exchange *x, struct builder *out, struct str path) {
    const struct h1_head *request = x->request;
    if (x->is_internal || memchr(request->base + request->path_at, '%', request->path_len))
        uri_encode_path(out, path);
    else
        builder_str(out, path);
}

/* proxy_pass with a URI: what the location's prefix matched is replaced by it. */
static void target_replaced_build(const struct exchange *x, struct builder *out) {
    const struct route *route = x->route;
    size_t matched =
        route->match == ROUTE_PREFIX || route->match == ROUTE_PREFIX_FINAL || route->match == ROUTE_EXACT
            ? route->pattern.len
            : x->path.len;
    builder_str(out, route->pass->uri);
    path_build(x, out, str_from(x->path, matched));
    args_build(x, out);
}

void request_target_build(const struct exchange *x, struct builder *out) {
    const struct h1_head *request = x->request;
    if (x->pass_uri.len) { /* with variables it replaces all */
        builder_str(out, x->pass_uri.ptr[0] == '/' ? STR("") : STR("/"));
        uri_encode_target(out, x->pass_uri);
        return;
    }
    if (x->route->pass->has_uri && !x->is_path_foreign) {
        target_replaced_build(x, out);
        return;
    }
    if (x->is_uri_changed || x->is_path_foreign) {
        path_build(x, out, x->path);
        args_build(x, out);
        return;
    }
    if (request->authority_len == 0) {
        builder_bytes(out, request->base + request->target_at, request->target_len);
        return;
    }
    if (request->path_len)
        builder_bytes(out, request->base + request->path_at, request->path_len);
    else
        builder_char(out, '/');
    if (request->query_at) {
        builder_char(out, '?');
        builder_str(out, h1_head_query(request));
    }
}

/* Does a proxy_set_header rule speak of `name`? Then the client's field of that name does not pass. */
static bool has_rule(const struct policy *policy, struct str name) {
    for (size_t i = 0; i < policy->proxy_headers.count; i++)
        if (str_eq_nocase(policy->proxy_headers.items[i].name, name))
            return true;
    return false;
}

/* Connection and Upgrade belong together: both for an upgrade that the client validly asked for, never one
 * alone. */
static void upgrade_build(const struct exchange *x, struct builder *out, bool has_upgrade,
                          bool has_connection) {
    if (x->is_upgrade && has_upgrade)
        builder_str(out, STR("Upgrade: websocket\r\n"));
    if (x->is_upgrade && has_connection)
        builder_str(out, STR("Connection: upgrade\r\n"));
}

/* proxy_set_header, in the order written. How the body is framed is not for it to say. */
static void rules_build(struct exchange *x, struct builder *out) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->proxy_headers.count; i++) {
        const struct header_rule *rule = &policy->proxy_headers.items[i];
        bool is_upgrade = str_eq_nocase(rule->name, STR("Upgrade"));
        bool is_connection = str_eq_nocase(rule->name, STR("Connection"));
        if (str_eq_nocase(rule->name, STR("Content-Length")) ||
            str_eq_nocase(rule->name, STR("Transfer-Encoding")))
            continue;
        if (x->is_upgrade && (is_upgrade || is_connection))
            upgrade_build(x, out, is_upgrade, is_connection);
        else if (!is_upgrade)
            field_build_rule(x, out, rule);
    }
}

/* What nginx sends where no rule speaks of it: Host, and since 1.29.7 no Connection. */
static void defaults_build(struct exchange *x, struct builder *out) {
    const struct policy *policy = exchange_policy(x);
    if (!has_rule(policy, STR("Host")))
        field_build(out, STR("Host"), x->pass_host);
    if (x->is_upgrade)
        upgrade_build(x, out, !policy->says_upgrade, !has_rule(policy, STR("Connection")));
}

/* The one-liner's X-Forwarded-*: set where no rule does. */
static const struct {
    struct str name;
    enum variable_id variable;
} forwarded[] = {
    {{"X-Forwarded-For", 15}, VARIABLE_PROXY_ADD_X_FORWARDED_FOR},
    {{"X-Forwarded-Proto", 17}, VARIABLE_SCHEME},
    {{"X-Forwarded-Host", 16}, VARIABLE_HTTP},
};

static void forwarded_build(struct exchange *x, struct builder *out) {
    for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
        if (has_rule(exchange_policy(x), forwarded[i].name))
            continue;
        struct variable variable = {.id = forwarded[i].variable, .name = STR("host")};
        size_t begin = out->len;
        builder_str(out, forwarded[i].name);
        builder_str(out, STR(": "));
        size_t value = out->len;
        variable_eval(x, &variable, out);
        if (out->len == value)
            out->len = begin;
        else
            builder_str(out, STR("\r\n"));
    }
}

static bool is_forwarded_id(unsigned id) {
    return id == H1_X_FORWARDED_FOR || id == H1_X_FORWARDED_PROTO || id == H1_X_FORWARDED_HOST;
}

static bool field_passes(const struct exchange *x, const struct h1_field *field) {
    const struct policy *policy = exchange_policy(x);
    switch (field->id) {
    case H1_HOST:
    case H1_CONTENT_LENGTH:
    case H1_EXPECT:
        return false;
    case H1_ACCEPT_ENCODING:
        if (x->down.watched && x->eio.sid.len == 0)
            return false; /* the open packet must be readable */
        break;
    default:
        break;
    }
    if (h1_field_is_hop_by_hop(x->request, field) || (policy->forwards && is_forwarded_id(field->id)))
        return false;
    return !has_rule(policy, h1_field_name(x->request, field));
}

static void fields_build(struct exchange *x, struct builder *out) {
    const struct h1_head *request = x->request;
    struct field_run run = {.head = request, .out = out};
    for (unsigned i = 0; i < request->field_count; i++)
        if (field_passes(x, &request->fields[i]))
            field_run_add(&run, &request->fields[i]);
    field_run_end(&run);
}

/* What an upgrade cannot do without. */
static void handshake_build(struct exchange *x, struct builder *out) {
    const struct h1_head *request = x->request;
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct h1_field *field = &request->fields[i];
        if (str_starts_nocase(h1_field_name(request, field), STR("Sec-WebSocket-")))
            field_build(out, h1_field_name(request, field), h1_field_value(request, field));
    }
}

static void framing_build(const struct exchange *x, struct builder *out) {
    if (x->up.framing == H1_CHUNKED) {
        field_build(out, STR("Transfer-Encoding"), STR("chunked"));
    } else if (x->up.framing == H1_LENGTH) {
        builder_str(out, STR("Content-Length: "));
        builder_u64(out, x->up_length);
        builder_str(out, STR("\r\n"));
    }
}

bool request_head_build(struct exchange *x, struct builder *out) {
    const struct policy *policy = exchange_policy(x);
    builder_str(out, x->asked_method);
    builder_char(out, ' ');
    request_target_build(x, out);
    builder_str(out, policy->proxy.http_minor ? STR(" HTTP/1.1\r\n") : STR(" HTTP/1.0\r\n"));
    rules_build(x, out);
    defaults_build(x, out);
    if (policy->forwards)
        forwarded_build(x, out);
    framing_build(x, out);
    if (policy->proxy.passes_request_headers)
        fields_build(x, out);
    else if (x->is_upgrade)
        handshake_build(x, out);
    builder_str(out, STR("\r\n"));
    return !out->overflow;
}
