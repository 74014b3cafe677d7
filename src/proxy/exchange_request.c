/* The way there: route, pick, connect, send. */
#include "codec/uri.h"
#include "codec/ws.h"
#include "proxy/affinity.h"
#include "proxy/exchange.h"
#include "proxy/files.h"
#include "proxy/local.h"
#include "proxy/passage.h"
#include "proxy/request_head.h"
#include "proxy/variables.h"

#include <errno.h>

enum { PATH_SLACK = 16 };

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
    if (!uri_normalise(&out, path, true))
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

static enum exchange_state pass_begin(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    const struct h1_head *request = x->request;
    x->up.framing = request->framing;
    x->up.max_bytes = policy->client_max_body_bytes;
    if (request->framing == H1_CHUNKED && policy->proxy_http_minor == 0)
        return exchange_fail(x, WHY_LENGTH_REQUIRED);
    eio_query_parse(&x->eio, h1_head_query(request));
    x->group = map_get(&x->hold->snapshot->groups, x->route->pass->upstream->name);
    x->is_upgrade = is_websocket_upgrade(request) && upgrade_passes(x);
    x->is_handshake = x->eio.sid.len == 0 &&
                      (x->is_upgrade || (x->eio.is_engine && request->method == H1_GET && x->up.is_done));
    x->pick.loop = x->engine->index;
    x->pick.client = x->front->remote;
    if (x->group->upstream->balance == BALANCE_HASH || x->group->upstream->balance == BALANCE_HASH_CONSISTENT) {
        x->pick.key = template_eval_copy(x, &x->group->upstream->hash_key);
        if (!x->pick.key.ptr)
            return exchange_fail(x, WHY_NO_MEMORY);
    }
    return affinity_begin(x) ? STATE_PICK : exchange_fail(x, WHY_NO_MEMORY);
}

enum exchange_state exchange_route(struct exchange *x) {
    if (x->why != WHY_NONE)
        return STATE_ANSWER;
    x->is_minor_0 = x->request->minor == 0;
    if (!host_find(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    x->site = listen_find_site(x->listen, x->host, &x->captures);
    x->route = &x->site->fallback;
    enum why why = path_find(x);
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    x->route = route_find(&x->site->routes, &x->site->fallback, x->path, &x->captures);
    if (x->request->framing == H1_LENGTH && exchange_policy(x)->client_max_body_bytes &&
        x->request->content_length > exchange_policy(x)->client_max_body_bytes)
        return exchange_fail(x, WHY_BODY_TOO_LARGE);
    switch (x->route->action) {
    case ROUTE_PASS:
        return pass_begin(x);
    case ROUTE_ANSWER:
        if (local_prepare_return(x))
            return STATE_ANSWER;
        x->front->must_close = true;
        return STATE_DONE;
    case ROUTE_FILES:
        files_prepare(x);
        return STATE_ANSWER;
    }
    return exchange_fail(x, WHY_INTERNAL);
}

enum exchange_state exchange_pick(struct exchange *x) {
    uint64_t now_ms = x->engine->loop->now_ms;
    if (!x->keeps_member) {
        struct member *member = affinity_member(x);
        if (x->is_sid_lost)
            return exchange_fail(x, WHY_SID_UNKNOWN);
        x->member = member ? member : group_pick(x->group, &x->pick, now_ms);
    }
    x->keeps_member = false;
    if (!x->member)
        return exchange_fail(x, WHY_NO_PEER);
    atomic_fetch_add_explicit(&x->member->peer->active, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&x->member->peer->requests, 1, memory_order_relaxed);
    x->is_counted = true;
    x->attempt_ms = now_ms;
    if (!x->first_attempt_ms)
        x->first_attempt_ms = now_ms;
    x->has_sent = false;
    return STATE_CONNECT;
}

static void back_ready(struct duct *duct) {
    exchange_run(duct->owner);
}

static enum why back_open(struct exchange *x) {
    struct back *back = &x->back;
    struct idle_lease lease = idle_take(x->engine->idle, x->member->peer);
    if (lease.duct) {
        duct_own(lease.duct, back_ready, x);
    } else {
        int fd = socket_connect(&x->member->peer->address, NULL, SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
        if (fd < 0)
            return why_of_connect_error(fd);
        lease.duct = duct_new(x->engine->ducts, fd, back_ready, x);
        if (!lease.duct)
            return WHY_NO_MEMORY;
    }
    back->duct = lease.duct;
    back->requests = lease.requests;
    back->is_keepable = false;
    back->keep_ms = 0;
    inbox_init(&back->in, &x->engine->counts.buffered_bytes);
    outbox_init(&back->out, back->duct, &x->engine->counts.buffered_bytes);
    return WHY_NONE;
}

/* What a failed send to the back means: before a first byte of a fresh connection it is the connect that
 * failed. */
static enum why send_error_why(const struct exchange *x, int error) {
    if (error == -ENOMEM)
        return WHY_NO_MEMORY;
    if (error == -EMSGSIZE)
        return WHY_HEAD_TOO_LARGE;
    if (x->back.requests == 0 && !x->has_sent)
        return why_of_connect_error(error);
    return WHY_BACKEND_RESET;
}

static const enum why up_whys[PASSAGE_VERDICTS] = {
    [PASSAGE_BAD] = WHY_BAD_REQUEST,           [PASSAGE_LARGE] = WHY_BODY_TOO_LARGE,
    [PASSAGE_ENDED] = WHY_CLIENT_CLOSED,       [PASSAGE_BROKEN_SOURCE] = WHY_CLIENT_RESET,
    [PASSAGE_BROKEN_SINK] = WHY_BACKEND_RESET, [PASSAGE_NO_MEMORY] = WHY_NO_MEMORY,
};

/* Sends what is gathered, and behind it what the client has sent of its body. */
static enum why body_move(struct exchange *x, struct gather *g) {
    uint64_t before = x->up.bytes;
    enum passage_verdict verdict =
        passage_move(x, &x->up, &x->front->in, x->front->duct, x->engine->loop->scratch, g);
    x->up_sent_bytes += x->up.bytes - before;
    enum why why = passage_why(x, verdict, up_whys);
    x->is_up_broken = x->is_up_broken || why != WHY_NONE;
    return why;
}

/* Sends the head: on a kept connection together with what is there of the body, in one piece. On a fresh one
 * the body waits until it is connected, for else it would be used up when another server must be tried. */
static enum why head_send(struct exchange *x) {
    struct gather g;
    struct passage up = x->up;
    unsigned sent = x->back.duct->sent_since_look;
    enum why why = WHY_NONE;
    gather_init(&g, x->engine->stage, &x->back.out);
    if (!request_head_build(x, &g.stage))
        return WHY_HEAD_TOO_LARGE;
    x->up_sent_bytes += g.stage.len;
    if (x->back.requests > 0 && !x->up.is_done && x->front->in.view.len) {
        why = body_move(x, &g);
    } else {
        int error = gather_send(&g);
        if (error)
            why = send_error_why(x, error);
    }
    x->has_sent = x->back.duct->sent_since_look != sent;
    if (why == WHY_BACKEND_RESET && !x->has_sent) {
        x->up = up; /* not a byte went out: the body is still all there */
        x->is_up_broken = false;
    }
    return why;
}

enum exchange_state exchange_connect(struct exchange *x) {
    enum why why = WHY_NONE;
    if (!x->back.duct) {
        why = back_open(x);
        if (why == WHY_NONE)
            why = head_send(x); /* at once: on a kept or local connection it goes out */
    } else {
        int error = x->back.duct->has_end ? socket_error(x->back.duct->ev.fd) : 0;
        if (!error)
            error = exchange_flush(x, &x->back.out);
        if (error)
            why = send_error_why(x, error);
        x->has_sent = x->has_sent || x->back.out.len == 0;
    }
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!x->has_sent && !outbox_is_empty(&x->back.out))
        return STATE_CONNECT;
    x->connect_done_ms = x->engine->loop->now_ms;
    return STATE_SEND;
}

/* Tells a client that waits for it to send its body. */
static int continue_send(struct exchange *x) {
    if (!x->request->expects_continue || x->has_100 || x->is_minor_0 || x->front->in.view.len)
        return 0;
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct iovec part = {(void *)(uintptr_t)line, sizeof line - 1};
    x->has_100 = true;
    return outbox_send(&x->front->out, &part, 1);
}

enum why exchange_forward_up(struct exchange *x) {
    struct gather g;
    int error = exchange_flush(x, &x->back.out);
    if (error)
        return send_error_why(x, error);
    /* The client waits for the rest of a 100 too; that it has gone is not the server's fault. */
    if (exchange_flush(x, &x->front->out) || (!x->up.is_done && continue_send(x))) {
        x->is_client_gone = true;
        return WHY_CLIENT_RESET;
    }
    if (x->up.is_done || !outbox_is_empty(&x->back.out))
        return WHY_NONE;
    gather_init(&g, x->engine->stage, &x->back.out);
    return body_move(x, &g);
}

enum exchange_state exchange_send(struct exchange *x) {
    enum why why = exchange_forward_up(x);
    if (why == WHY_BACKEND_RESET && x->back.duct->can_read)
        return STATE_AWAIT; /* it may have answered before it stopped listening */
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (x->back.duct->can_read || (x->up.is_done && outbox_is_empty(&x->back.out)))
        return STATE_AWAIT;
    return STATE_SEND;
}
