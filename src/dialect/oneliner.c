#include "dialect/oneliner.h"

#include "dialect/endpoint.h"

struct making {
    struct model *model;
    struct diagnostics *diagnostics;
    struct site *site;
    struct upstream *upstream;
    struct pass *pass;
    bool is_starved;
};

static void fail(struct making *m, struct str argument, const char *problem) {
    struct diagnostic *said = diagnostics_add(m->diagnostics, SEVERITY_ERROR, (struct place){STR(""), 0, 0},
                                              "\"%.*s\" %s", STR_ARG(argument), problem);
    diagnostic_hint(m->diagnostics, said,
                    "a server is given as http://HOST:PORT, https://HOST:PORT, HOST:PORT, PORT or unix:/PATH");
}

static bool is_secure(struct str text) {
    return str_starts_nocase(text, STR("https://")) || str_starts_nocase(text, STR("wss://"));
}

/* "http://host[:port][/]", "https://host[:port][/]", "host:port", ":port", "port", "unix:/path" */
static bool server_parse(struct str text, struct endpoint *endpoint, const char **problem) {
    uint64_t port, usual_port = is_secure(text) ? 443 : 80;
    bool has_scheme =
        is_secure(text) || str_starts_nocase(text, STR("http://")) || str_starts_nocase(text, STR("ws://"));
    if (has_scheme) {
        text = str_from(text, str_find(text, STR("://")) + 3);
        if (text.len && text.ptr[text.len - 1] == '/')
            text.len--;
    }
    if (!has_scheme && text.len && text.ptr[0] == ':')
        text = str_from(text, 1);
    if (!has_scheme && str_to_u64(text, &port)) {
        *endpoint = (struct endpoint){.host = STR("127.0.0.1"), .port = (uint16_t)port};
        *problem = "is no port: it must be from 1 to 65535";
        return port >= 1 && port <= UINT16_MAX;
    }
    if (has_scheme && str_find_char(text, '/') != STR_NONE && !str_starts(text, STR("unix:"))) {
        *problem = "has a path: requests keep their own path";
        return false;
    }
    if (!endpoint_parse(text, endpoint, problem))
        return false;
    if (!endpoint->is_unix && endpoint->port == 0)
        endpoint->port = (uint16_t)usual_port;
    *problem = "needs a port: write it as http://HOST or HOST:PORT";
    return has_scheme || endpoint->is_unix || str_find_char(text, ':') != STR_NONE;
}

static void server_add(struct making *m, struct str argument) {
    struct endpoint endpoint;
    const char *problem;
    char text[400];
    if (!server_parse(argument, &endpoint, &problem)) {
        fail(m, argument, problem);
        return;
    }
    if (m->upstream->servers.count && is_secure(argument) != m->pass->is_secure) {
        fail(m, argument,
             m->pass->is_secure ? "is without TLS, and the servers before it have it"
                                : "asks for TLS, and the servers before it have none");
        return;
    }
    m->pass->is_secure = is_secure(argument);
    struct builder out = builder_make(text, sizeof text);
    endpoint_print(&out, &endpoint);
    struct str name = arena_copy(&m->model->arena, builder_view(&out));
    struct str host = arena_copy(&m->model->arena, endpoint.host);
    for (size_t i = 0; i < m->upstream->servers.count; i++)
        if (str_eq(m->upstream->servers.items[i].name, name)) {
            fail(m, argument, "is given twice");
            return;
        }
    struct upstream_server *server =
        name.ptr && host.ptr ? VEC_ADD(&m->upstream->servers, &m->model->arena) : NULL;
    if (!server) {
        m->is_starved = true;
        return;
    }
    *server = (struct upstream_server){.name = name,
                                       .host = host,
                                       .port = endpoint.port,
                                       .is_unix = endpoint.is_unix,
                                       .weight = 1,
                                       .max_fails = 1,
                                       .fail_timeout_ms = 10000};
}

/* `letter` is the option's. */
static struct listen *listen_add(struct making *m, char letter, struct str argument, struct site *site) {
    struct endpoint endpoint;
    const char *problem;
    bool is_new;
    if (!endpoint_parse_listen(argument, 8080, &m->model->arena, &endpoint, &problem)) {
        struct diagnostic *said = diagnostics_add(m->diagnostics, SEVERITY_ERROR, (struct place){STR(""), 0, 0},
                                                  "-%c \"%.*s\" %s", letter, STR_ARG(argument), problem);
        diagnostic_hint(m->diagnostics, said,
                        "write: -%c 8080, -%c 127.0.0.1:8080, -%c [::]:8080 or -%c unix:/PATH", letter, letter,
                        letter, letter);
        return NULL;
    }
    endpoint.host = arena_copy(&m->model->arena, endpoint.host);
    struct listen *listen =
        endpoint.host.ptr ? endpoint_listen(m->model, &endpoint, (struct place){STR(""), 0, 0}, &is_new) : NULL;
    if (!listen)
        m->is_starved = true;
    else if (is_new)
        listen->default_site = site;
    return listen;
}

/* "Host: $http_host": an application compares it with Origin, port and all. How long a body may be is the
 * application's to say too, for Socket.IO by maxHttpBufferSize: nothing could raise a limit of ours. */
static bool policy_fill(struct making *m, struct policy *policy) {
    policy_init(policy);
    policy->forwards = true;
    policy->proxy.is_request_buffered = policy->proxy.is_buffered = false;
    policy->proxy.passes_trailers = true;
    policy->proxy.head_bytes = 32768;
    policy->read_timeout_ms = 120000;
    policy->client_max_body_bytes = 0;
    struct header_rule *rule = VEC_ADD(&policy->proxy_headers, &m->model->arena);
    struct template_part *part = rule ? arena_zero(&m->model->arena, 1, sizeof *part) : NULL;
    if (!part)
        return false;
    part->variable = variable_find(STR("http_host"));
    rule->name = STR("Host");
    rule->value = (struct template){part, 1};
    return template_literal(&policy->root, STR("/nonexistent"), &m->model->arena);
}

static struct site *site_add(struct making *m) {
    struct site *site = arena_zero(&m->model->arena, 1, sizeof *site);
    struct site **slot = site ? VEC_ADD(&m->model->sites, &m->model->arena) : NULL;
    if (!slot)
        return NULL;
    *slot = site;
    site_init(site);
    site->number = (unsigned)m->model->sites.count - 1;
    return site;
}

/* ---- the status page ---- */

static bool report_add(struct making *m, struct site *site, struct str path, struct status_report report) {
    struct route *route = arena_zero(&m->model->arena, 1, sizeof *route);
    if (!route)
        return false;
    *route = (struct route){.match = ROUTE_EXACT, .pattern = path, .action = ROUTE_REPORT, .report = report};
    return policy_fill(m, &route->policy) &&
           route_table_add(&site->routes, route, &m->model->arena) == ROUTE_ADDED;
}

/* A port alone is 127.0.0.1's: what hawser tells of itself is nobody else's unless an address is said. */
static struct str status_address(struct making *m, struct str argument) {
    const struct str local = STR("127.0.0.1:");
    uint64_t port;
    struct str digits = argument.len && argument.ptr[0] == ':' ? str_from(argument, 1) : argument;
    if (!str_to_u64(digits, &port))
        return argument;
    size_t size = local.len + digits.len;
    char *text = arena_alloc(&m->model->arena, size);
    struct builder out = builder_make(text, text ? size : 0);
    builder_str(&out, local);
    builder_str(&out, digits);
    return builder_view(&out);
}

static bool status_add(struct making *m, struct str argument) {
    struct site *site = site_add(m);
    if (!site)
        return false;
    site->fallback = (struct route){.match = ROUTE_DEFAULT, .pattern = STR(""), .action = ROUTE_FILES};
    if (!policy_fill(m, &site->fallback.policy) ||
        !report_add(m, site, STR("/"), (struct status_report){REPORT_CHECKS, REPORT_PAGE}) ||
        !report_add(m, site, STR("/metrics"), (struct status_report){REPORT_METRICS, REPORT_PAGE}) ||
        !report_add(m, site, STR("/api"), (struct status_report){REPORT_API, REPORT_JSON}))
        return false;
    site->fallback.policy.is_not_found_logged = false;
    m->model->has_reports = true;
    const struct listen *listen = listen_add(m, 'a', status_address(m, argument), site);
    const struct listen *application = m->model->listens.items[0];
    if (listen && (listen == application || (!listen->is_unix && listen->port == application->port))) {
        struct diagnostic *said =
            diagnostics_add(m->diagnostics, SEVERITY_ERROR, (struct place){STR(""), 0, 0},
                            "the status page cannot be on the application's own port %u", listen->port);
        diagnostic_hint(m->diagnostics, said, "choose another with -a, or leave it out: -a off");
    }
    return true;
}

static bool parts_make(struct making *m) {
    struct arena *arena = &m->model->arena;
    m->site = site_add(m);
    m->upstream = arena_zero(arena, 1, sizeof *m->upstream);
    m->pass = arena_zero(arena, 1, sizeof *m->pass);
    struct upstream **upstream_slot = VEC_ADD(&m->model->upstreams, arena);
    if (!m->site || !m->upstream || !m->pass || !upstream_slot)
        return false;
    *upstream_slot = m->upstream;
    *m->upstream = (struct upstream){.name = STR("nodes"),
                                     .key = STR("nodes"),
                                     .is_sticky_by_sid = true,
                                     .keepalive = 128,
                                     .keepalive_timeout_ms = 60000,
                                     .keepalive_requests = 1000,
                                     .keepalive_time_ms = 3600000};
    *m->pass = (struct pass){.upstream = m->upstream, .host = STR("nodes"), .uri = STR("")};
    m->site->fallback =
        (struct route){.match = ROUTE_DEFAULT, .pattern = STR(""), .action = ROUTE_PASS, .pass = m->pass};
    return policy_fill(m, &m->site->fallback.policy);
}

/* Each server is asked for by its own name; as with proxy_pass, its certificate is not verified. */
static bool encrypt(struct making *m) {
    struct route *route = &m->site->fallback;
    struct route **slot = VEC_ADD(&m->model->secure_routes, &m->model->arena);
    if (!slot)
        return false;
    *slot = route;
    route->policy.tls.sends_name = route->policy.tls.names_servers = true;
    return true;
}

struct model *oneliner_read(const struct oneliner *asked, struct diagnostics *diagnostics) {
    struct making m = {.model = model_new(), .diagnostics = diagnostics};
    if (!m.model)
        return NULL;
    m.model->loops = 0;
    m.is_starved = !parts_make(&m);
    const struct listen *listen = NULL;
    if (!m.is_starved)
        listen = listen_add(&m, 'l', asked->listen.len ? asked->listen : STR(":8080"), m.site);
    if (listen && asked->status.len && !status_add(&m, asked->status))
        m.is_starved = true;
    for (size_t i = 0; i < asked->count && !m.is_starved; i++)
        server_add(&m, asked->urls[i]);
    if (!m.is_starved && m.pass->is_secure && !encrypt(&m))
        m.is_starved = true;
    if (asked->count == 0)
        diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){STR(""), 0, 0}, "no server is given");
    if (m.is_starved) {
        model_free(m.model);
        return NULL;
    }
    return m.model;
}
