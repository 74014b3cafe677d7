#include "proxy/tunnel.h"

#include "loop/random.h"
#include "proxy/guard/limit.h"
#include "proxy/queue.h"
#include "proxy/stream.h"
#include "proxy/tunnel_log.h"

#include <errno.h>

enum {
    HALF_CLOSE_MS = 30000,
    LINGER_LOOK_MS = 100,
    LINGER_LOOKS = 50,
    LINGER_READS = 16,
    GOODBYE_MS = 2000, /* for the client's own close frame */
    FRAME_END_MS = 100,
    FRAME_END_WAITS = 50,
    UPGRADE_DONE_MS = 11000, /* Engine.IO closes an upgrade that is not completed in 10 s: older ones were */
};

static void tunnel_bury(struct task *task) {
    struct tunnel *tunnel = LIST_OF(task, struct tunnel, task);
    throttles_free(tunnel->throttles);
    slab_free(&tunnel->engine->tunnels, tunnel);
}

static void session_leave(struct tunnel *tunnel) {
    uint64_t now_ms = tunnel->engine->loop->now_ms;
    if (!tunnel->sid)
        return;
    if (now_ms - tunnel->began_ms > UPGRADE_DONE_MS)
        sid_end(tunnel->engine->sids, tunnel->sid);
    sid_unpin(tunnel->engine->sids, tunnel->sid, now_ms);
    atomic_fetch_sub_explicit(&tunnel->peer->session_tunnels, 1, memory_order_relaxed);
}

void tunnel_close(struct tunnel *tunnel, enum why why) {
    struct engine *engine = tunnel->engine;
    if (tunnel->is_over)
        return;
    tunnel->is_over = true;
    timer_disarm(&tunnel->idle);
    if (tunnel->throttles)
        timer_disarm(&tunnel->throttles->timer);
    list_remove(&tunnel->task.node);
    tunnel->task.run = tunnel_bury;
    list_remove(&tunnel->node);
    struct duct *client = tunnel->up.from, *backend = tunnel->down.from;
    outbox_fini(&tunnel->up.to);
    outbox_fini(&tunnel->down.to);
    if (tunnel->down.walk)
        slab_free(&engine->walks, tunnel->down.walk);
    duct_close(client);
    duct_close(backend);
    session_leave(tunnel);
    limit_release(&tunnel->holds);
    atomic_fetch_sub_explicit(&tunnel->peer->active, 1, memory_order_relaxed);
    queue_stir(tunnel->engine);
    atomic_fetch_sub_explicit(&tunnel->peer->tunnels, 1, memory_order_relaxed);
    engine->counts.tunnels--;
    counter_sub(&engine->tally->active, 1);
    counter_sub(&engine->tally->writing, 1);
    counter_add(&engine->tally->ended[why], 1);
    if (tunnel->log)
        tunnel_log_end(tunnel, why);
    peer_drop(tunnel->peer);
    loop_bury(engine->loop, &tunnel->task);
    engine_note_gone(engine);
}

/* One side has ended: the other may finish what it says, but not for ever. */
static void half_close(struct tunnel *tunnel) {
    if (tunnel->idle_ms > HALF_CLOSE_MS)
        tunnel->idle_ms = HALF_CLOSE_MS;
}

/* Runs one pump. False when the tunnel has ended. */
static bool pump_step(struct tunnel *tunnel, struct pump *pump, enum why from_why, enum why to_why) {
    bool was_ended = pump->is_ended;
    switch (pump_run(pump)) {
    case PUMP_WAIT:
        return true;
    case PUMP_YIELD:
        if (list_is_empty(&tunnel->task.node))
            loop_soon(tunnel->engine->loop, &tunnel->task);
        return true;
    case PUMP_ENDED:
        if (!was_ended) {
            half_close(tunnel);
            tunnel->is_ended_by_back = pump == &tunnel->down;
        }
        return true;
    case PUMP_BROKEN_FROM:
        tunnel_close(tunnel, from_why);
        return false;
    case PUMP_BROKEN_TO:
        tunnel_close(tunnel, to_why);
        return false;
    case PUMP_NO_MEMORY:
        break;
    }
    tunnel_close(tunnel, WHY_NO_MEMORY);
    return false;
}

/* Grows whenever a byte is read or sent. */
static uint64_t activity(const struct tunnel *tunnel) {
    const struct pump *up = &tunnel->up, *down = &tunnel->down;
    return 2 * (up->bytes + down->bytes) - up->to.len - down->to.len;
}

/* Drops what the last side says; an end, or too much of it, is the tunnel's. */
static void linger_read(struct tunnel *tunnel) {
    struct duct *duct = tunnel->up.from ? tunnel->up.from : tunnel->down.from;
    for (int i = 0; i < LINGER_READS && duct->can_read; i++) {
        ssize_t got = duct_recv(duct, tunnel->engine->loop->scratch, LOOP_SCRATCH_BYTES);
        if (got <= 0 && got != -EAGAIN) {
            tunnel_close(tunnel, WHY_DONE);
            return;
        }
    }
    if (duct->can_read)
        tunnel_close(tunnel, WHY_DONE);
}

static void linger_look(struct tunnel *tunnel) {
    struct duct *duct = tunnel->up.from ? tunnel->up.from : tunnel->down.from;
    if (duct_backlog(duct) <= 1 || /* which is our FIN */
        tunnel->waits++ == LINGER_LOOKS)
        tunnel_close(tunnel, WHY_DONE);
    else
        loop_arm(tunnel->engine->loop, &tunnel->idle, LINGER_LOOK_MS);
}

/* One side's end is the tunnel's, and the other has been told. But closing while bytes come from there would
 * make the kernel send RST, and what is on its way could be lost: so that side is closed when it has taken all,
 * or has ended too. */
static void whole_end(struct tunnel *tunnel) {
    struct pump *ended = tunnel->up.is_ended ? &tunnel->up : &tunnel->down;
    duct_close(ended->from);
    ended->from = NULL;
    tunnel->lingers = true;
    linger_read(tunnel);
    if (!tunnel->is_over)
        linger_look(tunnel);
}

/* A pump waits for its rate: it goes on in time, and that the tunnel is idle is counted from then. */
static void throttled_wait(struct tunnel *tunnel) {
    struct loop *loop = tunnel->engine->loop;
    uint64_t wait_ms = throttles_wait_ms(tunnel->throttles, loop->now_ms);
    if (wait_ms == UINT64_MAX)
        return;
    loop_arm(loop, &tunnel->throttles->timer, wait_ms);
    if (tunnel->leaving == WHY_NONE)
        loop_arm(loop, &tunnel->idle, wait_ms + tunnel->idle_ms);
}

static void tunnel_run(struct tunnel *tunnel) {
    uint64_t before = activity(tunnel);
    bool was_half = tunnel->up.is_ended || tunnel->down.is_ended;
    bool was_heard = tunnel->down.bytes;
    if (tunnel->lingers && !tunnel->is_over)
        linger_read(tunnel);
    if (tunnel->lingers)
        return;
    if (tunnel->is_over || !pump_step(tunnel, &tunnel->up, WHY_CLIENT_RESET, WHY_BACKEND_RESET) ||
        !pump_step(tunnel, &tunnel->down, WHY_BACKEND_RESET, WHY_CLIENT_RESET))
        return;
    bool is_half = tunnel->up.is_ended || tunnel->down.is_ended;
    if (tunnel->log && !was_heard && tunnel->down.bytes)
        tunnel_log_heard(tunnel->engine, tunnel->log);
    if (tunnel->up.is_ended && tunnel->down.is_ended)
        tunnel_close(tunnel, WHY_DONE);
    else if (is_half && tunnel->ends_whole)
        whole_end(tunnel);
    else if (tunnel->leaving == WHY_NONE && (activity(tunnel) != before || is_half != was_half))
        loop_arm(tunnel->engine->loop, &tunnel->idle, tunnel->idle_ms);
    if (tunnel->throttles && !tunnel->is_over && !tunnel->lingers)
        throttled_wait(tunnel);
}

static void tunnel_ready(struct duct *duct) {
    tunnel_run(duct->owner);
}

static void tunnel_go_on(struct task *task) {
    tunnel_run(LIST_OF(task, struct tunnel, task));
}

void tunnel_leave(struct tunnel *tunnel, enum why why, uint64_t spread_ms) {
    if (tunnel->leaving != WHY_NONE)
        return;
    tunnel->leaving = (uint8_t)why;
    loop_arm(tunnel->engine->loop, &tunnel->idle, spread_ms ? random_u64() % spread_ms : 0);
}

/* RFC 6455 5.5.1: the frame with its code, then no more from this side. False: not now. */
static bool goodbye_say(struct tunnel *tunnel) {
    struct pump *down = &tunnel->down;
    unsigned code = why_info((enum why)tunnel->leaving)->close;
    struct ws_frame frame = {.is_final = true, .op = WS_CLOSE, .payload_len = 2};
    char bytes[WS_HEAD_MAX + 2];
    if (!pump_is_between_frames(down) || !outbox_is_empty(&down->to) || !down->to.duct->can_write)
        return false;
    size_t len = ws_frame_build(bytes, &frame);
    bytes[len] = (char)(code >> 8);
    bytes[len + 1] = (char)code;
    struct iovec part = {bytes, len + 2};
    if (outbox_send(&down->to, &part, 1) || !outbox_is_empty(&down->to))
        return false;
    duct_shutdown(down->to.duct);
    down->is_ended = true;
    return true;
}

/* A frame that goes on and on is not waited for for ever. */
static void leave_step(struct tunnel *tunnel) {
    bool is_said = tunnel->down.is_ended; /* and the client has not answered */
    if (is_said || !tunnel->down.walk || tunnel->waits++ == FRAME_END_WAITS)
        tunnel_close(tunnel, (enum why)tunnel->leaving);
    else
        loop_arm(tunnel->engine->loop, &tunnel->idle, goodbye_say(tunnel) ? GOODBYE_MS : FRAME_END_MS);
}

static void tunnel_expire(struct timer *timer) {
    struct tunnel *tunnel = LIST_OF(timer, struct tunnel, idle);
    if (tunnel->leaving != WHY_NONE) {
        leave_step(tunnel);
        return;
    }
    bool is_half = tunnel->up.is_ended || tunnel->down.is_ended;
    if (tunnel->lingers)
        linger_look(tunnel);
    else
        tunnel_close(tunnel, is_half ? WHY_HALF_CLOSE_TIMEOUT : WHY_TUNNEL_IDLE);
}

static void pump_init(struct pump *pump, struct duct *from, struct outbox *to, struct counter *meter) {
    *pump = (struct pump){.from = from, .to = *to, .meter = meter};
    pump->to.meter = NULL; /* counted as they are read */
    *to = (struct outbox){.duct = to->duct, .total = to->total};
}

/* Tunnels that may have to be ended in good order are watched. Without memory for it they are closed without.
 */
static struct ws_walk *walk_begin(struct exchange *x, struct str early) {
    const struct check *check = x->group->upstream->check;
    struct ws_walk *walk = check && check->closes_tunnels && !x->is_stream ? slab_new(&x->engine->walks) : NULL;
    if (walk)
        ws_walk_feed(walk, early);
    return walk;
}

static void throttle_fire(struct timer *timer) {
    tunnel_run(LIST_OF(timer, struct throttles, timer)->owner);
}

/* The rates of a stream that has some. False without memory. */
static bool throttles_begin(struct tunnel *tunnel, struct exchange *x) {
    uint64_t up_rate, down_rate, now_ms = tunnel->engine->loop->now_ms;
    if (!x->is_stream || !stream_rates(x, &up_rate, &down_rate))
        return true;
    tunnel->throttles = throttles_new(up_rate, down_rate, now_ms, throttle_fire, tunnel);
    if (!tunnel->throttles)
        return false;
    throttle_spend(&tunnel->throttles->up, now_ms, x->front->in.view.len);
    return true;
}

static void tunnel_discard(struct tunnel *tunnel) {
    throttles_free(tunnel->throttles);
    tunnel_log_free(tunnel->engine, tunnel->log);
    slab_free(&tunnel->engine->tunnels, tunnel);
}

enum why tunnel_begin(struct exchange *x, struct str early_down) {
    struct engine *engine = x->engine;
    struct front *front = x->front;
    struct tunnel *tunnel = slab_new(&engine->tunnels);
    if (!tunnel)
        return WHY_NO_MEMORY;
    tunnel->engine = engine;
    if (!tunnel_log_new(x, &tunnel->log) || !throttles_begin(tunnel, x)) {
        tunnel_discard(tunnel);
        return WHY_NO_MEMORY;
    }
    struct iovec early = {(void *)(uintptr_t)front->in.view.ptr, front->in.view.len};
    int error = early.iov_len ? outbox_send(&x->back.out, &early, 1) : 0;
    if (error) {
        tunnel_discard(tunnel);
        return error == -ENOMEM ? WHY_NO_MEMORY : WHY_BACKEND_RESET;
    }
    tunnel->began_ms = engine->loop->now_ms;
    tunnel->idle_ms = (uint32_t)exchange_policy(x)->read_timeout_ms;
    tunnel->ends_whole = x->is_stream && !exchange_policy(x)->stream.half_closes;
    tunnel->task.run = tunnel_go_on;
    list_init(&tunnel->task.node);
    timer_init(&tunnel->idle, tunnel_expire);
    pump_init(&tunnel->up, front->duct, &x->back.out, &x->meter->bytes_up);
    pump_init(&tunnel->down, x->back.duct, &front->out, &x->meter->bytes_down);
    tunnel->up.throttle = tunnel->throttles ? &tunnel->throttles->up : NULL;
    tunnel->down.throttle = tunnel->throttles ? &tunnel->throttles->down : NULL;
    counter_add(&x->meter->tunnels, 1);
    tunnel->down.walk = walk_begin(x, early_down);
    tunnel->up.bytes = early.iov_len;
    tunnel->down.bytes = early_down.len;
    tunnel->peer = x->member->peer;
    peer_take(tunnel->peer);
    atomic_fetch_add_explicit(&tunnel->peer->tunnels, 1, memory_order_relaxed);
    x->is_counted = false; /* the tunnel is, in its place */
    tunnel->sid = x->sid;
    x->sid = NULL;
    if (tunnel->sid)
        atomic_fetch_add_explicit(&tunnel->peer->session_tunnels, 1, memory_order_relaxed);
    tunnel->holds = limit_give(x);
    duct_slim(front->duct);
    duct_slim(x->back.duct);
    duct_own(front->duct, tunnel_ready, tunnel);
    duct_own(x->back.duct, tunnel_ready, tunnel);
    x->back.duct = NULL;
    inbox_fini(&x->back.in);
    list_append(&engine->tunnel_list, &tunnel->node);
    engine->counts.tunnels++;
    counter_add(&engine->tally->active, 1);
    counter_add(&engine->tally->writing, 1);
    engine->counts.upgraded++;
    loop_arm(engine->loop, &tunnel->idle, tunnel->idle_ms);
    loop_soon(engine->loop, &tunnel->task); /* what was read as "there" before the tunnel was */
    x->is_tunnel = true;
    x->front = NULL;
    front_give_up(front);
    return WHY_NONE;
}
