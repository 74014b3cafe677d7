#include "dialect/nginx/upstream.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/resolver.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/sticky.h"
#include "dialect/nginx/unit.h"

/* upstream NAME { ... } */

static struct upstream *upstream_make(struct reader *reader, struct str name, struct place place,
                                      bool is_stream) {
    struct model *model = reader->model;
    struct upstream *upstream = reader_alloc(reader, sizeof *upstream);
    struct upstream **slot = upstream ? READER_ADD(reader, &model->upstreams) : NULL;
    if (!slot)
        return NULL;
    *slot = upstream;
    *upstream = (struct upstream){.place = place,
                                  .name = name,
                                  .key = is_stream ? reader_join(reader, name, STR(" (stream)")) : name,
                                  .is_stream = is_stream,
                                  .keepalive = 128,
                                  .keepalive_timeout_ms = 60000,
                                  .keepalive_requests = 1000,
                                  .keepalive_time_ms = 3600000};
    return upstream;
}

struct upstream *upstream_implicit(struct reader *reader, const struct endpoint *endpoint, uint16_t port,
                                   struct place place, bool is_stream) {
    char text[512];
    struct endpoint whole = *endpoint;
    struct builder out = builder_make(text, sizeof text);
    if (!whole.is_unix && whole.port == 0)
        whole.port = port;
    endpoint_print(&out, &whole);
    for (size_t i = 0; i < reader->model->upstreams.count; i++) {
        struct upstream *upstream = reader->model->upstreams.items[i];
        if (upstream->is_implicit && upstream->is_stream == is_stream &&
            str_eq_nocase(upstream->name, builder_view(&out)))
            return upstream;
    }
    struct str name = arena_copy(&reader->model->arena, builder_view(&out));
    struct upstream *upstream = name.ptr ? upstream_make(reader, name, place, is_stream) : NULL;
    if (!upstream || !upstream_server_make(reader, upstream, &whole, name, place)) {
        reader_starve(reader);
        return NULL;
    }
    upstream->is_implicit = true;
    return upstream;
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

/* random [two [least_conn]] */
static void random_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    const struct word *wrong = NULL;
    if (node->count > 1 && !str_eq(node->words[1].text, STR("two")))
        wrong = &node->words[1];
    else if (node->count > 2 && !str_eq(node->words[2].text, STR("least_conn")))
        wrong = &node->words[2];
    if (wrong) {
        struct diagnostic *said =
            reader_fail(scope->reader, wrong, "invalid parameter \"%.*s\"", STR_ARG(wrong->text));
        diagnostic_hint(scope->reader->diagnostics, said,
                        "write: random; or random two; the better of two is that with fewer connections");
        return;
    }
    method_set(scope, node, node->count > 1 ? BALANCE_RANDOM_TWO : BALANCE_RANDOM);
}

/* keepalive NUMBER [local] */
static void keepalive_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t count;
    if (set_read_number(scope, &node->words[1], row->name, 1000000, &count))
        scope->upstream->keepalive = (size_t)count;
    if (node->count < 3)
        return;
    const struct word *at = &node->words[2];
    if (str_eq(at->text, STR("local")))
        reader_say(scope->reader, SEVERITY_NOTE, at,
                   "\"local\" has no effect: what differs by location is no part of a connection");
    else
        reader_fail(scope->reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
}

/* queue NUMBER [timeout=TIME] */
static void queue_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct upstream *upstream = scope->upstream;
    uint64_t count;
    if (!set_read_number(scope, &node->words[1], row->name, 1000000, &count))
        return;
    if (count == 0) {
        reader_fail(scope->reader, &node->words[1], "invalid value \"0\" in \"queue\" directive");
        return;
    }
    upstream->queue_max = count;
    upstream->queue_timeout_ms = 60000;
    if (node->count < 3)
        return;
    const struct word *at = &node->words[2];
    if (!str_starts(at->text, STR("timeout=")) ||
        !unit_time_ms(str_from(at->text, 8), &upstream->queue_timeout_ms))
        reader_fail(scope->reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
}

/* zone NAME [SIZE]: what it is for is so in any case. */
static void zone_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    enum { LEAST = 8 * 4096 };
    struct reader *reader = scope->reader;
    uint64_t bytes;
    if (!node->words[1].text.len)
        reader_fail(reader, &node->words[1], "invalid zone name \"\"");
    else if (node->count > 2 && !unit_size(node->words[2].text, false, &bytes))
        reader_fail(reader, &node->words[2], "invalid zone size \"%.*s\"", STR_ARG(node->words[2].text));
    else if (node->count > 2 && bytes < LEAST)
        reader_fail(reader, &node->words[2], "zone \"%.*s\" is too small", STR_ARG(node->words[1].text));
    else
        reader_say(reader, SEVERITY_NOTE, &node->words[0],
                   "\"zone\" has no effect: all threads share what they know of the servers in any case");
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
}

/* What goes by requests has no place where there are none. */
static void stream_verify(struct reader *reader, const struct node *block) {
    static const char *const words[] = {
        "ip_hash", "sticky", "queue", "keepalive", "keepalive_timeout", "keepalive_requests", "keepalive_time"};
    for (const struct node *node = block->first; node; node = node->next)
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (str_eq(node_name(node), str_of(words[i]))) {
                struct diagnostic *said = reader_fail(
                    reader, &node->words[0], "\"%s\" is not allowed in an upstream of stream", words[i]);
                if (i < 2)
                    diagnostic_hint(reader->diagnostics, said, "write: hash $remote_addr consistent;");
            }
}

static void upstream_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str name = node->words[1].text;
    bool is_stream = (scope->context & CONTEXT_STREAM) != 0;
    for (size_t i = 0; i < reader->model->upstreams.count; i++)
        if (reader->model->upstreams.items[i]->is_stream == is_stream &&
            str_eq_nocase(reader->model->upstreams.items[i]->name, name)) {
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
    struct upstream *upstream = upstream_make(reader, name, word_place(&node->words[0]), is_stream);
    if (!upstream)
        return;
    struct scope inner = scope_inner(scope, CONTEXT_UPSTREAM, node);
    inner.upstream = upstream;
    scope_read(&inner);
    if (is_stream)
        stream_verify(reader, node);
    block_verify(reader, upstream, node);
}

static const struct directive rows[] = {
    {"upstream", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, upstream_read, NOTHING,
     NULL},
    {"server", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, 0, upstream_server_read, NOTHING, NULL},
    {"hash", CONTEXT_UPSTREAM, 1, 2, 0, hash_set, NOTHING, NULL},
    {"ip_hash", CONTEXT_UPSTREAM, 0, 0, 0, ip_hash_set, NOTHING, NULL},
    {"least_conn", CONTEXT_UPSTREAM, 0, 0, 0, least_conn_set, NOTHING, NULL},
    {"sticky", CONTEXT_UPSTREAM, 0, ARGUMENTS_ANY, DIRECTIVE_ONCE, sticky_read, NOTHING, NULL},
    {"keepalive", CONTEXT_UPSTREAM, 1, 2, DIRECTIVE_ONCE, keepalive_set, NOTHING, NULL},
    {"keepalive_timeout", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_time_ms, UPSTREAM(keepalive_timeout_ms),
     NULL},
    {"keepalive_requests", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_number, UPSTREAM(keepalive_requests),
     NULL},
    {"keepalive_time", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_time_ms, UPSTREAM(keepalive_time_ms), NULL},
    {"zone", CONTEXT_UPSTREAM, 1, 2, DIRECTIVE_ONCE, zone_set, NOTHING, NULL},
    {"random", CONTEXT_UPSTREAM, 0, 2, 0, random_set, NOTHING, NULL},
    {"least_time", CONTEXT_UPSTREAM, 1, 2, 0, set_unsupported, NOTHING, "\"least_conn;\" balances by load"},
    {"resolver", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, resolver_read_upstream, NOTHING, NULL},
    {"resolver_timeout", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_wait_ms, UPSTREAM(resolver_timeout_ms),
     NULL},
    {"queue", CONTEXT_UPSTREAM, 1, 2, DIRECTIVE_ONCE, queue_set, NOTHING, NULL},
    {"ntlm", CONTEXT_UPSTREAM, 0, 0, 0, set_unsupported, NOTHING,
     "connections are shared among clients: let the application know them by something other than NTLM"},
    {"state", CONTEXT_UPSTREAM, 1, 1, 0, set_unsupported, NOTHING,
     "write its servers into the upstream, or include a file of them; a reload takes them over"},
};

const struct area upstream_area = {rows, sizeof rows / sizeof *rows};
