/* The way back: await, relay, tunnel, answer. */
#include "codec/h1_grammar.h"
#include "codec/uri.h"
#include "codec/ws.h"
#include "proxy/affinity.h"
#include "proxy/answer/addition.h"
#include "proxy/answer/error_page.h"
#include "proxy/answer/feed.h"
#include "proxy/answer/local.h"
#include "proxy/answer/partial.h"
#include "proxy/exchange.h"
#include "proxy/flow/pace.h"
#include "proxy/head/field.h"
#include "proxy/head/response_head.h"
#include "proxy/sticky.h"
#include "proxy/stream.h"
#include "proxy/tunnel.h"
#include "proxy/variable/variables.h"

#include <errno.h>

enum { INFORMATIONAL_MAX = 16, FILE_STEP = 1 << 20 };

/* Keep-Alive: timeout=N, so that a connection is given up before the backend does. */
static uint64_t keep_ms_find(const struct h1_head *response) {
    struct str value = h1_head_value(response, H1_KEEP_ALIVE);
    uint64_t seconds = 0;
    for (struct str part; str_split(&value, ',', &part);) {
        part = str_trim(part);
        if (str_starts_nocase(part, STR("timeout=")) && str_to_u64(str_from(part, 8), &seconds))
            return seconds > 1 && seconds < 1000000 ? (seconds - 1) * 1000 : 1;
    }
    return 0;
}

/* early_hints, of a 103. */
static bool hints_pass(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->early_hints.count; i++) {
        char memory[4];
        struct builder value = builder_make(memory, sizeof memory);
        template_eval(x, &policy->early_hints.items[i], &value);
        if (value.overflow || (value.len && !str_eq(builder_view(&value), STR("0"))))
            return true;
    }
    return policy->early_hints.count == 0;
}

/* 1xx other than 101: passed on to HTTP/1.1 clients, but for a 100 that we said ourselves. */
static enum why informational_pass(struct exchange *x, const struct h1_head *head) {
    if (++x->informational > INFORMATIONAL_MAX)
        return WHY_ANSWER_INVALID;
    if (head->status != 100 && !x->parent && !x->is_minor_0 && !h1_head_has(head, H1_CONNECTION) &&
        (head->status != 103 || hints_pass(x))) {
        struct gather g;
        gather_init(&g, x->engine->stage, &x->front->out);
        response_head_build_interim(x, head, &g.stage);
        if (gather_send(&g))
            return WHY_CLIENT_RESET;
    }
    inbox_consume(&x->back.in, head->len);
    return WHY_NONE;
}

/* RFC 6455 4.2.2: the backend took the upgrade that was asked for, and read the key. */
static bool is_valid_switch(const struct exchange *x, const struct h1_head *head) {
    char accept[WS_ACCEPT_LEN];
    return x->is_upgrade && head->is_upgrade && h1_head_lists(head, H1_UPGRADE, STR("websocket")) &&
           h1_head_has_one(head, H1_SEC_WEBSOCKET_ACCEPT) &&
           ws_accept_make(h1_head_value(x->request, H1_SEC_WEBSOCKET_KEY), accept) &&
           str_eq(h1_head_value(head, H1_SEC_WEBSOCKET_ACCEPT), str_make(accept, sizeof accept));
}

static unsigned next_upstream_bit_of_status(unsigned status) {
    switch (status) {
    case 403:
        return NEXT_403;
    case 404:
        return NEXT_404;
    case 429:
        return NEXT_429;
    case 500:
        return NEXT_500;
    case 502:
        return NEXT_502;
    case 503:
        return NEXT_503;
    case 504:
        return NEXT_504;
    default:
        return 0;
    }
}

static bool is_method_head(struct str method) {
    return str_eq(method, STR("HEAD"));
}

/* With proxy_method what the server was asked for may have a body where the client's answer has none, or none
 * where the client waits for one. */
static uint8_t framing_out(const struct exchange *x, const struct h1_head *response) {
    if (x->method == H1_HEAD)
        return H1_NO_BODY;
    if (is_method_head(x->asked_method) && response->status >= 200 && response->status != 204 &&
        response->status != 304)
        return H1_UNTIL_CLOSE;
    if (response->framing == H1_NO_BODY)
        return H1_NO_BODY;
    bool may_chunk = !x->is_minor_0 && !exchange_policy(x)->is_chunked_forbidden;
    if (may_chunk && addition_has_trailers(x, x->answer_status ? x->answer_status : response->status))
        return H1_CHUNKED;
    return response->framing == H1_LENGTH ? H1_LENGTH : may_chunk ? H1_CHUNKED : H1_UNTIL_CLOSE;
}

/* What the server's X-Accel-Buffering and X-Accel-Limit-Rate say. */
static void accelerate(struct exchange *x) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    x->is_buffered = proxy->is_buffered;
    if (h1_head_has(x->response, H1_X_ACCEL_BUFFERING) && !(proxy->ignored & IGNORE_X_ACCEL_BUFFERING)) {
        struct str said = h1_head_value(x->response, H1_X_ACCEL_BUFFERING);
        x->is_buffered = str_eq_nocase(said, STR("yes")) || (x->is_buffered && !str_eq_nocase(said, STR("no")));
    }
    if (h1_head_has(x->response, H1_X_ACCEL_LIMIT_RATE) && !(proxy->ignored & IGNORE_X_ACCEL_LIMIT_RATE))
        pace_set(x, h1_head_value(x->response, H1_X_ACCEL_LIMIT_RATE));
}

/* Lines of the answer whose names, each with ':' behind it, are in the list; in the arena. */
static struct str fields_keep(struct exchange *x, struct str names) {
    char *memory = arena_alloc(&x->arena, x->response->len + 1);
    struct builder out = builder_make(memory, memory ? x->response->len + 1 : 0);
    for (unsigned i = 0; memory && i < x->response->field_count; i++) {
        const struct h1_field *field = &x->response->fields[i];
        struct str name = h1_field_name(x->response, field);
        for (struct str rest = names, one; str_split(&rest, ':', &one);)
            if (one.len && str_eq_nocase(one, name))
                field_build(&out, name, h1_field_value(x->response, field));
    }
    return out.overflow ? STR("") : builder_view(&out);
}

/* X-Accel-Redirect: a path or a named location gives the answer; of this one the fields stay that nginx keeps.
 */
static enum exchange_state accel_redirect(struct exchange *x) {
    struct str target = h1_head_value(x->response, H1_X_ACCEL_REDIRECT);
    x->answer_headers = fields_keep(x, STR("Set-Cookie:Content-Disposition:Cache-Control:Expires:"));
    x->answer_type = h1_head_value(x->response, H1_CONTENT_TYPE);
    x->status = 0;
    if (str_starts(target, STR("@")))
        return exchange_redirect_to(x, target);
    size_t at = str_find_char(target, '?');
    struct str path = str_head(target, at);
    char *memory = arena_alloc(&x->arena, path.len + 16);
    struct builder out = builder_make(memory, memory ? path.len + 16 : 0);
    if (!str_starts(path, STR("/")) || !uri_normalise(&out, path, true)) {
        exchange_log(x, LOG_ERROR, "unsafe URI \"%.*s\" was detected", STR_ARG(str_head(target, 400)));
        return error_page_intercept(x, 404, STR(""));
    }
    if (x->method != H1_HEAD) {
        x->method = H1_GET;
        x->method_name = STR("GET");
    }
    return exchange_redirect(x, builder_view(&out), at == STR_NONE ? STR("") : str_from(target, at + 1));
}

/* The final head is there: keeps it, and settles what it decides. */
static enum exchange_state answer_begin(struct exchange *x, const struct h1_head *head) {
    unsigned next_bit = next_upstream_bit_of_status(head->status);
    x->attempt->status = head->status;
    x->attempt->header_ms = (int64_t)(x->engine->loop->now_ms - x->attempt->began_ms);
    if (next_bit && exchange_may_retry(x, next_bit))
        return exchange_fail(x, next_bit & (NEXT_403 | NEXT_404) ? WHY_ANSWER_ELSEWHERE : WHY_ANSWER_STATUS);
    x->response = exchange_keep_head(x, head, x->back.in.view.ptr);
    if (!x->response)
        return exchange_fail(x, WHY_NO_MEMORY);
    inbox_consume(&x->back.in, head->len);
    member_succeed(x->member, x->engine->loop->now_ms);
    meter_answer(x->meter, head->status, x->engine->loop->now_us - x->picked_us);
    x->status = head->status;
    sticky_answered(x);
    if (head->status == 101)
        return STATE_TUNNEL;
    h1_body_init(&x->down.body, x->response);
    x->down.framing = framing_out(x, x->response);
    x->down.is_done = x->down.body.is_complete;
    x->down.drops_trailers = !exchange_policy(x)->proxy.passes_trailers;
    x->given_ms = x->taken_ms = x->engine->loop->now_ms;
    accelerate(x);
    if (h1_head_has(head, H1_X_ACCEL_REDIRECT) && !x->parent &&
        !(exchange_policy(x)->proxy.ignored & IGNORE_X_ACCEL_REDIRECT))
        return accel_redirect(x);
    if (exchange_policy(x)->proxy.intercepts_errors && x->status >= 300 && !x->parent &&
        error_page_stands_in(x, x->status))
        return error_page_intercept(x, x->status, fields_keep(x, STR("WWW-Authenticate:")));
    if (!x->parent && !partial_begin(x))
        return error_page_intercept(x, 416, partial_refusal(x));
    x->back.is_keepable = head->is_keepalive && head->framing != H1_UNTIL_CLOSE;
    x->back.keep_ms = keep_ms_find(x->response);
    affinity_answered(x);
    return STATE_RELAY;
}

/* Reads the head from what is there. STATE_AWAIT: more bytes are wanted. */
static enum exchange_state head_parse(struct exchange *x) {
    struct h1_head *head = &x->engine->head;
    struct inbox *in = &x->back.in;
    size_t head_max = exchange_policy(x)->proxy.head_bytes;
    while (in->view.len) {
        h1_head_init(head);
        enum h1_method method = is_method_head(x->asked_method) ? H1_HEAD : H1_GET;
        switch (h1_response_parse(head, in->view.ptr, in->view.len, method)) {
        case CODEC_BAD:
            return exchange_fail(x, WHY_ANSWER_INVALID);
        case CODEC_MORE:
            if (in->view.len >= head_max)
                return exchange_fail(x, WHY_ANSWER_TOO_LARGE);
            return STATE_AWAIT;
        case CODEC_DONE:
            break;
        }
        if (head->len > head_max)
            return exchange_fail(x, WHY_ANSWER_TOO_LARGE);
        if (head->status == 101 && !is_valid_switch(x, head))
            return exchange_fail(x, WHY_UPGRADE_INVALID);
        if (head->status >= 200 || head->status == 101)
            return answer_begin(x, head);
        enum why why = informational_pass(x, head);
        if (why != WHY_NONE)
            return exchange_fail(x, why);
    }
    return STATE_AWAIT;
}

enum exchange_state exchange_await(struct exchange *x) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    size_t most = template_is_empty(&proxy->limit_rate) ? LOOP_SCRATCH_BYTES : proxy->head_bytes;
    enum why up_why = exchange_forward_up(x);
    if (up_why != WHY_NONE && (up_why != WHY_BACKEND_RESET || !x->back.duct->can_read))
        return exchange_fail(x, up_why);
    if (exchange_flush(x, &x->front->out))
        return exchange_fail(x, WHY_CLIENT_RESET);
    for (;;) {
        if (!x->back.duct->can_read)
            return STATE_AWAIT;
        ssize_t got = inbox_fill(&x->back.in, x->back.duct, x->engine->back_scratch, most, LOOP_SCRATCH_BYTES);
        if (got == -EAGAIN)
            return inbox_settle(&x->back.in) ? STATE_AWAIT : exchange_fail(x, WHY_NO_MEMORY);
        if (got == -ENOMEM)
            return exchange_fail(x, WHY_NO_MEMORY);
        if (got < 0)
            x->error = (int)got;
        if (got <= 0)
            return exchange_fail(x, got == 0 ? WHY_ANSWER_CLOSED : WHY_BACKEND_RESET);
        x->attempt->received = x->back.in.filled;
        enum exchange_state next = head_parse(x);
        if (next != STATE_AWAIT)
            return next;
        if (!inbox_settle(&x->back.in))
            return exchange_fail(x, WHY_NO_MEMORY);
    }
}

/* A tunnel stands by itself, but for what only the exchange can tell when it is logged. */
static enum exchange_state tunnel_state(struct exchange *x, enum why why) {
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    return x->awaits_tunnel ? STATE_TUNNEL : STATE_DONE;
}

enum exchange_state exchange_tunnel(struct exchange *x) {
    if (!x->front)
        return x->awaits_tunnel ? STATE_TUNNEL : STATE_DONE;
    if (x->is_stream) {
        x->status = 200;
        return tunnel_state(x, tunnel_begin(x, STR("")));
    }
    struct gather g;
    gather_init(&g, x->engine->stage, &x->front->out);
    response_head_build_switch(x, &g.stage);
    x->sent_bytes += g.stage.len;
    gather_add(&g, x->back.in.view); /* frames that came right behind the backend's head */
    int error = gather_send(&g);
    x->is_head_out = true;
    if (error)
        return exchange_fail(x, error == -EMSGSIZE ? WHY_ANSWER_TOO_LARGE : WHY_CLIENT_RESET);
    x->attempt->received -= x->back.in.view.len; /* which the tunnel counts */
    return tunnel_state(x, tunnel_begin(x, x->back.in.view));
}

/* The fields that say what the body is. */
static void local_build_body(const struct exchange *x, struct builder *out, uint64_t len) {
    if (x->local.content_type.len) {
        builder_str(out, STR("Content-Type: "));
        builder_str(out, x->answer_type.len && !x->local.is_page ? x->answer_type : x->local.content_type);
        builder_str(out, STR("\r\n"));
    }
    if (x->down.framing == H1_CHUNKED || x->down.framing == H1_UNTIL_CLOSE)
        return;
    builder_str(out, STR("Content-Length: "));
    builder_u64(out, len);
    builder_str(out, STR("\r\n"));
}

/* The end of a chunked body. */
static void tail_build(struct exchange *x, struct gather *g, uint64_t len) {
    x->local.has_tail = false;
    gather_add(g, len ? STR("\r\n0\r\n") : STR("0\r\n"));
    addition_build_trailers(x, &g->stage, x->status);
    gather_add(g, STR("\r\n"));
}

static uint8_t local_framing(struct exchange *x) {
    unsigned status = x->local.status;
    bool is_head = x->request ? x->method == H1_HEAD : x->is_head_refused;
    if (status == 204 || status == 304)
        return H1_NO_BODY;
    if (x->local.feed && !is_head)
        return x->is_minor_0 ? H1_UNTIL_CLOSE : H1_CHUNKED;
    if (is_head || !addition_has_trailers(x, status) || exchange_policy(x)->is_chunked_forbidden)
        return H1_LENGTH;
    return x->is_minor_0 || !x->request ? H1_LENGTH : H1_CHUNKED;
}

/* The text, or what comes before the file. */
static void local_build_text(struct exchange *x, struct gather *g, uint64_t len) {
    const struct local *local = &x->local;
    char head[H1_CHUNK_HEAD_MAX];
    size_t before = g->bytes;
    x->local.has_tail = x->down.framing == H1_CHUNKED;
    if (x->local.has_tail && len)
        gather_add(g, str_make(head, h1_chunk_head(head, (size_t)len)));
    if (local->file >= 0)
        return;
    size_t most = x->local.has_tail ? local->body.len : (size_t)pace_allow(x, local->body.len);
    pace_spend(x, most);
    gather_add(g, str_head(local->body, most));
    x->local.rest = str_from(local->body, most);
    x->down.bytes = most;
    if (x->local.has_tail)
        tail_build(x, g, len);
    x->down.overhead = g->bytes - before - most;
    x->sent_bytes += g->bytes - before;
}

/* Head and text of an answer of our own. */
static void local_build(struct exchange *x, struct gather *g) {
    const struct local *local = &x->local;
    uint64_t len = local->file >= 0 ? local->file_end - local->file_at : local->body.len;
    bool is_head = x->request ? x->method == H1_HEAD : x->is_head_refused;
    x->down.framing = local_framing(x);
    response_head_begin(x, &g->stage, local->status, str_of(h1_reason(local->status)));
    if (x->down.framing != H1_NO_BODY)
        local_build_body(x, &g->stage, len);
    builder_str(&g->stage, local->headers);
    if (local->headers.len == 0 || !local->is_page) /* a further error has lines of its own */
        builder_str(&g->stage, x->answer_headers);
    addition_build(x, &g->stage, local->status);
    response_head_end(x, &g->stage);
    x->sent_bytes += g->stage.len;
    if (x->down.framing == H1_NO_BODY || is_head)
        local_close(x);
    else if (!local->feed)
        local_build_text(x, g, len);
}

/* Sends of a text what limit_rate allows by now. */
static int text_send(struct exchange *x) {
    struct local *local = &x->local;
    int error = 0;
    while (!error && local->rest.len && outbox_is_empty(&x->front->out)) {
        struct gather g;
        size_t most = (size_t)pace_allow(x, local->rest.len);
        if (most == 0)
            return 0;
        gather_init(&g, x->engine->stage, &x->front->out);
        gather_add(&g, str_head(local->rest, most));
        local->rest = str_from(local->rest, most);
        pace_spend(x, most);
        x->sent_bytes += most;
        x->down.bytes += most;
        error = gather_send(&g);
        exchange_progress(x);
    }
    return error;
}

/* Sends of the file what the client takes now. */
static ssize_t file_send(struct exchange *x) {
    struct local *local = &x->local;
    size_t budget = FILE_STEP;
    while (local->file >= 0 && local->file_at < local->file_end && x->front->duct->can_write) {
        if (budget == 0) {
            exchange_yield(x);
            return 0;
        }
        uint64_t left = local->file_end - local->file_at;
        uint64_t most = pace_allow(x, left < budget ? left : budget);
        if (most == 0)
            return 0;
        ssize_t sent = duct_send_file(x->front->duct, local->file, &local->file_at, (size_t)most);
        if (sent == -EAGAIN)
            return 0;
        if (sent <= 0)
            return sent ? sent : -EIO; /* the file became shorter as we sent it */
        budget -= (size_t)sent < budget ? (size_t)sent : budget;
        pace_spend(x, (uint64_t)sent);
        x->sent_bytes += (uint64_t)sent;
        x->down.bytes += (uint64_t)sent;
        exchange_progress(x);
    }
    return 0;
}

/* nginx says nothing to a client that was too slow, or has gone: its connection is closed. */
static bool is_silent(const struct exchange *x) {
    return x->local.is_page && (x->local.status == 408 || x->local.status == 499);
}

/* What the answer is to be. STATE_ROUTE: an error page is to be looked for; STATE_DONE: there is none. */
static enum exchange_state answer_settle(struct exchange *x) {
    if (x->why != WHY_NONE)
        local_prepare_why(x);
    if (is_silent(x) && !x->parent) {
        x->status = x->local.status;
        x->front->must_close = x->front->is_cut = true;
        return STATE_DONE;
    }
    if (x->local.is_page) {
        enum exchange_state next = error_page_apply(x);
        if (next != STATE_ANSWER)
            return next;
    } else if (x->answer_status) {
        x->local.status = x->answer_status;
    }
    x->status = x->local.status;
    return STATE_ANSWER;
}

enum exchange_state exchange_answer(struct exchange *x) {
    if (x->is_stream)
        return stream_answer(x);
    int error;
    if (!x->is_head_out) {
        struct gather g;
        enum exchange_state next = answer_settle(x);
        if (next != STATE_ANSWER)
            return next;
        if (x->parent)
            return STATE_DONE;
        pace_begin(x);
        gather_init(&g, x->engine->stage, &x->front->out);
        local_build(x, &g);
        x->is_head_out = true;
        error = gather_send(&g);
    } else {
        error = exchange_flush(x, &x->front->out);
    }
    if (!error && x->local.feed && x->method != H1_HEAD)
        return feed_step(x);
    if (!error && outbox_is_empty(&x->front->out))
        error = x->local.rest.len ? text_send(x) : (int)file_send(x);
    if (error)
        return exchange_fail(x, WHY_CLIENT_RESET);
    bool is_left = x->local.rest.len || (x->local.file >= 0 && x->local.file_at < x->local.file_end);
    if (x->local.has_tail && !is_left && outbox_is_empty(&x->front->out)) {
        struct gather g;
        gather_init(&g, x->engine->stage, &x->front->out);
        tail_build(x, &g, x->down.bytes);
        if (gather_send(&g))
            return exchange_fail(x, WHY_CLIENT_RESET);
    }
    if (!outbox_is_empty(&x->front->out) || is_left)
        return STATE_ANSWER;
    x->down.is_done = true;
    return STATE_DONE;
}
