#include "model/model.h"

/* What can be said of a model whatever language it was written in. */

enum { SOCKETIO_SILENCE_MS = 45000 }; /* pingInterval + pingTimeout of Socket.IO 4 */

typedef void route_visit(const struct route *route, void *context);

static void routes_each(const struct route_table *table, route_visit *visit, void *context);

/* The route, what its `if` blocks make of it, and those in it. */
static void route_each(const struct route *route, route_visit *visit, void *context) {
    visit(route, context);
    for (size_t i = 0; i < route->program.operations.count; i++)
        if (route->program.operations.items[i].route)
            visit(route->program.operations.items[i].route, context);
    if (route->limit && route->limit->route->pass != route->pass) /* else it is as this one is */
        visit(route->limit->route, context);
    routes_each(&route->children, visit, context);
}

static void routes_each(const struct route_table *table, route_visit *visit, void *context) {
    struct str key;
    const void *value;
    for (size_t at = 0; map_each(&table->exact, &at, &key, &value);)
        route_each(value, visit, context);
    for (size_t i = 0; i < table->prefix_count; i++)
        route_each(table->prefixes[i], visit, context);
    for (size_t i = 0; i < table->regexes.count; i++)
        route_each(table->regexes.items[i], visit, context);
}

static void site_routes_each(const struct site *site, route_visit *visit, void *context) {
    struct str key;
    const void *value;
    route_each(&site->fallback, visit, context);
    routes_each(&site->routes, visit, context);
    for (size_t at = 0; map_each(&site->named, &at, &key, &value);)
        route_each(value, visit, context);
}

static void all_routes_each(const struct model *model, route_visit *visit, void *context) {
    for (size_t i = 0; i < model->sites.count; i++)
        site_routes_each(model->sites.items[i], visit, context);
}

struct lint {
    const struct model *model;
    struct diagnostics *diagnostics;
};

/* The line that a place names, of the files that the model was read from. */
static struct str place_source(const struct model *model, struct place place) {
    for (size_t i = 0; i < model->files.count && place.line; i++) {
        struct str rest = model->file_contents.items[i], line = STR("");
        if (!str_eq(model->files.items[i], place.file))
            continue;
        for (unsigned n = 0; n < place.line && str_split(&rest, '\n', &line); n++)
            ;
        return str_head(line, 1000);
    }
    return STR("");
}

static struct diagnostic *say(const struct lint *lint, enum severity severity, struct place place,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct diagnostic *say(const struct lint *lint, enum severity severity, struct place place,
                              const char *format, ...) {
    va_list list;
    va_start(list, format);
    struct diagnostic *said = diagnostics_add_list(lint->diagnostics, severity, place, format, list);
    va_end(list);
    struct str source = arena_copy(lint->diagnostics->arena, place_source(lint->model, place));
    if (said != &lint->diagnostics->spare && source.ptr)
        said->source = source;
    return said;
}

static void lint_timeout(const struct route *route, void *context) {
    const struct lint *lint = context;
    if (route->branch_of && route->branch_of->action == ROUTE_PASS)
        return; /* it is said of the location, which the timeout is from */
    bool is_stream = route->policy.stream.preread_bytes != 0; /* what is passed there need not be Socket.IO */
    if (route->action != ROUTE_PASS || is_stream || route->policy.read_timeout_ms > SOCKETIO_SILENCE_MS)
        return;
    struct diagnostic *said = say(
        lint, SEVERITY_WARNING, route->place,
        "proxy_read_timeout is %llu s here, not above Socket.IO's pingInterval + pingTimeout (45 s by default)",
        (unsigned long long)(route->policy.read_timeout_ms / 1000));
    diagnostic_hint(lint->diagnostics, said,
                    "connections that are merely silent would be closed; set it above the sum, as 60s or 120s");
}

/* Which upstreams are passed to. */
struct usage {
    struct map names;
    bool may_be_any; /* a proxy_pass has variables: it may name each of them */
};

/* Notes the upstream's name among those that are used. */
static void lint_use(const struct route *route, void *context) {
    struct usage *used = context;
    struct upstream *upstream = route->action == ROUTE_PASS && route->pass ? route->pass->upstream : NULL;
    used->may_be_any |= route->action == ROUTE_PASS && !upstream;
    if (upstream && !map_get(&used->names, upstream->key))
        map_put(&used->names, upstream->key, upstream);
}

/* Names of named locations that a site lacks, each said once. */
struct naming {
    const struct lint *lint;
    const struct site *site;
    struct map said;
};

static void lint_target(struct naming *naming, struct place place, const char *directive,
                        const struct template *target) {
    struct str name;
    if (!template_is_literal(target, &name) || !str_starts(name, STR("@")) ||
        map_get(&naming->site->named, name) || map_get(&naming->said, name) ||
        !map_put(&naming->said, name, &naming->said))
        return;
    say(naming->lint, SEVERITY_WARNING, place,
        "\"%s\" leads to location \"%.*s\", which this server does not have: that is a 500", directive,
        STR_ARG(name));
}

static void lint_names(const struct route *route, void *context) {
    const struct policy *policy = &route->policy;
    for (size_t i = 0; i < policy->error_pages.count; i++)
        lint_target(context, route->place, "error_page", &policy->error_pages.items[i].target);
    if (route->tries && !route->tries->status)
        lint_target(context, route->place, "try_files",
                    &route->tries->names.items[route->tries->names.count - 1].name);
}

static void lint_affinity(const struct upstream *upstream, const struct lint *lint) {
    size_t primaries = 0;
    for (size_t i = 0; i < upstream->servers.count; i++)
        primaries += !upstream->servers.items[i].is_backup && !upstream->servers.items[i].is_down;
    bool has_affinity = upstream->is_sticky_by_sid || upstream->sticky || upstream->balance == BALANCE_HASH ||
                        upstream->balance == BALANCE_HASH_CONSISTENT || upstream->balance == BALANCE_IP_HASH;
    if (primaries < 2 || has_affinity)
        return;
    struct diagnostic *said = say(lint, SEVERITY_NOTE, upstream->place,
                                  "upstream \"%.*s\" has %zu servers, and nothing keeps the "
                                  "requests of a Socket.IO session on one of them",
                                  STR_ARG(upstream->name), primaries);
    diagnostic_hint(
        lint->diagnostics, said,
        "with HTTP long-polling write \"sticky sid;\" in it, else clients get \"Session ID unknown\"");
}

/* 300 among 3000s: a digit was lost or came in. */
static bool is_slip_of(unsigned port, unsigned sibling) {
    char a[8], b[8];
    struct builder one = builder_make(a, sizeof a), other = builder_make(b, sizeof b);
    builder_u64(&one, port);
    builder_u64(&other, sibling);
    return one.len != other.len && str_distance(builder_view(&one), builder_view(&other)) == 1;
}

static void lint_ports(const struct upstream *upstream, const struct lint *lint) {
    for (size_t i = 0; i < upstream->servers.count; i++) {
        const struct upstream_server *server = &upstream->servers.items[i], *like = NULL;
        size_t same = 0;
        for (size_t j = 0; j < upstream->servers.count; j++) {
            const struct upstream_server *other = &upstream->servers.items[j];
            same += j != i && other->port == server->port;
            /* of two it is the shorter number that lost a digit */
            if (!other->is_unix && !server->is_unix && is_slip_of(server->port, other->port) &&
                (upstream->servers.count > 2 || server->port < other->port))
                like = other;
        }
        if (!like || same)
            continue;
        struct diagnostic *said =
            say(lint, SEVERITY_WARNING, server->place,
                "port %u differs from its siblings' (%u): a typing slip?", server->port, like->port);
        diagnostic_hint(lint->diagnostics, said, "did you mean \"%.*s:%u\"?", STR_ARG(server->host),
                        like->port);
    }
}

static void lint_upstreams(const struct model *model, const struct lint *lint) {
    struct usage used = {0};
    map_init(&used.names, lint->diagnostics->arena, false);
    all_routes_each(model, lint_use, &used);
    for (size_t i = 0; i < model->upstreams.count; i++) {
        const struct upstream *upstream = model->upstreams.items[i];
        if (!upstream->is_stream)
            lint_affinity(upstream, lint);
        if (!upstream->is_implicit && !used.may_be_any && !map_get(&used.names, upstream->key))
            say(lint, SEVERITY_WARNING, upstream->place, "upstream \"%.*s\" is used by no proxy_pass",
                STR_ARG(upstream->name));
    }
}

void model_lint(const struct model *model, struct diagnostics *diagnostics) {
    struct lint whole = {model, diagnostics}, *lint = &whole;
    bool is_whole = diagnostics->errors == 0;
    for (size_t i = 0; i < model->upstreams.count; i++)
        lint_ports(model->upstreams.items[i], lint);
    if (!is_whole)
        return;
    all_routes_each(model, lint_timeout, lint);
    for (size_t i = 0; i < model->sites.count; i++) {
        struct naming naming = {.lint = lint, .site = model->sites.items[i]};
        map_init(&naming.said, diagnostics->arena, false);
        site_routes_each(naming.site, lint_names, &naming);
    }
    lint_upstreams(model, lint);
}
