#include "dialect/nginx/check.h"

#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* Active health checks in both tongues: the nginx_tcp_proxy_module's `check` with its check_http_* beside it,
 * and the commercial nginx's health_check with match blocks. */

enum { COUNT_MAX = 1000, PORT_MAX = 65535 };

/* What is wanted when nothing is said: 2xx and 3xx. */
static struct match *match_default(struct reader *reader) {
    struct match *match = reader_alloc(reader, sizeof *match);
    struct status_span *span = match ? READER_ADD(reader, &match->statuses) : NULL;
    if (!span)
        return NULL;
    *span = (struct status_span){200, 399};
    return match;
}

static bool count_read(struct str value, unsigned *count) {
    uint64_t number;
    if (!str_to_u64(value, &number) || number == 0 || number > COUNT_MAX)
        return false;
    *count = (unsigned)number;
    return true;
}

static bool port_read(struct str value, uint16_t *port) {
    uint64_t number;
    if (!str_to_u64(value, &number) || number == 0 || number > PORT_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static const struct {
    struct str name;
    enum check_kind kind;
} kinds[] = {
    {{"tcp", 3}, CHECK_TCP},
    {{"http", 4}, CHECK_HTTP},
    {{"ssl_hello", 9}, CHECK_SSL_HELLO},
    {{"websocket", 9}, CHECK_WEBSOCKET},
    {{"socketio", 8}, CHECK_SOCKETIO},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool kind_read(struct str value, enum check_kind *kind) {
    for (size_t i = 0; i < KINDS; i++)
        if (str_eq(kinds[i].name, value)) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static bool kind_is_foreign(struct str value) {
    static const struct str foreign[] = {{"smtp", 4}, {"mysql", 5}, {"pop3", 4},   {"imap", 4},
                                         {"grpc", 4}, {"ajp", 3},   {"fastcgi", 7}};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (str_eq(foreign[i], value))
            return true;
    return false;
}

/* A time of the module: bare numbers are milliseconds. */
static bool module_ms(struct str value, uint64_t *ms) {
    return (str_to_u64(value, ms) || unit_time_ms(value, ms)) && *ms > 0;
}

static bool flag_read(struct str value, bool *flag) {
    *flag = str_eq(value, STR("true"));
    return *flag || str_eq(value, STR("false"));
}

struct parameter {
    const char *name; /* with '=' where a value follows */
    enum {
        INTERVAL_MODULE,
        INTERVAL,
        JITTER,
        TIMEOUT_MODULE,
        TIMEOUT,
        RISE,
        FALL,
        PORT,
        KIND,
        DEFAULT_DOWN,
        URI,
        MATCH,
        MANDATORY,
        PERSISTENT,
        KEEPALIVE
    } what;
};

static const struct parameter module_parameters[] = {
    {"interval=", INTERVAL_MODULE},
    {"rise=", RISE},
    {"fall=", FALL},
    {"timeout=", TIMEOUT_MODULE},
    {"type=", KIND},
    {"port=", PORT},
    {"uri=", URI},
    {"default_down=", DEFAULT_DOWN},
    {NULL, URI},
};

static const struct parameter nginx_parameters[] = {
    {"interval=", INTERVAL},
    {"jitter=", JITTER},
    {"passes=", RISE},
    {"fails=", FALL},
    {"uri=", URI},
    {"match=", MATCH},
    {"port=", PORT},
    {"type=", KIND},
    {"timeout=", TIMEOUT},
    {"mandatory", MANDATORY},
    {"persistent", PERSISTENT},
    {"keepalive_time=", KEEPALIVE},
    {NULL, URI},
};

static const struct match *match_named(struct reader *reader, struct str name) {
    return reader->matches.arena ? map_get(&reader->matches, name) : NULL;
}

static bool value_take(struct reader *reader, struct check *check, const struct parameter *parameter,
                       struct str value) {
    uint64_t unused;
    switch (parameter->what) {
    case INTERVAL_MODULE:
        return module_ms(value, &check->interval_ms);
    case INTERVAL:
        return unit_time_ms(value, &check->interval_ms) && check->interval_ms > 0;
    case JITTER:
        return unit_time_ms(value, &check->jitter_ms);
    case TIMEOUT_MODULE:
        return module_ms(value, &check->timeout_ms);
    case TIMEOUT:
        return unit_time_ms(value, &check->timeout_ms) && check->timeout_ms > 0;
    case RISE:
        return count_read(value, &check->rise);
    case FALL:
        return count_read(value, &check->fall);
    case PORT:
        return port_read(value, &check->port);
    case KIND:
        return kind_read(value, &check->kind);
    case DEFAULT_DOWN:
        return flag_read(value, &check->begins_down);
    case URI:
        check->uri = value;
        return value.len > 0 && value.ptr[0] == '/';
    case MATCH:
        check->good = match_named(reader, value);
        return check->good != NULL;
    case MANDATORY:
        check->begins_down = true;
        return true;
    case PERSISTENT:
        check->is_persistent = true;
        return true;
    case KEEPALIVE: /* each check has a connection of its own */
        return unit_time_ms(value, &unused);
    }
    return false;
}

static const char *wanted(const struct parameter *parameter) {
    switch (parameter->what) {
    case INTERVAL_MODULE:
    case TIMEOUT_MODULE:
        return "it must be a time above 0: 3000 (milliseconds) or 3s";
    case RISE:
    case FALL:
        return "it must be a number from 1 to 1000: so many checks in a row";
    case PORT:
        return "it must be a port from 1 to 65535";
    case DEFAULT_DOWN:
        return "it must be true or false";
    case URI:
        return "it must begin with \"/\"";
    default:
        return "it must be a time: 5s or 500ms";
    }
}

static void value_fail(struct reader *reader, const struct word *at, const struct parameter *parameter,
                       struct str value) {
    struct diagnostic *said;
    if (parameter->what == KIND && kind_is_foreign(value)) {
        said = reader_fail(reader, at, "checks of type \"%.*s\" are not supported", STR_ARG(value));
        diagnostic_hint(reader->diagnostics, said, "type=tcp sees whether the server accepts connections");
    } else if (parameter->what == KIND) {
        said = reader_fail(reader, at, "unknown type of check \"%.*s\"", STR_ARG(value));
        diagnostic_hint(reader->diagnostics, said, "it is one of tcp, http, ssl_hello, websocket and socketio");
    } else if (parameter->what == MATCH) {
        said = reader_fail(reader, at, "match \"%.*s\" is not found", STR_ARG(value));
        diagnostic_hint(reader->diagnostics, said, "define it beside the servers: match %.*s { status 200; }",
                        STR_ARG(value));
    } else {
        said = reader_fail(reader, at, "invalid value in \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "%s", wanted(parameter));
    }
}

static void parameter_take(struct reader *reader, struct check *check, const struct parameter *parameters,
                           const struct word *at) {
    struct str names[16];
    size_t count = 0;
    for (const struct parameter *parameter = parameters; parameter->name; parameter++) {
        struct str name = str_of(parameter->name);
        bool has_value = str_ends(name, STR("="));
        names[count++] = name;
        if (has_value ? !str_starts(at->text, name) : !str_eq(at->text, name))
            continue;
        struct str value = str_from(at->text, name.len);
        if (!value_take(reader, check, parameter, value))
            value_fail(reader, at, parameter, value);
        return;
    }
    struct diagnostic *said = reader_fail(reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
    struct str near = diagnostic_nearest(str_head(at->text, str_find_char(at->text, '=') == STR_NONE
                                                                ? at->text.len
                                                                : str_find_char(at->text, '=') + 1),
                                         names, count);
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
}

/* What the kind needs and nothing has said. */
static void check_complete(struct reader *reader, struct check *check, struct str host) {
    check->host = host;
    if (check->uri.len == 0)
        check->uri =
            check->kind == CHECK_SOCKETIO || check->kind == CHECK_WEBSOCKET ? STR("/socket.io/") : STR("/");
    if (check->kind == CHECK_SOCKETIO ||
        (check->kind == CHECK_WEBSOCKET && str_ends(check->uri, STR("/socket.io/"))))
        check->uri = reader_join(reader, check->uri,
                                 str_find_char(check->uri, '?') != STR_NONE ? STR("")
                                 : check->kind == CHECK_SOCKETIO            ? STR("?EIO=4&transport=polling")
                                                                 : STR("?EIO=4&transport=websocket"));
    if (!check->good && check->kind == CHECK_TCP)
        check->good = reader_alloc(reader, sizeof *check->good);
    if (!check->good)
        check->good = match_default(reader);
    if (check->request.len == 0 && check->kind == CHECK_HTTP) {
        struct str line =
            reader_join(reader, reader_join(reader, STR("GET "), check->uri), STR(" HTTP/1.1\r\nHost: "));
        check->request = reader_join(reader, reader_join(reader, line, host),
                                     STR("\r\nUser-Agent: hawser\r\nConnection: close\r\n\r\n"));
    }
}

static void check_put(struct scope *scope, const struct word *at, struct upstream *upstream,
                      struct check *check) {
    struct reader *reader = scope->reader;
    if (upstream->check) {
        reader_fail(reader, at, "upstream \"%.*s\" has a health check already, on line %u",
                    STR_ARG(upstream->name), upstream->check->place.line);
        return;
    }
    if (reader->is_starved)
        return;
    if (upstream->on_down) {
        check->closes_tunnels = upstream->on_down == ON_DOWN_CLOSE;
        check->drain_ms = upstream->drain_ms;
    }
    upstream->check = check;
}

/* ---- check ---- */

static const struct node *sibling_find(const struct scope *scope, struct str name) {
    for (const struct node *node = scope->block->first; node; node = node->next)
        if (str_eq(node_name(node), name) && node->row)
            return node;
    return NULL;
}

/* check_http_expect_alive http_2xx http_3xx ...; */
static struct match *alive_read(struct reader *reader, const struct node *node) {
    struct match *match = reader_alloc(reader, sizeof *match);
    for (size_t i = 1; match && i < node->count; i++) {
        struct str text = node->words[i].text;
        struct status_span *span = READER_ADD(reader, &match->statuses);
        uint64_t status;
        if (!span)
            return match;
        if (text.len == 8 && str_starts(text, STR("http_")) && str_ends(text, STR("xx")) &&
            text.ptr[5] >= '1' && text.ptr[5] <= '5')
            *span = (struct status_span){(unsigned)(text.ptr[5] - '0') * 100,
                                         (unsigned)(text.ptr[5] - '0') * 100 + 99};
        else if (str_to_u64(text, &status) && status >= 100 && status <= 599)
            *span = (struct status_span){(unsigned)status, (unsigned)status};
        else
            reader_fail(reader, &node->words[i],
                        "invalid value \"%.*s\": http_2xx, http_3xx, http_4xx, http_5xx, or a status",
                        STR_ARG(text));
    }
    return match;
}

static void check_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct check *check = reader_alloc(reader, sizeof *check);
    if (!check)
        return;
    *check = (struct check){.place = word_place(&node->words[0]),
                            .kind = CHECK_TCP,
                            .interval_ms = 30000,
                            .timeout_ms = 1000,
                            .rise = 2,
                            .fall = 5};
    for (size_t i = 1; i < node->count; i++)
        parameter_take(reader, check, module_parameters, &node->words[i]);
    const struct node *send = sibling_find(scope, STR("check_http_send"));
    const struct node *alive = sibling_find(scope, STR("check_http_expect_alive"));
    if (check->kind == CHECK_HTTP && send && send->count == 2)
        check->request = send->words[1].text;
    else if (check->kind == CHECK_HTTP && check->uri.len == 0)
        check->request = STR("GET / HTTP/1.0\r\n\r\n"); /* the module's */
    if (check->kind == CHECK_HTTP && alive)
        check->good = alive_read(reader, alive);
    check_complete(reader, check, scope->upstream->name);
    check_put(scope, &node->words[0], scope->upstream, check);
}

/* The words beside a check are read with it. */
static void beside_read(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct node *check = sibling_find(scope, STR("check"));
    if (check)
        return;
    struct diagnostic *said = reader_say(scope->reader, SEVERITY_WARNING, &node->words[0],
                                         "\"%s\" has no effect without \"check\"", row->name);
    diagnostic_hint(scope->reader->diagnostics, said,
                    "add: check interval=3000 rise=2 fall=5 timeout=1000 type=http;");
}

static void on_down_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct upstream *upstream = scope->upstream;
    if (str_eq(node->words[1].text, STR("close")))
        upstream->on_down = ON_DOWN_CLOSE;
    else if (str_eq(node->words[1].text, STR("keep")))
        upstream->on_down = ON_DOWN_KEEP;
    else
        set_fail(scope, &node->words[1], row,
                 "\"close\" or \"keep\": what becomes of the tunnels of a server that went down");
}

/* ---- health_check ---- */

/* Of a location or of a stream's server, for the upstream of its proxy_pass. */
static void health_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct pass *pass = scope->route ? scope->route->pass : NULL;
    if (!pass || !pass->upstream) {
        struct diagnostic *said = reader_fail(
            reader, &node->words[0], "\"health_check\" needs a \"proxy_pass\" to an upstream beside it");
        diagnostic_hint(reader->diagnostics, said, "or write \"check\" in the upstream block");
        return;
    }
    struct check *check = reader_alloc(reader, sizeof *check);
    if (!check)
        return;
    bool is_stream = (scope->context & CONTEXT_STREAM_SERVER) != 0;
    *check = (struct check){.place = word_place(&node->words[0]),
                            .kind = is_stream ? CHECK_TCP : CHECK_HTTP,
                            .interval_ms = 5000,
                            .timeout_ms = is_stream ? scope->policy->stream.check_timeout_ms : 5000,
                            .rise = 1,
                            .fall = 1};
    for (size_t i = 1; i < node->count; i++)
        parameter_take(reader, check, nginx_parameters, &node->words[i]);
    check_complete(reader, check, pass->host.len ? pass->host : pass->upstream->name);
    check_put(scope, &node->words[0], pass->upstream, check);
}

static const struct directive rows[] = {
    {"check", CONTEXT_UPSTREAM, 0, ARGUMENTS_ANY, DIRECTIVE_ONCE | DIRECTIVE_LAST, check_read, NOTHING, NULL},
    {"check_http_send", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, beside_read, NOTHING, NULL},
    {"check_http_expect_alive", CONTEXT_UPSTREAM, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, beside_read, NOTHING, NULL},
    {"check_keepalive_requests", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "each check has a connection of its own"},
    {"check_shm_size", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "all threads share one memory"},
    {"on_down", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, on_down_set, NOTHING, NULL},
    {"drain_time", CONTEXT_UPSTREAM, 1, 1, DIRECTIVE_ONCE, set_time_ms, UPSTREAM(drain_ms), NULL},
    {"health_check", CONTEXT_LOCATION | CONTEXT_STREAM_SERVER, 0, ARGUMENTS_ANY, DIRECTIVE_LAST, health_read,
     NOTHING, NULL},
    {"match", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, match_read, NOTHING,
     NULL},
};

const struct area check_area = {rows, sizeof rows / sizeof *rows};
