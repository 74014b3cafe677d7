#include "dialect/nginx/upstream.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/resolver.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* upstream NAME { ... } */

enum { WEIGHT_MAX = 65535 };

bool upstream_repair(struct reader *reader, struct node *node) {
    struct endpoint endpoint;
    const char *problem;
    struct str name = node_name(node);
    if (node->is_block || !endpoint_parse(name, &endpoint, &problem) ||
        (!endpoint.is_unix && endpoint.port == 0))
        return false;
    struct word *words = arena_zero(&reader->scratch, node->count + 1, sizeof *words);
    if (!words)
        return reader_starve(reader);
    words[0] = node->words[0];
    words[0].text = STR("server");
    for (size_t i = 0; i < node->count; i++)
        words[i + 1] = node->words[i];
    struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, &node->words[0],
                                         "\"server\" is missing before \"%.*s\"", STR_ARG(name));
    diagnostic_hint(reader->diagnostics, said, "read as: server %.*s;", STR_ARG(name));
    node->words = words;
    node->count++;
    return true;
}

static struct upstream *upstream_make(struct reader *reader, struct str name, struct place place) {
    struct model *model = reader->model;
    struct upstream *upstream = reader_alloc(reader, sizeof *upstream);
    struct upstream **slot = upstream ? VEC_ADD(&model->upstreams, &model->arena) : NULL;
    if (!slot) {
        reader_starve(reader);
        return NULL;
    }
    *slot = upstream;
    *upstream = (struct upstream){.place = place,
                                  .name = name,
                                  .keepalive = 128,
                                  .keepalive_timeout_ms = 60000,
                                  .keepalive_requests = 1000};
    return upstream;
}

static struct upstream_server *server_make(struct reader *reader, struct upstream *upstream,
                                           const struct endpoint *endpoint, struct str name,
                                           struct place place) {
    struct upstream_server *server = VEC_ADD(&upstream->servers, &reader->model->arena);
    if (!server) {
        reader_starve(reader);
        return NULL;
    }
    *server = (struct upstream_server){.place = place,
                                       .name = name,
                                       .host = endpoint->host,
                                       .port = endpoint->is_unix ? 0
                                               : endpoint->port  ? endpoint->port
                                                                 : 80,
                                       .is_unix = endpoint->is_unix,
                                       .weight = 1,
                                       .max_fails = 1,
                                       .fail_timeout_ms = 10000};
    return server;
}

struct upstream *upstream_implicit(struct reader *reader, const struct endpoint *endpoint, struct place place) {
    char text[512];
    struct endpoint whole = *endpoint;
    struct builder out = builder_make(text, sizeof text);
    if (!whole.is_unix && whole.port == 0)
        whole.port = 80;
    endpoint_print(&out, &whole);
    for (size_t i = 0; i < reader->model->upstreams.count; i++) {
        struct upstream *upstream = reader->model->upstreams.items[i];
        if (upstream->is_implicit && str_eq_nocase(upstream->name, builder_view(&out)))
            return upstream;
    }
    struct str name = arena_copy(&reader->model->arena, builder_view(&out));
    struct upstream *upstream = name.ptr ? upstream_make(reader, name, place) : NULL;
    if (!upstream || !server_make(reader, upstream, &whole, name, place)) {
        reader_starve(reader);
        return NULL;
    }
    upstream->is_implicit = true;
    return upstream;
}

/* ---- server ---- */

enum parameter { WEIGHT, MAX_CONNS, MAX_FAILS, FAIL_TIMEOUT, BACKUP, DOWN, RESOLVE, NOT_BUILT };

static const struct {
    const char *name;
    enum parameter parameter;
} parameters[] = {
    {"weight=", WEIGHT},
    {"max_conns=", MAX_CONNS},
    {"max_fails=", MAX_FAILS},
    {"backup", BACKUP},
    {"down", DOWN},
    {"fail_timeout=", FAIL_TIMEOUT},
    {"resolve", RESOLVE},
    {"slow_start=", NOT_BUILT},
    {"drain", NOT_BUILT},
    {"route=", NOT_BUILT},
    {"service=", NOT_BUILT},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

static bool parameter_take(struct reader *reader, struct upstream_server *server, enum parameter parameter,
                           struct str value, const struct word *at) {
    uint64_t number = 0;
    bool is_number = str_to_u64(value, &number) && number <= UINT32_MAX;
    switch (parameter) {
    case WEIGHT:
        server->weight = (unsigned)number;
        return is_number && number >= 1 && number <= WEIGHT_MAX;
    case MAX_CONNS:
        server->max_connections = (unsigned)number;
        return is_number;
    case MAX_FAILS:
        server->max_fails = (unsigned)number;
        return is_number;
    case FAIL_TIMEOUT:
        return unit_time_ms(value, &server->fail_timeout_ms);
    case BACKUP:
        server->is_backup = true;
        return true;
    case DOWN:
        server->is_down = true;
        return true;
    case RESOLVE:
        server->is_resolved = !server->is_unix && !endpoint_is_literal(server->host);
        return true;
    case NOT_BUILT:
        reader_fail(reader, at, "\"%.*s\" of a server is not built yet", STR_ARG(at->text));
        return true;
    }
    return false;
}

static void parameter_read(struct reader *reader, struct upstream_server *server, const struct word *at) {
    struct str names[PARAMETERS];
    for (size_t i = 0; i < PARAMETERS; i++) {
        names[i] = str_of(parameters[i].name);
        bool has_value = str_ends(names[i], STR("="));
        if (has_value ? !str_starts(at->text, names[i]) : !str_eq(at->text, names[i]))
            continue;
        if (!parameter_take(reader, server, parameters[i].parameter, str_from(at->text, names[i].len), at))
            reader_fail(reader, at, "invalid value in \"%.*s\"", STR_ARG(at->text));
        return;
    }
    struct str name = at->text;
    size_t equals = str_find_char(name, '=');
    if (equals != STR_NONE)
        name.len = equals + 1;
    struct str near = diagnostic_nearest(name, names, PARAMETERS);
    struct diagnostic *said = reader_fail(reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
    else
        diagnostic_hint(
            reader->diagnostics, said,
            "a server takes weight= max_fails= fail_timeout= max_conns= backup down; each address has "
            "a line \"server\" of its own");
}

static void server_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    struct endpoint endpoint;
    const char *problem;
    if (!endpoint_parse(at->text, &endpoint, &problem)) {
        struct diagnostic *said = reader_fail(reader, at, "\"%.*s\" %s", STR_ARG(at->text), problem);
        if (str_find(at->text, STR("://")) != STR_NONE)
            diagnostic_hint(reader->diagnostics, said,
                            "a server is written without http:// and without a path");
        else
            diagnostic_hint(reader->diagnostics, said, "write: server HOST:PORT; or server unix:/PATH;");
        return;
    }
    struct upstream_server *server = server_make(reader, scope->upstream, &endpoint, at->text, word_place(at));
    for (size_t i = 2; server && i < node->count; i++)
        parameter_read(reader, server, &node->words[i]);
}

/* ---- methods ---- */

/* Says it when there was a method already; the last one counts, as in nginx. */
static void method_set(struct scope *scope, const struct node *node, enum balance balance) {
    if (scope->has_method)
        reader_say(scope->reader, SEVERITY_WARNING, &node->words[0], "load balancing method redefined");
    scope->has_method = true;
    scope->upstream->balance = balance;
}

static void hash_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    if (node->count == 3 && !str_eq(node->words[2].text, STR("consistent"))) {
        struct diagnostic *said = reader_fail(scope->reader, &node->words[2], "invalid parameter \"%.*s\"",
                                              STR_ARG(node->words[2].text));
        diagnostic_hint(scope->reader->diagnostics, said, "only \"consistent\" may follow the key");
        return;
    }
    struct template key;
    if (!compile_template(scope, &node->words[1], node->words[1].text, &key))
        return;
    struct str literal;
    if (template_is_literal(&key, &literal))
        reader_say(scope->reader, SEVERITY_WARNING, &node->words[1],
                   "the hash key has no variable in it: every request goes to the same server");
    method_set(scope, node, node->count == 3 ? BALANCE_HASH_CONSISTENT : BALANCE_HASH);
    scope->upstream->hash_key = key;
}

static void ip_hash_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    method_set(scope, node, BALANCE_IP_HASH);
}

static void least_conn_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    method_set(scope, node, BALANCE_LEAST_CONN);
}

static void sticky_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct str kind = node->words[1].text;
    if (str_eq(kind, STR("sid")) && node->count == 2) {
        scope->upstream->is_sticky_by_sid = true;
        return;
    }
    bool is_nginx = str_eq(kind, STR("cookie")) || str_eq(kind, STR("route")) || str_eq(kind, STR("learn"));
    struct diagnostic *said = is_nginx ? reader_fail(scope->reader, &node->words[1],
                                                     "\"sticky %.*s\" is not built yet", STR_ARG(kind))
                                       : reader_fail(scope->reader, &node->words[1],
                                                     "invalid parameter \"%.*s\" in \"sticky\"", STR_ARG(kind));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "for Socket.IO write: sticky sid; (by session id, without cookies)");
}

static void keepalive_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t count;
    if (set_read_number(scope, &node->words[1], row->name, 1000000, &count))
        scope->upstream->keepalive = (size_t)count;
}

/* ---- the block ---- */

static void block_verify(struct reader *reader, const struct upstream *upstream, const struct node *node) {
    bool has_primary = false, has_line = false;
    for (const struct node *at = node->first; at; at = at->next)
        has_line |= str_eq(node_name(at), STR("server"));
    for (size_t i = 0; i < upstream->servers.count; i++)
        has_primary |= !upstream->servers.items[i].is_backup;
    if (!has_line) {
        struct diagnostic *said = reader_fail(reader, &node->words[0], "no servers are inside upstream");
        diagnostic_hint(reader->diagnostics, said, "write at least one: server 127.0.0.1:3000;");
    } else if (!has_primary && upstream->servers.count) {
        reader_fail(reader, &node->words[0], "upstream \"%.*s\" has backup servers alone",
                    STR_ARG(upstream->name));
    }
    bool may_backup = upstream->balance == BALANCE_ROUND_ROBIN || upstream->balance == BALANCE_LEAST_CONN;
    for (const struct node *at = node->first; at && !may_backup; at = at->next)
        for (size_t i = 2; i < at->count; i++)
            if (at->row && str_eq(at->words[i].text, STR("backup")))
                reader_fail(reader, &at->words[i], "balancing method does not support parameter \"backup\"");
}

static void upstream_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str name = node->words[1].text;
    for (size_t i = 0; i < reader->model->upstreams.count; i++)
        if (str_eq_nocase(reader->model->upstreams.items[i]->name, name)) {
            struct diagnostic *said =
                reader_fail(reader, &node->words[1], "duplicate upstream \"%.*s\"", STR_ARG(name));
            diagnostic_hint(reader->diagnostics, said, "the first one is on line %u",
                            reader->model->upstreams.items[i]->place.line);
            return;
        }
    if (name.len == 0 || str_find_char(name, '/') != STR_NONE || compile_has_variable(name)) {
        reader_fail(reader, &node->words[1], "\"%.*s\" is no name for an upstream", STR_ARG(name));
        return;
    }
    struct upstream *upstream = upstream_make(reader, name, word_place(&node->words[0]));
    if (!upstream)
        return;
    struct scope inner = scope_inner(scope, CONTEXT_UPSTREAM, node);
    inner.upstream = upstream;
    scope_read(&inner);
    block_verify(reader, upstream, node);
}

static const struct directive rows[] = {
    {"upstream", CONTEXT_HTTP, 1, 1, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, upstream_read, NOTHING, NULL},
    {"server", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, 0, server_read, NOTHING, NULL},
    {"hash", CONTEXT_UPSTREAM, 1, 2, 0, hash_set, NOTHING, NULL},
    {"ip_hash", CONTEXT_UPSTREAM, 0, 0, 0, ip_hash_set, NOTHING, NULL},
    {"least_conn", CONTEXT_UPSTREAM, 0, 0, 0, least_conn_set, NOTHING, NULL},
    {"sticky", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, sticky_set, NOTHING, NULL},
    {"keepalive", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, keepalive_set, NOTHING, NULL},
    {"keepalive_timeout", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_time_ms, UPSTREAM(keepalive_timeout_ms),
     NULL},
    {"keepalive_requests", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_number, UPSTREAM(keepalive_requests),
     NULL},
    {"keepalive_time", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"zone", CONTEXT_UPSTREAM, 1, 2, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "all threads share what they know of the servers in any case"},
    {"random", CONTEXT_UPSTREAM, 0, 2, 0, set_not_built, NOTHING, "\"least_conn;\" balances by load"},
    {"least_time", CONTEXT_UPSTREAM, 1, 2, 0, set_not_built, NOTHING, "\"least_conn;\" balances by load"},
    {"resolver", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, resolver_read_upstream, NOTHING, NULL},
    {"resolver_timeout", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_wait_ms, UPSTREAM(resolver_timeout_ms),
     NULL},
    {"queue", CONTEXT_UPSTREAM, 1, 2, 0, set_not_built, NOTHING, NULL},
    {"ntlm", CONTEXT_UPSTREAM, 0, 0, 0, set_not_built, NOTHING, NULL},
    {"state", CONTEXT_UPSTREAM, 1, 1, 0, set_not_built, NOTHING, NULL},
};

const struct area upstream_area = {rows, sizeof rows / sizeof *rows};
