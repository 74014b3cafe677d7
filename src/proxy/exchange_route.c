/* What is asked: route, guard, body. */
#include "codec/h1_grammar.h"
#include "codec/uri.h"
#include "codec/ws.h"
#include "proxy/affinity.h"
#include "proxy/answer/files.h"
#include "proxy/answer/local.h"
#include "proxy/answer/stub_status.h"
#include "proxy/answer/try_files.h"
#include "proxy/exchange.h"
#include "proxy/guard/guard.h"
#include "proxy/head/pass_url.h"
#include "proxy/secure.h"
#include "proxy/stream.h"
#include "proxy/variable/rewrite.h"
#include "proxy/variable/variables.h"

enum { PATH_SLACK = 16, REDIRECTIONS_MAX = 10 };

/* The host asked for: lower case, without port and final dot. */
static bool host_find(struct exchange *x) {
    const struct h1_head *request = x->request;
    struct str host = request->authority_len
                          ? str_make(request->base + request->authority_at, request->authority_len)
                          : h1_head_value(request, H1_HOST);
    size_t end = 0;
    if (host.len && host.ptr[0] == '[')
        end = str_find_char(host, ']') + 1;
    else
        end = str_find_char(host, ':') == STR_NONE ? host.len : str_find_char(host, ':');
    host = str_head(host, end);
    if (host.len && host.ptr[host.len - 1] == '.')
        host.len--;
    char *lower = arena_alloc(&x->arena, host.len + 1);
    if (!lower)
        return false;
    for (size_t i = 0; i < host.len; i++)
        lower[i] = str_lower_char(host.ptr[i]);
    x->host = str_make(lower, host.len);
    return true;
}

static enum why path_find(struct exchange *x) {
    const struct h1_head *request = x->request;
    x->method = request->method;
    x->method_name = h1_head_method(request);
    x->args = h1_head_query(request);
    struct str path =
        request->path_len ? str_make(request->base + request->path_at, request->path_len) : STR("/");
    if (path.ptr[0] != '/') { /* OPTIONS * */
        x->path = STR("/");
        return WHY_NONE;
    }
    x->path = path;
    if (uri_is_normal(path))
        return WHY_NONE;
    char *memory = arena_alloc(&x->arena, path.len + PATH_SLACK);
    if (!memory)
        return WHY_NO_MEMORY;
    struct builder out = builder_make(memory, path.len + PATH_SLACK);
    if (!uri_normalise(&out, path, x->listen->default_site->merges_slashes))
        return WHY_BAD_REQUEST;
    x->path = builder_view(&out);
    return WHY_NONE;
}

static bool upgrade_passes(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    if (!policy->says_upgrade)
        return true;
    for (size_t i = 0; i < policy->proxy_headers.count; i++) {
        const struct header_rule *rule = &policy->proxy_headers.items[i];
        if (str_eq_nocase(rule->name, STR("Upgrade")))
            return template_eval_copy(x, &rule->value).len > 0;
    }
    return false;
}

/* RFC 6455 4.1: GET, HTTP/1.1, Upgrade with websocket, Connection with upgrade, a key; and no body. */
static bool is_websocket_upgrade(const struct h1_head *request) {
    return request->is_upgrade && request->method == H1_GET && request->minor == 1 &&
           request->framing == H1_NO_BODY && h1_head_lists(request, H1_UPGRADE, STR("websocket")) &&
           h1_head_has_one(request, H1_SEC_WEBSOCKET_KEY) &&
           ws_is_key(h1_head_value(request, H1_SEC_WEBSOCKET_KEY));
}

bool exchange_set_slot(struct exchange *x, unsigned slot, struct str text) {
    if (!x->slots)
        x->slots = arena_zero(&x->arena, x->hold->snapshot->model->slots.count, sizeof *x->slots);
    if (!x->slots)
        return false;
    x->slots[slot] = text;
    return true;
}

bool exchange_bind(struct exchange *x) {
    size_t count;
    const struct regex_binding *bindings = regex_bindings(x->captures.regex, &count);
    for (size_t i = 0; i < count; i++)
        if (bindings[i].group < x->captures.count &&
            !exchange_set_slot(x, bindings[i].slot, x->captures.groups[bindings[i].group]))
            return false;
    return true;
}

bool exchange_match(struct exchange *x, const struct regex *regex, struct str subject) {
    return regex_matches(regex, subject, &x->captures) && exchange_bind(x);
}

/* May path or args be changed once more? Counts it; if not, the exchange is to answer 500. */
static bool may_redirect(struct exchange *x) {
    if (x->redirections == REDIRECTIONS_MAX) {
        exchange_log(x, LOG_ERROR, "rewrite or internal redirection cycle while processing \"%.*s\"",
                     STR_ARG(str_head(x->path, 400)));
        return false;
    }
    x->redirections++;
    return true;
}

static enum exchange_state redirect(struct exchange *x, const struct route *goal) {
    exchange_release_back(x, false);
    exchange_release_member(x);
    affinity_end(x);
    local_close(x);
    x->local = (struct local){.file = -1};
    if (x->is_up_broken ||
        (x->attempt && !x->is_body_first)) /* a server was to have it as it came, and no other gets it */
        x->is_body_dropped = true;
    attempt_separate(x);
    x->member = NULL;
    x->pick = (struct pick){0};
    exchange_use_group(x, NULL);
    x->keeps_member = x->is_sid_lost = x->is_up_stopped = x->is_upgrade = false;
    x->tries = x->tries_max = x->stale_tries = 0;
    x->response = NULL;
    x->why = WHY_NONE;
    x->is_internal = true;
    x->adds_path = false;
    x->is_read = true;
    x->goal = goal;
    if (may_redirect(x))
        return STATE_ROUTE;
    x->why = WHY_INTERNAL;
    return STATE_ANSWER;
}

enum exchange_state exchange_redirect(struct exchange *x, struct str path, struct str args) {
    x->path = path;
    x->args = args;
    x->is_uri_changed = true;
    return redirect(x, NULL);
}

enum exchange_state exchange_redirect_to(struct exchange *x, struct str name) {
    const struct route *route = map_get(&x->site->named, name);
    if (route && x->path.len)
        return redirect(x, route);
    if (route)
        exchange_log(x, LOG_ERROR, "empty URI in redirect to named location \"%.*s\"", STR_ARG(name));
    else
        exchange_log(x, LOG_ERROR, "could not find named location \"%.*s\"", STR_ARG(name));
    local_prepare_status(x, 500);
    return STATE_ANSWER;
}

/* The method that the server is asked with. */
static void method_prepare(struct exchange *x) {
    const struct template *method = &exchange_policy(x)->proxy.method;
    x->asked_method = x->method_name;
    if (template_is_empty(method))
        return;
    x->asked_method = template_eval_copy(x, method);
    if (!h1_is_token(x->asked_method))
        x->asked_method = x->method_name;
}

static enum exchange_state pass_begin(struct exchange *x) {
    const struct h1_head *request = x->request;
    method_prepare(x);
    if (!exchange_body_begin(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    eio_query_parse(&x->eio, x->args);
    if (!pass_url_prepare(x))
        return exchange_fail(x, x->why);
    x->is_upgrade = !x->parent && is_websocket_upgrade(request) && upgrade_passes(x);
    x->is_handshake =
        x->eio.sid.len == 0 && (x->is_upgrade || (x->eio.is_engine && x->method == H1_GET && x->up.is_done));
    x->pick.client = &x->client;
    if (x->group && (x->group->upstream->balance == BALANCE_HASH ||
                     x->group->upstream->balance == BALANCE_HASH_CONSISTENT)) {
        x->pick.key = template_eval_copy(x, &x->group->upstream->hash_key);
        if (!x->pick.key.ptr)
            return exchange_fail(x, WHY_NO_MEMORY);
    }
    if ((x->route->pass->is_secure && !secure_prepare(x)) || (x->group && !affinity_begin(x)))
        return exchange_fail(x, WHY_NO_MEMORY);
    return x->is_body_first && !x->up.is_done ? STATE_BODY : pass_url_name(x);
}

/* Nobody is to hear what a request looks like on its way, cookies included: nginx answers none either. */
static bool request_is_trace(struct exchange *x) {
    if (x->request->method != H1_TRACE)
        return false;
    x->front->must_close = true;
    return true;
}

/* Site, path and what else the request line and Host say; once an exchange. */
static enum why request_read(struct exchange *x) {
    x->is_read = true;
    x->is_minor_0 = x->request->minor == 0;
    if (!host_find(x))
        return WHY_NO_MEMORY;
    struct str name = x->host.len ? x->host : secure_name(x->front->duct);
    x->site = listen_find_site(x->listen, name, &x->captures);
    x->route = &x->site->fallback;
    if ((x->captures.regex && !exchange_bind(x)) || !guard_post_read(x))
        return WHY_NO_MEMORY;
    enum why why = x->listen->is_secure ? secure_verify(x) : WHY_NONE;
    if (why == WHY_NONE)
        why = path_find(x);
    return why == WHY_NONE && request_is_trace(x) ? WHY_BAD_METHOD : why;
}

/* Named groups of the locations around the one that was found. */
static bool outer_bind(struct exchange *x, const struct route *outer) {
    size_t count;
    if (!outer)
        return true;
    if (!outer_bind(x, outer->outer))
        return false;
    if (outer->match != ROUTE_REGEX || !regex_bindings(outer->regex, &count) || !count)
        return true;
    struct regex_match captures = x->captures;
    bool is_bound = !regex_matches(outer->regex, x->path, &x->captures) || exchange_bind(x);
    x->captures = captures;
    return is_bound;
}

/* limit_except: the route for methods that it does not name. */
static const struct route *limited(const struct exchange *x) {
    const struct limit_except *limit = x->route->limit;
    for (size_t i = 0; i < limit->methods.count; i++)
        if (str_eq(limit->methods.items[i], x->method_name) ||
            (x->method == H1_HEAD && str_eq(limit->methods.items[i], STR("GET"))))
            return x->route;
    return limit->route;
}

static enum why route_choose(struct exchange *x) {
    const struct regex *before = x->captures.regex;
    x->captures.regex = NULL;
    x->route = x->goal ? x->goal : route_find(&x->site->routes, &x->site->fallback, x->path, &x->captures);
    if (x->route->limit)
        x->route = limited(x);
    bool is_bound = outer_bind(x, x->route->outer);
    if (!x->captures.regex)
        x->captures.regex = before;
    else
        is_bound = is_bound && exchange_bind(x);
    if (!is_bound)
        return WHY_NO_MEMORY;
    if (x->request->framing == H1_LENGTH && !x->is_body_dropped && exchange_policy(x)->client_max_body_bytes &&
        x->request->content_length > exchange_policy(x)->client_max_body_bytes)
        return WHY_BODY_TOO_LARGE;
    if (x->route->is_internal && !x->is_internal)
        return WHY_NOT_FOUND;
    return WHY_NONE;
}

/* Nothing is run for a route that says nothing of it, which is nearly every one. */
static enum rewrite_end program_run(struct exchange *x) {
    const struct program *program = &x->route->program;
    return program->operations.count ? rewrite_run(x, program) : REWRITE_STAYS;
}

/* A text or a file; error pages do without a look at the body, for their location may yet want it. */
static enum exchange_state answer_begin(struct exchange *x) {
    enum why why = x->why != WHY_NONE || x->local.is_page ? WHY_NONE : exchange_body_drop(x);
    return why == WHY_NONE ? STATE_ANSWER : exchange_fail(x, why);
}

static enum exchange_state rewrite_state(struct exchange *x, enum rewrite_end end) {
    switch (end) {
    case REWRITE_ANSWERED:
        return answer_begin(x);
    case REWRITE_CLOSED:
        x->front->must_close = x->front->is_cut = true;
        return STATE_DONE;
    case REWRITE_STAYS:
        if (x->guarding)
            guard_begin(x);
        return STATE_GUARD;
    case REWRITE_MOVES:
    case REWRITE_FAILED:
        break;
    }
    x->why = WHY_INTERNAL; /* which is logged already */
    return STATE_ANSWER;
}

/* nginx's phases: the server's rewrites, the location, its rewrites, and again when they have changed the path.
 * A named location is gone to without the server's. */
enum exchange_state exchange_route(struct exchange *x) {
    enum rewrite_end end = REWRITE_STAYS;
    if (x->why != WHY_NONE)
        return STATE_ANSWER;
    if (x->is_stream)
        return stream_route(x);
    enum why why = x->is_read ? WHY_NONE : request_read(x);
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!x->goal) {
        x->route = &x->site->fallback;
        x->is_path_foreign = false;
        end = program_run(x);
    }
    if (end != REWRITE_STAYS && end != REWRITE_MOVES)
        return rewrite_state(x, end);
    for (;;) {
        why = route_choose(x);
        if (why != WHY_NONE)
            return exchange_fail(x, why);
        end = x->route == &x->site->fallback ? REWRITE_STAYS : program_run(x);
        if (end != REWRITE_MOVES)
            return rewrite_state(x, end);
        x->goal = NULL;
        if (!may_redirect(x))
            return rewrite_state(x, REWRITE_FAILED);
    }
}

enum exchange_state exchange_guard(struct exchange *x) {
    const struct guard *guard = exchange_policy(x)->guard;
    return guard ? guard_run(x, guard) : exchange_content(x);
}

enum exchange_state exchange_content(struct exchange *x) {
    enum exchange_state next;
    if (x->is_stream)
        return stream_content(x);
    if (x->route->tries && try_files_run(x, &next))
        return next;
    if (x->route->action == ROUTE_PASS)
        return pass_begin(x);
    if (x->route->action == ROUTE_REPORT) {
        x->engine->report(x);
        return answer_begin(x);
    }
    next = x->route->action == ROUTE_STUB_STATUS ? stub_status_serve(x) : files_serve(x);
    return next == STATE_ANSWER ? answer_begin(x) : next;
}
