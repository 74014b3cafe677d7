#include "proxy/tunnel_log.h"

#include "base/mem.h"
#include "proxy/access_log.h"
#include "proxy/stream_log.h"
#include "proxy/tunnel.h"

enum { SETTLED_MAX_BYTES = 32768 }; /* two lines of the greatest length; beyond that the exchange stays */

struct tunnel_log {
    struct exchange *whole;     /* the exchange, which has stayed; NULL: it has gone */
    struct snapshot_hold *hold; /* a user of it */
    const struct listen *listen;
    const struct route *route;
    uint64_t connection_id, connection_ms, started_ms, sent_bytes;
    uint32_t settled_len; /* 0: nothing is, or there is nothing to settle */
    uint16_t attempts;
    uint8_t client_len;
    bool is_stream;
    struct attempt attempt[]; /* in their order; behind them the client's address, and what is settled */
};

static char *client_of(struct tunnel_log *log) {
    return (char *)&log->attempt[log->attempts];
}

/* Who was asked is settled: that there was a server is all that late variables look at, but for the last. */
static void attempts_copy(struct tunnel_log *log, const struct exchange *x) {
    struct attempt *copy = log->attempt;
    for (const struct attempt *at = x->attempts; at; at = at->next, copy++) {
        *copy = *at;
        copy->next = at->next ? copy + 1 : NULL;
        copy->peer = at->peer.len ? str_of(x->member->peer->name) : STR("");
    }
}

static uint16_t attempts_count(const struct exchange *x) {
    uint16_t count = 0;
    for (const struct attempt *at = x->attempts; at; at = at->next)
        count++;
    return count;
}

static bool is_logged(struct exchange *x, struct builder *settled, bool *needs_exchange) {
    size_t logs = exchange_policy(x)->access_logs.count;
    bool is_wanted = logs && access_log_settle(x, settled, needs_exchange);
    return is_wanted || (x->is_stream && (logs || exchange_log_wants(x, LOG_INFO)));
}

bool tunnel_log_new(struct exchange *x, struct tunnel_log **log) {
    struct builder settled = builder_make(x->engine->stage, SETTLED_MAX_BYTES);
    bool needs_exchange = false;
    *log = NULL;
    if (!is_logged(x, &settled, &needs_exchange))
        return true;
    if (settled.overflow) {
        settled.len = 0;
        needs_exchange = true;
    }
    size_t client_len = offsetof(struct address, any) + x->client.len;
    uint16_t attempts = attempts_count(x);
    struct tunnel_log *made =
        mem_alloc(sizeof *made + attempts * sizeof made->attempt[0] + client_len + settled.len);
    if (!made)
        return false;
    *made = (struct tunnel_log){.whole = needs_exchange ? x : NULL,
                                .hold = x->hold,
                                .listen = x->listen,
                                .route = x->route,
                                .connection_id = x->connection_id,
                                .connection_ms = x->connection_ms,
                                .started_ms = x->started_ms,
                                .sent_bytes = x->sent_bytes,
                                .settled_len = (uint32_t)settled.len,
                                .attempts = attempts,
                                .client_len = (uint8_t)client_len,
                                .is_stream = x->is_stream};
    attempts_copy(made, x);
    memcpy(client_of(made), &x->client, client_len);
    memcpy(client_of(made) + client_len, settled.ptr, settled.len);
    made->hold->users++;
    x->awaits_tunnel = needs_exchange;
    *log = made;
    return true;
}

void tunnel_log_free(struct engine *engine, struct tunnel_log *log) {
    if (!log)
        return;
    if (log->whole)
        log->whole->awaits_tunnel = false;
    engine_hold_drop(engine, log->hold);
    mem_free(log);
}

void tunnel_log_heard(const struct engine *engine, struct tunnel_log *log) {
    struct attempt *last = log->whole ? log->whole->attempt : &log->attempt[log->attempts - 1];
    if (last->header_ms == ATTEMPT_NEVER)
        last->header_ms = (int64_t)(engine->loop->now_ms - last->began_ms);
}

/* An exchange in the place of the one that has gone: with what late variables ask of it, and the error log of a
 * stream. */
static void stand_in(struct engine *engine, struct tunnel_log *log, struct exchange *x) {
    memset(x, 0, sizeof *x);
    x->engine = engine;
    x->hold = log->hold;
    x->listen = log->listen;
    x->route = log->route;
    x->state = STATE_TUNNEL;
    x->is_tunnel = true;
    x->is_stream = log->is_stream;
    x->connection_id = log->connection_id;
    x->connection_ms = log->connection_ms;
    x->started_ms = log->started_ms;
    x->sent_bytes = log->sent_bytes;
    x->attempts = log->attempt;
    x->attempt = &log->attempt[log->attempts - 1];
    x->has_sent = true;
    memcpy(&x->client, client_of(log), log->client_len);
}

void tunnel_log_end(struct tunnel *tunnel, enum why why) {
    struct tunnel_log *log = tunnel->log;
    struct exchange *whole = log->whole, other, *x = whole ? whole : &other;
    struct str settled = str_make(client_of(log) + log->client_len, log->settled_len);
    if (!whole)
        stand_in(tunnel->engine, log, x);
    x->why = why;
    x->attempt->sent += tunnel->up.bytes;
    x->attempt->received += tunnel->down.bytes;
    x->sent_bytes += tunnel->down.bytes;
    x->down.bytes = tunnel->down.bytes;
    x->is_head_out = true;
    x->down.is_done = why == WHY_DONE || why == WHY_CLIENT_RESET || why == WHY_BACKEND_RESET;
    if (x->is_stream) {
        x->up.bytes = tunnel->up.bytes;
        stream_log_ended(x, why, why == WHY_BACKEND_RESET || tunnel->is_ended_by_back);
    }
    attempt_end(x, 0);
    access_log_write(x, settled.len ? &settled : NULL);
    tunnel_log_free(tunnel->engine, log);
    if (whole)
        exchange_run(whole);
}
