#include "dialect/nginx/pass.h"

#include "dialect/endpoint.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/upstream.h"

struct target {
    struct scope *scope;
    const struct word *at;
    struct str address; /* what stands between "http://" and the path */
    bool is_secure;
    bool has_uri;
    struct str uri;
};

static const char bare_hint[] =
    "write: proxy_pass http://%.*s; (raw TCP is passed on in stream { }, and there it stands as it is)";
static const char scheme_hint[] =
    "servers are spoken to by http:// or https://; raw TCP is passed on in stream { }";

static bool scheme_is_right(struct target *t, struct str *rest) {
    struct reader *reader = t->scope->reader;
    struct str url = t->at->text;
    struct diagnostic *said;
    *rest = str_from(url, 7);
    if (str_starts_nocase(url, STR("http://")))
        return true;
    if (str_starts_nocase(url, STR("https://"))) {
        t->is_secure = true;
        *rest = str_from(url, 8);
        return true;
    }
    if (str_starts_nocase(url, STR("ws://")) || str_starts_nocase(url, STR("wss://"))) {
        said = reader_fail(reader, t->at, "invalid URL prefix in \"%.*s\"", STR_ARG(url));
        diagnostic_hint(
            reader->diagnostics, said,
            "write http://%.*s: a WebSocket begins as an HTTP request, and an upgrade passes by itself",
            STR_ARG(str_from(url, str_find(url, STR("://")) + 3)));
    } else {
        said = reader_fail(reader, t->at, "invalid URL prefix in \"%.*s\"", STR_ARG(url));
        if (str_find(url, STR("://")) == STR_NONE)
            diagnostic_hint(reader->diagnostics, said, bare_hint, STR_ARG(url));
        else
            diagnostic_hint(reader->diagnostics, said, scheme_hint);
    }
    return false;
}

static bool target_split(struct target *t) {
    struct str rest;
    if (!scheme_is_right(t, &rest))
        return false;
    size_t end;
    if (str_starts(rest, STR("unix:"))) {
        end = str_find_char(str_from(rest, 5), ':'); /* "unix:/path:/uri" */
        t->address = end == STR_NONE ? rest : str_head(rest, end + 5);
        t->uri = end == STR_NONE ? STR("") : str_from(rest, end + 6);
    } else {
        for (end = 0; end < rest.len && !strchr("/?#", rest.ptr[end]); end++)
            if (rest.ptr[end] == '\0')
                break;
        t->address = str_head(rest, end);
        t->uri = str_from(rest, end);
    }
    t->has_uri = t->uri.len > 0;
    if (t->has_uri && t->uri.ptr[0] != '/')
        t->uri = reader_join(t->scope->reader, STR("/"), t->uri);
    return !t->scope->reader->is_starved;
}

/* A single word that is near an upstream block's name, or "upstream" itself, is no host but a slip. */
static bool is_slip(struct target *t, struct str host) {
    struct reader *reader = t->scope->reader;
    struct str near = STR("");
    unsigned least = 3;
    size_t blocks = 0;
    if (str_find_char(host, '.') != STR_NONE || str_find_char(host, ':') != STR_NONE ||
        str_eq_nocase(host, STR("localhost")))
        return false;
    for (size_t i = 0; i < reader->model->upstreams.count; i++) {
        const struct upstream *upstream = reader->model->upstreams.items[i];
        if (upstream->is_implicit)
            continue;
        blocks++;
        unsigned distance = str_distance(host, upstream->name);
        if (distance < least && distance < upstream->name.len) {
            least = distance;
            near = upstream->name;
        } else if (near.len == 0 && str_eq(host, STR("upstream"))) {
            near = upstream->name;
        }
    }
    if (near.len == 0)
        return false;
    struct diagnostic *said = reader_fail(reader, t->at, "no upstream named \"%.*s\"", STR_ARG(host));
    diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?%s", STR_ARG(near),
                    blocks == 1 ? " It is the only one that is defined" : "");
    return true;
}

static uint16_t default_port(const struct target *t) {
    return t->is_secure ? 443 : 80;
}

static struct upstream *target_find(struct target *t, struct endpoint *endpoint) {
    struct reader *reader = t->scope->reader;
    const char *problem;
    struct upstream *block = model_find_upstream(reader->model, t->address, false);
    *endpoint = (struct endpoint){.host = t->address};
    if (block)
        return block;
    if (!endpoint_parse(t->address, endpoint, &problem)) {
        reader_fail(reader, t->at, "invalid host in \"%.*s\": \"%.*s\" %s", STR_ARG(t->at->text),
                    STR_ARG(t->address), problem);
        return NULL;
    }
    block = endpoint->is_unix ? NULL : model_find_upstream(reader->model, endpoint->host, false);
    if (block) {
        struct diagnostic *said = reader_fail(reader, t->at, "upstream \"%.*s\" may not have port %u",
                                              STR_ARG(endpoint->host), endpoint->port);
        diagnostic_hint(reader->diagnostics, said, "the ports are those of its servers: write http://%.*s",
                        STR_ARG(endpoint->host));
        return NULL;
    }
    if (!endpoint->is_unix && endpoint->port == 0 && is_slip(t, endpoint->host))
        return NULL;
    return upstream_implicit(reader, endpoint, default_port(t), word_place(t->at), false);
}

/* $proxy_host: as written, without the port when it is the scheme's own. */
static struct str host_shown(const struct target *t, const struct endpoint *endpoint) {
    if (endpoint->is_unix)
        return STR("localhost");
    if (endpoint->port != default_port(t))
        return t->address;
    size_t colon = t->address.len;
    while (colon && t->address.ptr[colon - 1] != ':')
        colon--;
    return str_head(t->address, colon - 1);
}

void pass_secure(struct scope *scope, struct pass *pass) {
    struct model *model = scope->reader->model;
    struct route **slot = READER_ADD(scope->reader, &model->secure_routes);
    if (!slot)
        return;
    *slot = scope->route;
    pass->is_secure = true;
    pass->slot = (unsigned)model->secure_routes.count - 1;
}

static void pass_use(struct scope *scope, struct pass *pass) {
    if (pass->is_secure)
        pass_secure(scope, pass);
    scope->route->pass = pass;
    scope->route->action = ROUTE_PASS;
}

/* The whole URL is made anew for each request. */
static void variable_pass_read(struct target *t) {
    struct reader *reader = t->scope->reader;
    struct pass *pass = reader_alloc(reader, sizeof *pass);
    if (!pass)
        return;
    *pass = (struct pass){.place = word_place(t->at),
                          .url = STR(""),
                          .host = STR(""),
                          .is_secure = str_starts_nocase(t->at->text, STR("https://")),
                          .uri = STR("")};
    if (compile_template(t->scope, t->at, t->at->text, &pass->target))
        pass_use(t->scope, pass);
}

void pass_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct target target = {.scope = scope, .at = &node->words[1]};
    if (compile_has_variable(target.at->text)) {
        variable_pass_read(&target);
        return;
    }
    if (!target_split(&target))
        return;
    const char *where = scope->context & CONTEXT_LOCATION_IF ? "\"if\""
                        : scope->context & CONTEXT_LIMIT     ? "\"limit_except\""
                        : scope->route->match == ROUTE_NAMED ? "a named location"
                        : scope->route->match == ROUTE_REGEX ? "a location given by a regular expression"
                                                             : NULL;
    if (target.has_uri && where) {
        struct diagnostic *said =
            reader_fail(reader, target.at, "\"proxy_pass\" cannot have a path in %s", where);
        diagnostic_hint(reader->diagnostics, said,
                        "there is no fixed prefix that \"%.*s\" could replace: write http://%.*s",
                        STR_ARG(target.uri), STR_ARG(target.address));
        return;
    }
    struct endpoint endpoint;
    struct upstream *upstream = target_find(&target, &endpoint);
    struct pass *pass = upstream ? reader_alloc(reader, sizeof *pass) : NULL;
    if (!pass)
        return;
    *pass = (struct pass){.place = word_place(target.at),
                          .upstream = upstream,
                          .url = target.at->text,
                          .host = upstream->is_implicit ? host_shown(&target, &endpoint) : target.address,
                          .is_secure = target.is_secure,
                          .has_uri = target.has_uri,
                          .uri = target.uri};
    pass_use(scope, pass);
}

/* Sizes that are of no use together, as nginx finds them once a block is read. */
static const char *sizes_fault(const struct proxy_policy *proxy, const char **name) {
    static const char too_small[] = "must be equal to or greater than the maximum of the value of "
                                    "\"proxy_buffer_size\" and one of the \"proxy_buffers\"";
    size_t size = proxy->head_bytes > proxy->buffer_bytes ? proxy->head_bytes : proxy->buffer_bytes;
    size_t busy = proxy->busy_bytes ? proxy->busy_bytes : 2 * size;
    *name = "proxy_busy_buffers_size";
    if (busy < size)
        return too_small;
    if (busy > (proxy->buffers - 1) * proxy->buffer_bytes)
        return "must be less than the size of all \"proxy_buffers\" minus one buffer";
    *name = "proxy_temp_file_write_size";
    if (proxy->temp_write_bytes && proxy->temp_write_bytes < size)
        return too_small;
    *name = "proxy_max_temp_file_size";
    if (proxy->temp_max_bytes && proxy->temp_max_bytes < size)
        return "must be 0, for no temporary file, or equal to or greater than the maximum of the value of "
               "\"proxy_buffer_size\" and one of the \"proxy_buffers\"";
    return NULL;
}

void pass_verify(struct scope *scope) {
    static const char *const names[] = {"proxy_buffer_size", "proxy_buffers", "proxy_busy_buffers_size",
                                        "proxy_temp_file_write_size", "proxy_max_temp_file_size"};
    const struct node *last = NULL;
    for (const struct node *node = scope->block->first; node; node = node->next)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (str_eq(node_name(node), str_of(names[i])))
                last = node;
    const char *name, *fault = last ? sizes_fault(&scope->policy->proxy, &name) : NULL;
    if (fault)
        reader_fail(scope->reader, &last->words[0], "\"%s\" %s", name, fault);
}
