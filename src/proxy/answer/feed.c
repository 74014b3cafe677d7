#include "proxy/answer/feed.h"

static bool is_over(const struct exchange *x) {
    return x->front->duct->has_end || x->hold != x->engine->hold || x->engine->is_draining;
}

/* False when the client takes no more. */
static bool event_send(struct exchange *x) {
    struct gather g;
    struct arena arena;
    char head[H1_CHUNK_HEAD_MAX];
    arena_init(&arena, &x->engine->arenas);
    gather_init(&g, x->engine->stage, &x->front->out);
    struct str text = x->local.feed(x, &arena);
    bool is_chunk = x->down.framing == H1_CHUNKED && text.len;
    if (is_chunk)
        gather_add(&g, str_make(head, h1_chunk_head(head, text.len)));
    gather_add(&g, text);
    if (is_chunk)
        gather_add(&g, STR("\r\n"));
    int error = gather_send(&g);
    arena_fini(&arena);
    x->sent_bytes += text.len;
    x->down.bytes += text.len;
    return error == 0;
}

enum exchange_state feed_step(struct exchange *x) {
    uint64_t now_ms = x->engine->loop->now_ms;
    if (is_over(x)) {
        x->front->must_close = true;
        return STATE_DONE;
    }
    if (!outbox_is_empty(&x->front->out) || now_ms < x->local.feed_due_ms)
        return STATE_ANSWER;
    x->local.feed_due_ms = now_ms + FEED_PERIOD_MS;
    exchange_progress(x);
    return event_send(x) ? STATE_ANSWER : exchange_fail(x, WHY_CLIENT_RESET);
}
