#include "dialect/nginx/stream.h"

#include "dialect/endpoint.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/map.h"
#include "dialect/nginx/pass.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/slot.h"
#include "dialect/nginx/upstream.h"

/* stream { } and, of nginx_tcp_proxy_module, tcp { }: connections that are passed on as they are. */

enum { PROXY_TIMEOUT_MS = 600000, PREREAD_BYTES = 16384, PREREAD_TIMEOUT_MS = 30000, CHECK_TIMEOUT_MS = 5000 };

/* What http and stream each have their own of: names in one mean nothing in the other. */
struct names {
    struct map maps, slots, matches;
    __typeof__(((struct reader *)NULL)->formats) formats;
    struct policy policy;
    struct site site;
};

static struct names names_swap(struct reader *reader, const struct names *with) {
    struct names names = {reader->maps,    reader->slots,  reader->matches,
                          reader->formats, reader->policy, reader->site};
    reader->maps = with->maps;
    reader->slots = with->slots;
    reader->matches = with->matches;
    reader->formats = with->formats;
    reader->policy = with->policy;
    reader->site = with->site;
    return names;
}

static void policy_begin(struct policy *policy) {
    policy_init(policy);
    policy->read_timeout_ms = PROXY_TIMEOUT_MS;
    policy->next_upstream = NEXT_ERROR | NEXT_TIMEOUT;
    policy->stream.preread_bytes = PREREAD_BYTES;
    policy->stream.preread_timeout_ms = PREREAD_TIMEOUT_MS;
    policy->stream.check_timeout_ms = CHECK_TIMEOUT_MS;
}

static void stream_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    if (reader->has_stream) {
        reader_fail(reader, &node->words[0],
                    "\"%.*s\" directive is duplicate: there is a stream or tcp block already",
                    STR_ARG(node_name(node)));
        return;
    }
    reader->has_stream = true;
    struct names inside = {.site = reader->site};
    policy_begin(&inside.policy);
    struct names outside = names_swap(reader, &inside);
    struct scope inner = scope_inner(scope, CONTEXT_STREAM, node);
    inner.policy = &reader->policy;
    inner.site = &reader->site;
    map_declare(&inner);
    slot_declare(&inner);
    scope_read(&inner);
    names_swap(reader, &outside);
}

/* ---- proxy_pass ---- */

static void fail_scheme(struct reader *reader, const struct word *at) {
    struct str text = at->text;
    struct str rest = str_from(text, str_find(text, STR("://")) + 3);
    struct diagnostic *said = reader_fail(reader, at, "invalid port in upstream \"%.*s\"", STR_ARG(text));
    diagnostic_hint(reader->diagnostics, said,
                    "in stream bytes are passed on as they are: write proxy_pass %.*s;", STR_ARG(rest));
}

static struct upstream *upstream_find(struct scope *scope, const struct word *at) {
    struct reader *reader = scope->reader;
    struct upstream *upstream = model_find_upstream(reader->model, at->text, true);
    struct endpoint endpoint;
    const char *problem;
    if (upstream)
        return upstream;
    if (str_find(at->text, STR("://")) != STR_NONE) {
        fail_scheme(reader, at);
        return NULL;
    }
    if (!endpoint_parse(at->text, &endpoint, &problem)) {
        reader_fail(reader, at, "invalid host in \"%.*s\": it %s", STR_ARG(at->text), problem);
        return NULL;
    }
    if (!endpoint.is_unix && endpoint.port == 0) {
        struct diagnostic *said = reader_fail(reader, at, "no port in upstream \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said,
                        "name an upstream block of this stream { }, or a host and its port");
        return NULL;
    }
    return upstream_implicit(reader, &endpoint, endpoint.port, word_place(at), true);
}

static void pass_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    struct pass *pass = reader_alloc(reader, sizeof *pass);
    if (!pass)
        return;
    *pass = (struct pass){.place = word_place(at), .url = at->text, .host = at->text};
    if (compile_has_variable(at->text)) {
        if (!compile_template(scope, at, at->text, &pass->target))
            return;
    } else {
        pass->upstream = upstream_find(scope, at);
        if (!pass->upstream)
            return;
    }
    scope->route->pass = pass;
    scope->route->action = ROUTE_PASS;
}

/* ---- return ---- */

static void return_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    if (compile_template(scope, &node->words[1], node->words[1].text, &scope->policy->stream.text))
        scope->route->action = ROUTE_TEXT;
}

/* on|off as nginx's; v2 is ours. */
static void proxy_protocol_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str text = node->words[1].text;
    unsigned *version = &scope->policy->stream.proxy_protocol;
    if (str_eq(text, STR("on")) || str_eq(text, STR("v1")))
        *version = 1;
    else if (str_eq(text, STR("v2")))
        *version = 2;
    else if (str_eq(text, STR("off")))
        *version = 0;
    else
        set_fail(scope, &node->words[1], row, "\"on\" (version 1), \"v2\" or \"off\"");
}

static void next_set(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_on;
    if (set_read_flag(scope, node, row, &is_on))
        scope->policy->next_upstream = is_on ? NEXT_ERROR | NEXT_TIMEOUT : 0;
}

void stream_end(struct scope *scope) {
    if (scope->route->pass && scope->policy->stream.is_secure)
        pass_secure(scope, scope->route->pass);
    if (scope->route->action != ROUTE_FILES || scope->reader->is_starved)
        return;
    for (const struct node *at = scope->block->first; at; at = at->next)
        if (str_ends(node_name(at), STR("pass")) || str_eq(node_name(at), STR("return")))
            return; /* wrong, and said */
    struct diagnostic *said = reader_fail(scope->reader, &scope->block->words[0],
                                          "no handler for server: it has neither proxy_pass nor return");
    diagnostic_hint(scope->reader->diagnostics, said,
                    "write: proxy_pass NAME; with an upstream block, or HOST:PORT");
}

static const char bounded[] = "what is held is bounded in any case";
static const char at_once[] = "bytes are passed on at once in any case";
static const char udp[] = "UDP is not passed on, only TCP is: remove it";

static const struct directive rows[] = {
    {"stream", CONTEXT_MAIN, 0, 0, DIRECTIVE_BLOCK, stream_read, NOTHING, NULL},
    {"tcp", CONTEXT_MAIN, 0, 0, DIRECTIVE_BLOCK, stream_read, NOTHING, NULL},
    {"proxy_pass", CONTEXT_STREAM_SERVER, 1, 1, DIRECTIVE_ONCE, pass_set, NOTHING, NULL},
    {"return", CONTEXT_STREAM_SERVER, 1, 1, DIRECTIVE_ONCE, return_read, NOTHING, NULL},
    {"proxy_connect_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(connect_timeout_ms),
     NULL},
    {"proxy_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(read_timeout_ms), NULL},
    {"timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(read_timeout_ms), NULL},
    {"proxy_read_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(read_timeout_ms), NULL},
    {"proxy_send_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "\"proxy_timeout\" bounds both directions"},
    {"proxy_next_upstream", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, next_set, NOTHING, NULL},
    {"proxy_next_upstream_tries", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_tries, POLICY(next_upstream_tries),
     NULL},
    {"proxy_next_upstream_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_time_ms,
     POLICY(next_upstream_timeout_ms), NULL},
    {"proxy_half_close", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(stream.half_closes), NULL},
    {"proxy_protocol", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, proxy_protocol_set, NOTHING, NULL},
    {"proxy_ssl", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(stream.is_secure), NULL},
    {"ssl_handshake_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms,
     SITE(client_header_timeout_ms), NULL},
    {"proxy_protocol_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms,
     SITE(proxy_protocol_timeout_ms), NULL},
    {"proxy_upload_rate", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_rate, POLICY(stream.upload), NULL},
    {"proxy_download_rate", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_rate, POLICY(stream.download), NULL},
    {"proxy_socket_keepalive", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "peers that vanish are found in any case"},
    {"proxy_buffer_size", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, bounded},
    {"proxy_buffer", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, bounded},
    {"tcp_nodelay", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_on, NOTHING, at_once},
    {"pass", CONTEXT_STREAM_SERVER, 1, 1, DIRECTIVE_ONCE, set_unsupported, NOTHING,
     "write \"proxy_pass ADDRESS\" with the listener's own address: the connection is passed on to it"},
    {"so_keepalive", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "peers that vanish are found in any case"},
    {"ssl_preread", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(stream.reads_hello), NULL},
    {"preread_buffer_size", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_size, POLICY(stream.preread_bytes),
     NULL},
    {"preread_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(stream.preread_timeout_ms),
     NULL},
    {"health_check_timeout", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_wait_ms,
     POLICY(stream.check_timeout_ms), NULL},
    {"proxy_requests", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_unsupported, NOTHING, udp},
    {"proxy_responses", CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_unsupported, NOTHING, udp},
    {"websocket_pass", CONTEXT_STREAMS, 1, 2, 0, set_unsupported, NOTHING,
     "in http { } every proxy_pass lets WebSockets through"},
    {"variables_hash_max_size", CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"variables_hash_bucket_size", CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area stream_area = {rows, sizeof rows / sizeof *rows};
