#include "dialect/nginx/unit.h"
#include "dialect/nginx/upstream.h"

/* server ADDRESS [PARAMETER ...]; */

enum { WEIGHT_MAX = 65535 };

struct upstream_server *upstream_server_make(struct reader *reader, struct upstream *upstream,
                                             const struct endpoint *endpoint, struct str name,
                                             struct place place) {
    struct upstream_server *server = READER_ADD(reader, &upstream->servers);
    if (!server)
        return NULL;
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

enum parameter {
    WEIGHT,
    MAX_CONNS,
    MAX_FAILS,
    FAIL_TIMEOUT,
    BACKUP,
    DOWN,
    RESOLVE,
    SLOW_START,
    DRAIN,
    ROUTE,
    SERVICE
};

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
    {"slow_start=", SLOW_START},
    {"drain", DRAIN},
    {"route=", ROUTE},
    {"service=", SERVICE},
};
enum { PARAMETERS = sizeof parameters / sizeof *parameters };

/* The hash methods and random know no backups and no slow start; as in nginx only a method that stands before
 * the server rules. */
static bool method_supports(struct reader *reader, const struct upstream *upstream, const struct word *at) {
    if (upstream->balance == BALANCE_ROUND_ROBIN || upstream->balance == BALANCE_LEAST_CONN)
        return true;
    size_t end = str_find_char(at->text, '=');
    reader_fail(reader, at, "balancing method does not support parameter \"%.*s\"",
                STR_ARG(str_head(at->text, end)));
    return true; /* it has been said */
}

static bool route_take(struct reader *reader, struct upstream_server *server, struct str value,
                       const struct word *at) {
    enum { ROUTE_MAX = 32 };
    if (value.len > ROUTE_MAX) {
        struct diagnostic *said = reader_fail(reader, at, "too long route \"%.*s\"", STR_ARG(value));
        diagnostic_hint(reader->diagnostics, said, "it may have up to %d bytes", ROUTE_MAX);
    }
    server->route = value;
    return value.len > 0;
}

static bool number_take(struct upstream_server *server, enum parameter parameter, struct str value) {
    uint64_t number = 0;
    bool is_number = str_to_u64(value, &number) && number <= UINT32_MAX;
    switch (parameter) {
    case WEIGHT:
        server->weight = (unsigned)number;
        return is_number && number >= 1 && number <= WEIGHT_MAX;
    case MAX_CONNS:
        server->max_connections = (unsigned)number;
        return is_number;
    default:
        server->max_fails = (unsigned)number;
        return is_number;
    }
}

static bool parameter_take(struct scope *scope, struct upstream_server *server, enum parameter parameter,
                           struct str value, const struct word *at) {
    struct reader *reader = scope->reader;
    switch (parameter) {
    case WEIGHT:
    case MAX_CONNS:
    case MAX_FAILS:
        return number_take(server, parameter, value);
    case FAIL_TIMEOUT:
        return unit_time_ms(value, &server->fail_timeout_ms);
    case BACKUP:
        server->is_backup = true;
        return method_supports(reader, scope->upstream, at);
    case DOWN:
        server->is_down = true;
        return true;
    case RESOLVE:
        server->is_resolved = !server->is_unix && !endpoint_is_literal(server->host);
        return true;
    case SLOW_START:
        return unit_time_ms(value, &server->slow_start_ms) && method_supports(reader, scope->upstream, at);
    case DRAIN:
        server->is_draining = true;
        return true;
    case ROUTE:
        return route_take(reader, server, value, at);
    case SERVICE:
        server->service = value;
        return value.len > 0;
    }
    return false;
}

static void parameter_read(struct scope *scope, struct upstream_server *server, const struct word *at) {
    struct reader *reader = scope->reader;
    struct str names[PARAMETERS];
    for (size_t i = 0; i < PARAMETERS; i++) {
        names[i] = str_of(parameters[i].name);
        bool has_value = str_ends(names[i], STR("="));
        if (has_value ? !str_starts(at->text, names[i]) : !str_eq(at->text, names[i]))
            continue;
        if (!parameter_take(scope, server, parameters[i].parameter, str_from(at->text, names[i].len), at))
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
            "a server takes weight= max_fails= fail_timeout= max_conns= slow_start= route= backup down drain "
            "resolve service=; each address has a line \"server\" of its own");
}

/* "http" is _http._tcp. of the server's name; a service with dots in it stands before the name as it is. */
static void service_settle(struct scope *scope, struct upstream_server *server, const struct endpoint *endpoint,
                           const struct word *at) {
    struct reader *reader = scope->reader;
    if (!server->service.len)
        return;
    if (endpoint->port || endpoint->is_unix) {
        reader_fail(reader, at, "service upstream \"%.*s\" may not have port", STR_ARG(at->text));
        return;
    }
    if (!server->is_resolved) {
        reader_fail(reader, at, "service upstream \"%.*s\" requires \"resolve\" parameter", STR_ARG(at->text));
        return;
    }
    struct str prefix = server->service;
    if (str_find_char(prefix, '.') == STR_NONE)
        prefix = reader_join(reader, reader_join(reader, STR("_"), prefix), STR("._tcp"));
    server->service = reader_join(reader, reader_join(reader, prefix, STR(".")), server->host);
}

void upstream_server_read(struct scope *scope, const struct node *node, const struct directive *row) {
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
    struct upstream_server *server =
        upstream_server_make(reader, scope->upstream, &endpoint, at->text, word_place(at));
    for (size_t i = 2; server && i < node->count; i++)
        parameter_read(scope, server, &node->words[i]);
    if (server)
        service_settle(scope, server, &endpoint, at);
}
