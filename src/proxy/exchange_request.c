/* The way there: pick, connect, send. */
#include "proxy/affinity.h"
#include "proxy/exchange.h"
#include "proxy/flow/passage.h"
#include "proxy/head/request_head.h"
#include "proxy/queue.h"
#include "proxy/secure.h"
#include "proxy/sticky.h"
#include "proxy/stream.h"
#include "proxy/variable/variables.h"

#include <errno.h>

/* As many servers are asked as there are, or proxy_next_upstream_tries of them. */
static unsigned tries_of(const struct exchange *x) {
    unsigned most = exchange_policy(x)->next_upstream_tries, all = x->group->tries;
    return most && most < all ? most : all;
}

enum exchange_state exchange_pick(struct exchange *x) {
    uint64_t now_ms = x->engine->loop->now_ms;
    if (!x->tries_max)
        x->tries_max = tries_of(x);
    if (!x->keeps_member) {
        struct member *member = affinity_member(x);
        if (x->is_sid_lost)
            return exchange_fail(x, WHY_SID_UNKNOWN);
        member = member ? member : sticky_pick(x);
        x->member = member ? member : group_pick(x->group, &x->pick, now_ms);
        if (!x->member && queue_may_wait(x))
            return STATE_QUEUE;
        queue_leave(x);
        x->tries++;
        if (!attempt_begin(x, x->member ? str_of(x->member->peer->name) : x->group->upstream->name))
            return exchange_fail(x, WHY_NO_MEMORY);
    }
    x->keeps_member = false;
    if (!x->member)
        return exchange_fail(x, WHY_NO_PEER);
    atomic_fetch_add_explicit(&x->member->peer->active, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&x->member->peer->requests, 1, memory_order_relaxed);
    x->is_counted = true;
    x->meter = &x->member->peer->meters[x->engine->index];
    counter_add(&x->meter->requests, 1);
    x->picked_us = x->engine->loop->now_us;
    x->has_sent = false;
    x->error = 0;
    return STATE_CONNECT;
}

static void back_ready(struct duct *duct) {
    exchange_run(duct->owner);
}

/* proxy_bind: ADDRESS[:PORT]. False: there is none, or what variables make of it is none. */
static bool source_find(struct exchange *x, struct socket_source *source) {
    const struct template *bind = &exchange_policy(x)->proxy.bind;
    if (template_is_empty(bind))
        return false;
    struct str text = template_eval_copy(x, bind), host = text;
    uint64_t port = 0;
    size_t end = str_find_char(text, ']');
    size_t colon = end == STR_NONE ? str_find_char(text, ':') : end + 1;
    if (text.len && text.ptr[0] == '[' && end != STR_NONE)
        host = str_make(text.ptr + 1, end - 1);
    else if (colon != STR_NONE && str_find_char(str_from(text, colon + 1), ':') == STR_NONE)
        host = str_head(text, colon);
    if (colon < text.len && (host.len < text.len) && !str_to_u64(str_from(text, colon + 1), &port))
        port = 0;
    if (host.len && port <= UINT16_MAX && address_parse(host, (uint16_t)port, &source->address)) {
        source->is_transparent = exchange_policy(x)->proxy.binds_transparently;
        return true;
    }
    exchange_log(x, LOG_ERROR, "invalid local address \"%.*s\"", STR_ARG(str_head(text, 200)));
    return false;
}

enum why exchange_open_back(struct exchange *x) {
    struct back *back = &x->back;
    struct socket_source source;
    back->kind = secure_kind(x);
    back->is_bound = source_find(x, &source); /* then the connection is nobody else's */
    struct idle_lease lease = {0};
    if (!back->is_bound)
        lease = idle_take(x->engine->idle, x->member->peer, back->kind);
    if (lease.duct) {
        duct_own(lease.duct, back_ready, x);
    } else {
        int fd = socket_connect(&x->member->peer->address, back->is_bound ? &source : NULL, SOCKET_BUFFER_BYTES,
                                SOCKET_BUFFER_BYTES);
        if (fd < 0) {
            x->error = fd;
            if (fd == -EPERM && back->is_bound && source.is_transparent)
                return WHY_NOT_TRANSPARENT;
            return why_of_connect_error(fd);
        }
        enum why why = WHY_NO_MEMORY;
        if (back->kind)
            why = secure_connect(x, fd, back_ready, &lease.duct);
        else if ((lease.duct = duct_new(x->engine->ducts, fd, back_ready, x)))
            why = WHY_NONE;
        if (why != WHY_NONE)
            return why;
    }
    back->duct = lease.duct;
    back->requests = lease.requests;
    back->born_ms = lease.requests ? lease.born_ms : x->engine->loop->now_ms;
    back->is_keepable = false;
    back->keep_ms = 0;
    inbox_init(&back->in, &x->engine->counts.buffered_bytes);
    outbox_init(&back->out, back->duct, &x->engine->counts.buffered_bytes);
    back->in.meter = &x->meter->bytes_down;
    back->out.meter = &x->meter->bytes_up;
    return WHY_NONE;
}

/* What a failed send to the back means: before a first byte of a fresh connection it is the connect that
 * failed. */
static enum why send_error_why(struct exchange *x, int error) {
    x->error = error;
    if (error == -ENOMEM)
        return WHY_NO_MEMORY;
    if (error == -EMSGSIZE)
        return WHY_HEAD_TOO_LARGE;
    if (error == -EPROTO && tls_failure(x->back.duct).len)
        return WHY_TLS_FAILED;
    if (x->back.requests == 0 && !x->has_sent)
        return why_of_connect_error(error);
    return WHY_BACKEND_RESET;
}

static const enum why up_whys[PASSAGE_VERDICTS] = {
    [PASSAGE_BAD] = WHY_BAD_CHUNK,
    [PASSAGE_LARGE] = WHY_BODY_TOO_LARGE,
    [PASSAGE_ENDED] = WHY_CLIENT_CLOSED,
    [PASSAGE_BROKEN_SOURCE] = WHY_CLIENT_RESET,
    [PASSAGE_BROKEN_SINK] = WHY_BACKEND_RESET,
    [PASSAGE_NO_MEMORY] = WHY_NO_MEMORY,
};

/* Sends what is gathered, and behind it what the client has sent of its body. */
static enum why body_move(struct exchange *x, struct gather *g) {
    uint64_t before = x->up.bytes + x->up.overhead;
    enum passage_verdict verdict =
        passage_move(x, &x->up, &x->front->in, x->front->duct, x->engine->loop->scratch, g);
    x->attempt->sent += x->up.bytes + x->up.overhead - before;
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
    x->attempt->sent += g.stage.len + x->body_text.len;
    if (x->body_text.len)
        gather_add(&g, x->body_text);
    if (x->body)
        spool_rewind(x->body);
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
    if (x->is_stream)
        return stream_connect(x);
    if (!x->back.duct) {
        why = exchange_open_back(x);
        if (why == WHY_NONE)
            why = head_send(x); /* at once: on a kept or local connection it goes out */
    } else {
        uint32_t before = x->back.out.len;
        int error = x->back.duct->has_end ? duct_error(x->back.duct) : 0;
        if (!error)
            error = exchange_flush(x, &x->back.out);
        x->has_sent =
            x->has_sent || x->back.out.len != before; /* a part of it counts: the server may act on it */
        if (error)
            why = send_error_why(x, error);
    }
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!x->has_sent && !outbox_is_empty(&x->back.out))
        return STATE_CONNECT;
    if (x->attempt->connect_ms == ATTEMPT_NEVER)
        x->attempt->connect_ms = (int64_t)(x->engine->loop->now_ms - x->attempt->began_ms);
    return STATE_SEND;
}

int exchange_continue(struct exchange *x) {
    if (!x->request->expects_continue || x->has_100 || x->is_minor_0 || x->request->framing == H1_NO_BODY)
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
    if (exchange_flush(x, &x->front->out) || exchange_continue(x)) {
        x->is_client_gone = true;
        return WHY_CLIENT_RESET;
    }
    if (x->body && !x->is_body_withheld) {
        error = exchange_body_send(x);
        return error ? send_error_why(x, error) : WHY_NONE;
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
    if (x->back.duct->can_read || (exchange_is_asked(x) && outbox_is_empty(&x->back.out)))
        return STATE_AWAIT;
    return STATE_SEND;
}
