#include "proxy/exchange.h"

#include "base/check.h"
#include "proxy/access_log.h"
#include "proxy/affinity.h"
#include "proxy/answer/feed.h"
#include "proxy/answer/local.h"
#include "proxy/guard/guard.h"
#include "proxy/guard/subrequest.h"
#include "proxy/naming.h"
#include "proxy/proxied.h"
#include "proxy/queue.h"
#include "proxy/sticky.h"
#include "proxy/stream.h"

#include <errno.h>

enum { RESOLVE_SLACK_MS = 1000 };

typedef enum exchange_state exchange_step(struct exchange *x);

struct row {
    const char *name;
    exchange_step *step;
    unsigned may_go; /* bit a state */
};

#define TO(name) (1u << STATE_##name)
static const struct row rows[STATE_COUNT] = {
#define STATE(name, step, does, bound, may_go) [STATE_##name] = {#name, step, may_go},
#include "proxy/states.def"
#undef STATE
};
#undef TO

static void state_move(struct exchange *x, enum exchange_state next) {
    CHECK(rows[x->state].may_go >> next & 1, "exchange in %s may not go to %s", rows[x->state].name,
          rows[next].name);
    if (exchange_log_wants(x, LOG_DEBUG))
        exchange_log_move(x, rows[x->state].name, rows[next].name);
    x->state = (uint8_t)next;
    exchange_progress(x);
}

void exchange_progress(struct exchange *x) {
    x->progress_ms = x->engine->loop->now_ms;
}

int exchange_flush(struct exchange *x, struct outbox *outbox) {
    uint32_t before = outbox->len;
    int error = outbox_flush(outbox);
    if (outbox->len != before)
        exchange_progress(x);
    return error;
}

static uint64_t time_left_ms(uint64_t limit_ms, uint64_t spent_ms) {
    return spent_ms < limit_ms ? limit_ms - spent_ms : 0;
}

/* While a handshake could still be answered by another server, connecting and answering together have little
 * time. */
static bool is_hurried(const struct exchange *x) {
    return x->is_handshake && exchange_policy(x)->handshake_timeout_ms > 0 &&
           group_has_other(x->group, &x->pick, x->engine->loop->now_ms);
}

/* As exchange_relay_deadline_ms, in any state. */
static uint64_t deadline_ms(const struct exchange *x, enum why *why) {
    const struct policy *policy = x->route ? exchange_policy(x) : NULL;
    uint64_t idle_ms = x->engine->loop->now_ms - x->progress_ms;
    uint64_t limit_ms = policy ? policy->client_send_timeout_ms : 60000;
    *why = WHY_CLIENT_SEND_TIMEOUT;
    switch ((enum exchange_state)x->state) {
    case STATE_CONNECT:
    case STATE_AWAIT:
        if (is_hurried(x)) {
            *why = WHY_HANDSHAKE_TIMEOUT;
            return time_left_ms(policy->handshake_timeout_ms, x->engine->loop->now_ms - x->attempt->began_ms);
        }
        *why = x->state == STATE_CONNECT ? WHY_CONNECT_TIMEOUT : WHY_ANSWER_TIMEOUT;
        limit_ms = x->state == STATE_CONNECT ? policy->connect_timeout_ms : policy->read_timeout_ms;
        break;
    case STATE_SEND:
        *why = !x->up.is_done && outbox_is_empty(&x->back.out) ? WHY_CLIENT_BODY_TIMEOUT
                                                               : WHY_BACKEND_SEND_TIMEOUT;
        limit_ms = *why == WHY_CLIENT_BODY_TIMEOUT ? policy->client_body_timeout_ms : policy->send_timeout_ms;
        break;
    case STATE_RELAY:
        if (!x->parent)
            return exchange_relay_deadline_ms(x, why);
        *why = WHY_ANSWER_BODY_TIMEOUT;
        limit_ms = policy->read_timeout_ms;
        break;
    case STATE_BODY:
        *why = WHY_CLIENT_BODY_TIMEOUT;
        limit_ms = x->is_stream ? policy->stream.preread_timeout_ms : policy->client_body_timeout_ms;
        break;
    case STATE_RESOLVE:
        *why = WHY_NAME_UNKNOWN;
        limit_ms = policy->resolver_timeout_ms + RESOLVE_SLACK_MS; /* the question has a deadline of its own */
        break;
    case STATE_GUARD: /* what it waits for is not a fault */
        *why = WHY_NONE;
        return guard_wait_ms(x);
    case STATE_QUEUE:
        *why = WHY_QUEUE_TIMEOUT;
        return time_left_ms(x->group->upstream->queue_timeout_ms, x->engine->loop->now_ms - x->queue_began_ms);
    case STATE_ANSWER:
        if (!x->local.feed || !x->is_head_out || !outbox_is_empty(&x->front->out))
            break;
        *why = WHY_NONE;
        limit_ms = FEED_PERIOD_MS;
        break;
    case STATE_ROUTE:
    case STATE_PICK:
    case STATE_TUNNEL:
    case STATE_DONE:
    case STATE_COUNT:
        break;
    }
    return time_left_ms(limit_ms, idle_ms);
}

static void deadline_set(struct exchange *x) {
    enum why why;
    if (x->state == STATE_TUNNEL)
        timer_disarm(&x->deadline);
    else
        loop_arm(x->engine->loop, &x->deadline, deadline_ms(x, &why));
}

static void exchange_bury(struct task *task) {
    struct exchange *x = LIST_OF(task, struct exchange, burial);
    slab_free(&x->engine->exchanges, x);
}

static void exchange_free(struct exchange *x) {
    struct engine *engine = x->engine;
    timer_disarm(&x->deadline);
    timer_disarm(&x->pace);
    list_remove(&x->again.node);
    list_remove(&x->node);
    engine->counts.exchanges--;
    queue_leave(x);
    naming_end(x);
    group_drop(x->group);
    proxied_drop(x->proxied);
    arena_fini(&x->arena);
    engine_hold_drop(engine, x->hold);
    loop_bury(engine->loop, &x->burial);
}

/* It is done: frees it, and whoever waited for it goes on. */
static void exchange_leave(struct exchange *x) {
    struct front *front = x->parent ? NULL : x->front;
    struct exchange *parent = x->parent && subrequest_end(x) ? x->parent : NULL;
    exchange_free(x);
    if (front)
        front_resume(front);
    if (parent)
        exchange_run(parent);
}

static enum exchange_state first_move(struct exchange *x) {
    enum why why;
    if (x->is_expired) {
        x->is_expired = false;
        if (deadline_ms(x, &why) == 0 && why != WHY_NONE)
            return exchange_fail(x, why);
    }
    if (x->is_client_gone && x->state != STATE_DONE && x->state != STATE_TUNNEL)
        return exchange_fail(x, WHY_CLIENT_CLOSED);
    return rows[x->state].step(x);
}

void exchange_run(struct exchange *x) {
    if (x->is_running)
        return;
    x->is_running = true;
    enum exchange_state next = first_move(x);
    while (next != (enum exchange_state)x->state) {
        state_move(x, next);
        next = rows[x->state].step(x);
        if (x->state == STATE_DONE)
            break;
    }
    x->is_running = false;
    if (x->state != STATE_DONE) {
        deadline_set(x);
        if (x->front && !inbox_settle(&x->front->in))
            exchange_abort(x, WHY_NO_MEMORY);
        return;
    }
    exchange_leave(x);
}

static void exchange_expire(struct timer *timer) {
    struct exchange *x = LIST_OF(timer, struct exchange, deadline);
    x->is_expired = true;
    exchange_run(x);
}

static void exchange_paced(struct timer *timer) {
    exchange_run(LIST_OF(timer, struct exchange, pace));
}

static void exchange_go_on(struct task *task) {
    exchange_run(LIST_OF(task, struct exchange, again));
}

void exchange_yield(struct exchange *x) {
    if (list_is_empty(&x->again.node))
        loop_soon(x->engine->loop, &x->again);
}

/* Nothing of the request is left to be read, or nobody reads it: as long as there is no server, what is there
 * of the body stays in the socket, and an end behind it is not come upon (nginx looks for it too). */
static bool is_front_idle(const struct exchange *x) {
    return x->up.is_done || (x->state >= STATE_RESOLVE && x->state <= STATE_CONNECT);
}

void exchange_front_ready(struct exchange *x) {
    bool is_kept_for =
        x->state == STATE_RELAY && !x->back.duct; /* the answer is whole, and goes to whom it may */
    if (!x->is_stream && x->front->duct->has_end && is_front_idle(x) && x->state >= STATE_GUARD &&
        x->state <= STATE_RELAY && !is_kept_for && !exchange_policy(x)->proxy.ignores_client_abort)
        x->is_client_gone = true;
    exchange_run(x);
}

void exchange_abort(struct exchange *x, enum why why) {
    if (x->front && !x->parent)
        x->front->must_close = true;
    x->is_head_out = true; /* nothing more may be said */
    enum exchange_state next = exchange_fail(x, why);
    if (x->is_running)
        return; /* not reached from its own steps */
    state_move(x, next);
    exchange_done(x);
    exchange_leave(x);
}

static struct exchange *exchange_make(struct front *front, struct snapshot_hold *hold) {
    struct engine *engine = front->engine;
    struct exchange *x = slab_new(&engine->exchanges);
    if (!x)
        return NULL;
    x->engine = engine;
    x->front = front;
    x->hold = hold;
    x->hold->users++;
    x->state = STATE_ROUTE;
    x->local.file = -1;
    x->started_ms = x->progress_ms = engine->loop->now_ms;
    x->burial.run = exchange_bury;
    x->again.run = exchange_go_on;
    list_init(&x->burial.node);
    list_init(&x->again.node);
    list_init(&x->queued);
    arena_init(&x->arena, &engine->arenas);
    timer_init(&x->deadline, exchange_expire);
    timer_init(&x->pace, exchange_paced);
    list_append(&engine->exchange_list, &x->node);
    engine->counts.exchanges++;
    x->connection_id = front->id;
    x->proxied = proxied_take(front->proxied);
    return x;
}

struct exchange *exchange_new_early(struct front *front) {
    /* Without a listen the listener is gone since the last reload: its fronts are only to be closed. */
    struct exchange *x = front->listener->listen ? exchange_make(front, front->engine->hold) : NULL;
    if (!x)
        return NULL;
    x->listen = front->listener->listen;
    x->site = x->listen->default_site;
    x->route = &x->site->fallback;
    x->client = front->remote;
    x->is_stream = x->listen->is_stream;
    x->is_secure = front->duct->is_secure;
    x->connection_ms = front->accepted_ms;
    return x;
}

void exchange_free_early(struct exchange *x) {
    exchange_free(x);
}

static struct exchange *exchange_new(struct front *front) {
    struct engine *engine = front->engine;
    struct exchange *x = exchange_new_early(front);
    if (!x)
        return NULL;
    engine->counts.requests++;
    counter_add(&engine->tally->requests, 1);
    front->exchange = x;
    x->connection_requests = ++front->requests;
    x->is_pipelined = front->is_pipelined;
    return x;
}

struct exchange *exchange_new_inner(struct exchange *parent, struct str path) {
    struct exchange *x = exchange_make(parent->front, parent->hold);
    if (!x)
        return NULL;
    x->parent = parent;
    x->request = parent->request;
    x->listen = parent->listen;
    x->site = parent->site;
    x->route = &x->site->fallback;
    x->captures = parent->captures;
    x->host = parent->host;
    x->path = path;
    x->args = STR("");
    x->method = H1_GET;
    x->method_name = STR("GET");
    x->is_read = x->is_internal = x->is_uri_changed = true;
    x->is_minor_0 = parent->is_minor_0;
    x->is_body_dropped = x->up.is_done = true;
    x->client = parent->client;
    x->connected = parent->connected;
    x->connection_requests = parent->connection_requests;
    return x;
}

struct h1_head *exchange_keep_head(struct exchange *x, const struct h1_head *head, const char *bytes) {
    size_t size = offsetof(struct h1_head, fields) + head->field_count * sizeof head->fields[0];
    struct h1_head *kept = arena_alloc(&x->arena, size);
    struct str copy = arena_copy(&x->arena, str_make(bytes, head->len));
    if (!kept || !copy.ptr)
        return NULL;
    memcpy(kept, head, size);
    kept->base = copy.ptr;
    return kept;
}

bool exchange_begin(struct front *front) {
    struct exchange *x = exchange_new(front);
    if (!x)
        return false;
    const struct h1_head *head = &front->engine->head;
    x->request = exchange_keep_head(x, head, front->in.view.ptr);
    if (!x->request) {
        exchange_free(x);
        front->exchange = NULL;
        return false;
    }
    inbox_consume(&front->in, head->len);
    h1_body_init(&x->up.body, x->request);
    x->up.is_done = x->up.body.is_complete;
    exchange_run(x);
    return true;
}

bool exchange_begin_stream(struct front *front) {
    struct exchange *x = exchange_new(front);
    if (!x)
        return false;
    exchange_run(x);
    return true;
}

bool exchange_begin_refused(struct front *front, enum why why) {
    struct exchange *x = exchange_new(front);
    if (!x)
        return false;
    x->up.is_done = true;
    x->why = why;
    x->is_head_refused = str_starts(front->in.view, STR("HEAD "));
    exchange_log_failure(x, why);
    exchange_run(x);
    return true;
}

void exchange_use_group(struct exchange *x, struct group *group) {
    queue_leave(x);
    if (x->group && x->group->is_own)
        attempt_keep_names(x);
    group_take(group);
    group_drop(x->group);
    x->group = group;
    x->pick.loop = group && !group->is_own ? x->engine->index : 0;
}

void exchange_release_back(struct exchange *x, bool is_clean) {
    struct back *back = &x->back;
    if (!back->duct)
        return;
    const struct upstream *upstream = x->group->upstream;
    uint64_t keep_ms = upstream->keepalive_timeout_ms;
    if (back->keep_ms && back->keep_ms < keep_ms)
        keep_ms = back->keep_ms;
    bool is_kept = is_clean && back->is_keepable && !back->is_bound && !x->engine->is_draining &&
                   upstream->keepalive && keep_ms && back->requests + 1 < upstream->keepalive_requests &&
                   x->engine->loop->now_ms - back->born_ms <= upstream->keepalive_time_ms &&
                   outbox_is_empty(&back->out) && back->in.view.len == 0;
    if (is_kept)
        idle_put(x->engine->idle, x->member->peer,
                 (struct idle_lease){back->duct, back->requests + 1, back->born_ms, back->kind}, keep_ms,
                 upstream->keepalive);
    else
        duct_close(back->duct);
    inbox_fini(&back->in);
    outbox_fini(&back->out);
    back->duct = NULL;
}

void exchange_release_member(struct exchange *x) {
    if (x->member && x->is_counted)
        atomic_fetch_sub_explicit(&x->member->peer->active, 1, memory_order_relaxed);
    if (x->is_counted)
        queue_stir(x->engine);
    x->is_counted = false;
}

/* What the policy says of closing the client's connection. */
static void closing_settle(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    struct front *front = x->front;
    bool is_timed_out = x->why == WHY_CLIENT_SEND_TIMEOUT || x->why == WHY_CLIENT_BODY_TIMEOUT ||
                        x->why == WHY_CLIENT_HEAD_TIMEOUT;
    front->linger_time_ms =
        policy->lingering_time_ms < UINT32_MAX ? (uint32_t)policy->lingering_time_ms : UINT32_MAX;
    front->linger_pause_ms =
        policy->lingering_timeout_ms < UINT32_MAX ? (uint32_t)policy->lingering_timeout_ms : UINT32_MAX;
    front->never_lingers = policy->lingering == LINGERING_OFF;
    /* Where the connection's end is the answer's, requests that are on their way must not reset its tail away.
     */
    bool ends_by_close = x->down.is_done && x->down.framing == H1_UNTIL_CLOSE;
    front->must_linger |= policy->lingering == LINGERING_ALWAYS || ends_by_close;
    /* Whoever reads until the end must not take what was broken off for all. */
    bool is_short = x->is_head_out && x->response && !x->down.is_done && x->down.framing == H1_UNTIL_CLOSE;
    front->must_reset = is_short || (policy->resets_timedout && (is_timed_out || front->is_cut));
    front->is_cut |= is_short;
    front->kept_until_ms = x->engine->loop->now_ms + policy->keepalive_min_timeout_ms;
}

enum exchange_state exchange_done(struct exchange *x) {
    struct engine *engine = x->engine;
    struct front *front = x->front;
    attempt_end(x, 0);
    sticky_end(x);
    bool is_whole = exchange_is_asked(x) && x->down.is_done && x->why == WHY_NONE;
    exchange_release_back(x, is_whole);
    exchange_release_member(x);
    affinity_end(x);
    guard_end(x);
    local_close(x);
    if (x->parent) /* it leaves no trace of its own */
        return STATE_DONE;
    if (x->is_stream && !x->status)
        x->status = stream_status(x);
    if ((x->request || x->status) && !x->is_tunnel)
        access_log_write(x, NULL);
    exchange_body_end(x);
    exchange_store_end(x);
    if (front) {
        uint64_t keep_ms = front->must_close ? 0 : exchange_policy(x)->keepalive_timeout_ms;
        bool is_skipped = !x->up.is_done && !x->is_up_broken && !front->must_close && x->is_head_out &&
                          front_skip_body(front, &x->up.body, keep_ms);
        if ((!x->up.is_done && !is_skipped) || x->is_up_broken)
            front->must_close = front->must_linger = true;
        if (x->request && x->request->is_upgrade && (front->in.view.len || front->duct->can_read))
            front->must_close = front->must_linger =
                true; /* bytes glued behind a refused upgrade: WHY_EARLY_BYTES */
        closing_settle(x);
        if (!front->must_close)
            loop_arm(engine->loop, &front->deadline,
                     is_skipped ? exchange_policy(x)->lingering_timeout_ms : keep_ms);
    }
    return STATE_DONE;
}
