/* The answer on its way to the client: relay. What a slow client does not take is kept meanwhile
 * (proxy_buffering), so that the server is free early; and what it may not have yet (limit_rate). */
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/flow/pace.h"
#include "proxy/flow/passage.h"
#include "proxy/guard/subrequest.h"
#include "proxy/head/response_head.h"

#include <errno.h>

enum { SEND_STEP = 1 << 20 };

static const enum why down_whys[PASSAGE_VERDICTS] = {
    [PASSAGE_BAD] = WHY_ANSWER_BODY_INVALID,  [PASSAGE_LARGE] = WHY_NO_MEMORY,
    [PASSAGE_ENDED] = WHY_ANSWER_BODY_SHORT,  [PASSAGE_BROKEN_SOURCE] = WHY_BACKEND_RESET,
    [PASSAGE_BROKEN_SINK] = WHY_CLIENT_RESET, [PASSAGE_NO_MEMORY] = WHY_NO_MEMORY,
    [PASSAGE_NO_DISK] = WHY_NO_DISK,
};

static bool has_stored(const struct exchange *x) {
    return x->store && spool_left(x->store);
}

/* Has the client all that has come so far? */
static bool is_all_taken(const struct exchange *x) {
    return outbox_is_empty(&x->front->out) && !has_stored(x);
}

static bool may_read(const struct exchange *x) {
    return !x->down.is_done && (x->store ? spool_has_room(x->store) : outbox_is_empty(&x->front->out));
}

/* Without proxy_buffering a little is kept for limit_rate, and nothing in a file. */
static bool store_begin(struct exchange *x) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    const struct spool_limits limits = {.memory_bytes = proxy->buffers * proxy->buffer_bytes,
                                        .file_bytes = x->is_buffered ? proxy->temp_max_bytes : 0,
                                        .path = &proxy->temp_path,
                                        .is_stream = true};
    x->store = arena_alloc(&x->arena, sizeof *x->store);
    if (!x->store)
        return false;
    spool_init(x->store, &limits, &x->engine->counts.buffered_bytes);
    return true;
}

void exchange_store_end(struct exchange *x) {
    if (x->store)
        spool_fini(x->store);
    x->store = NULL;
}

uint64_t exchange_unsent(const struct exchange *x) {
    if (!x->front || x->is_tunnel || x->parent)
        return 0;
    return x->front->out.len + (x->store ? spool_left(x->store) : 0);
}

/* Sends of what is stored what the client takes, and may have. */
static int store_send(struct exchange *x) {
    uint64_t budget = SEND_STEP;
    while (has_stored(x) && outbox_is_empty(&x->front->out) && x->front->duct->can_write) {
        uint64_t most = pace_allow(x, budget < spool_left(x->store) ? budget : spool_left(x->store));
        if (most == 0) {
            if (budget == 0)
                exchange_yield(x);
            return 0;
        }
        ssize_t sent = spool_send(x->store, x->front->duct, most);
        if (sent == -EAGAIN)
            return 0;
        if (sent < 0)
            return (int)sent;
        budget -= (uint64_t)sent;
        pace_spend(x, (uint64_t)sent);
        x->taken_ms = x->engine->loop->now_ms;
        exchange_progress(x);
        spool_shift(x->store);
    }
    return 0;
}

static enum why client_flush(struct exchange *x) {
    uint32_t before = x->front->out.len;
    int error = exchange_flush(x, &x->front->out);
    if (before != x->front->out.len)
        x->taken_ms = x->engine->loop->now_ms;
    if (!error)
        error = store_send(x);
    if (!error)
        return WHY_NONE;
    x->is_client_gone = true;
    x->error = error;
    return WHY_CLIENT_RESET;
}

/* Reads of the answer and hands it on: to the client, or to the store behind what waits there. */
static enum why down_move(struct exchange *x, struct gather *g) {
    uint64_t bytes = x->down.bytes, overhead = x->down.overhead;
    g->spool = x->store;
    g->is_paced = x->rate > 0;
    pace_limit_read(x);
    enum passage_verdict verdict =
        passage_move(x, &x->down, &x->back.in, x->back.duct, x->engine->back_scratch, g);
    if (x->down.is_limited && x->down.read_most == 0) { /* there is more: it goes on when it may */
        pace_limit_read(x);
        if (x->down.read_most)
            exchange_yield(x);
    }
    if (x->down.bytes != bytes)
        x->given_ms = x->engine->loop->now_ms;
    x->sent_bytes += x->down.bytes - bytes + x->down.overhead - overhead;
    x->attempt->received = x->back.in.filled;
    return passage_why(x, verdict, down_whys);
}

/* The same, and once more with a store when the client turns out to be slow. */
static enum why down_go_on(struct exchange *x, struct gather *g) {
    if (!x->store && x->rate && !store_begin(x))
        return WHY_NO_MEMORY;
    enum why why = down_move(x, g);
    if (why != WHY_NONE || x->store || !x->is_buffered || x->down.is_done || outbox_is_empty(&x->front->out))
        return why;
    if (!store_begin(x))
        return WHY_NO_MEMORY;
    gather_init(g, x->engine->stage, &x->front->out);
    return down_move(x, g);
}

/* The head goes together with what is there of the body. What shows at once to be broken is not begun: 502. */
static enum why head_send(struct exchange *x, struct gather *g) {
    unsigned sent = x->front->duct->sent_since_look;
    pace_begin(x);
    response_head_build(x, &g->stage);
    size_t len = g->stage.len;
    if (x->down.is_done && x->down.framing == H1_CHUNKED)
        passage_end(x, &x->down, g);
    len += x->down.overhead;
    enum why why = down_go_on(x, g);
    x->is_head_out = why != WHY_ANSWER_BODY_INVALID || x->front->duct->sent_since_look != sent ||
                     !outbox_is_empty(&x->front->out) || has_stored(x);
    if (x->is_head_out)
        x->sent_bytes += len;
    return why;
}

/* The backend answers while the client still sends: goes on with the body as long as the backend takes it. */
static enum why up_go_on(struct exchange *x) {
    if (exchange_is_asked(x) || x->is_up_stopped)
        return WHY_NONE;
    enum why why = exchange_forward_up(x);
    if (why == WHY_NONE || x->is_client_gone)
        return why;
    x->is_up_stopped = true;
    return WHY_NONE;
}

/* The server has said all; the client has not taken it. */
static void back_free(struct exchange *x) {
    x->is_up_stopped = true;
    exchange_release_back(x, exchange_is_asked(x));
    exchange_release_member(x);
    attempt_end(x, 0);
}

enum exchange_state exchange_relay(struct exchange *x) {
    struct gather g;
    if (x->parent)
        return subrequest_relay(x);
    enum why why = up_go_on(x);
    if (why == WHY_NONE)
        why = client_flush(x);
    gather_init(&g, x->engine->stage, &x->front->out);
    if (why == WHY_NONE && !x->is_head_out)
        why = head_send(x, &g);
    else if (why == WHY_NONE && may_read(x))
        why = down_go_on(x, &g);
    if (why == WHY_NONE && x->rate)
        why = client_flush(x);
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!inbox_settle(&x->back.in))
        return exchange_fail(x, WHY_NO_MEMORY);
    if (x->down.is_done && is_all_taken(x))
        return STATE_DONE;
    if (x->down.is_done && x->back.duct)
        back_free(x);
    if (is_all_taken(x))
        x->taken_ms = x->engine->loop->now_ms;
    else if (!may_read(x))
        x->given_ms = x->engine->loop->now_ms;
    return STATE_RELAY;
}

/* Two clocks: the client's, while there is something for it, and the server's, while it is read from. */
uint64_t exchange_relay_deadline_ms(const struct exchange *x, enum why *why) {
    const struct policy *policy = exchange_policy(x);
    uint64_t now_ms = x->engine->loop->now_ms, client_ms = UINT64_MAX, back_ms = UINT64_MAX;
    if (!is_all_taken(x))
        client_ms = x->taken_ms + policy->client_send_timeout_ms;
    if (may_read(x))
        back_ms = x->given_ms + policy->read_timeout_ms;
    uint64_t end_ms = client_ms < back_ms ? client_ms : back_ms;
    *why = end_ms == back_ms ? WHY_ANSWER_BODY_TIMEOUT : WHY_CLIENT_SEND_TIMEOUT;
    return end_ms > now_ms ? end_ms - now_ms : 0;
}
