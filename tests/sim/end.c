#include "net.h"

#include "loop/poller.h"

#include <arpa/inet.h>
#include <errno.h>

/* How bytes and ends pass between two ends. */

uint64_t net_latency_us(void) {
    return world.weather.latency_us + dice_below(&world.fate, world.weather.jitter_us + 1);
}

static void tell(struct end *end, unsigned what) {
    if (end->is_closed)
        return;
    if (end->tell)
        end->tell(end);
    else
        end_edge(end, what);
}

/* When something sent now over this flow arrives: never before what was sent earlier. */
static uint64_t flow_delay(struct flow *flow) {
    uint64_t at = world.now_us + net_latency_us();
    if (at < flow->last_us)
        at = flow->last_us;
    flow->last_us = at;
    return at - world.now_us;
}

static void kill_end(struct end *end, int error) {
    if (end->is_dead || end->is_closed)
        return;
    end->is_dead = true;
    end->is_connecting = false;
    end->error = end->in.fin_arrived ? EPIPE : error;
    end->in.given = end->in.arrived;
    if (world.weather.reset_discards && end->tell) /* Linux, and so the engine, keeps what has come */
        end->in.taken = end->in.arrived;
    world_trace(TRACE_RST, end->fd, error, 0);
    tell(end, POLLER_READ | POLLER_WRITE | POLLER_END | POLLER_ERROR);
}

static void reset_arrives(void *object, uint64_t error) {
    struct end *end = object;
    if (!end->is_lost)
        kill_end(end, (int)error);
}

static void reset_send(struct end *from) {
    struct end *to = from->other;
    if (to && !to->is_dead)
        world_later(flow_delay(&to->in), reset_arrives, to, ECONNRESET);
}

void end_answer_late(struct end *end) {
    if (end->other && end->other->is_connected)
        reset_send(end);
}

/* Both directions have ended: the kernel says so once. */
static void hup_arrives(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (!end->is_closed && !end->is_dead && !end->has_hup_told) {
        end->has_hup_told = true;
        tell(end, POLLER_ERROR);
    }
}

static void look_for_hup(struct end *end) {
    if (end->in.fin_arrived && end->other->in.fin_given)
        world_later(net_latency_us(), hup_arrives, end, 0);
}

static void bytes_arrive(void *object, uint64_t position) {
    struct end *end = object;
    struct flow *flow = &end->in;
    if (end->is_dead || end->is_lost || position <= flow->arrived || position > flow->given)
        return;
    if (end->is_closed) {
        reset_send(end);
        return;
    }
    flow->arrived = position;
    world_trace(TRACE_ARRIVE, end->fd, (int64_t)position, (int64_t)(flow->given - position));
    tell(end, POLLER_READ);
}

static void fin_arrives(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (end->is_dead || end->is_lost || end->is_closed || end->in.fin_arrived)
        return;
    end->in.arrived = end->in.given;
    end->in.fin_arrived = true;
    world_trace(TRACE_FIN, end->fd, (int64_t)end->in.given, 0);
    tell(end, POLLER_READ | POLLER_END);
    look_for_hup(end);
}

/* Linux tells of room when a third of the buffer is free. */
static bool has_room(const struct end *end) {
    const struct flow *out = &end->other->in;
    size_t held = (size_t)(out->given - out->taken);
    return held < out->window && (out->window - held) * 3 >= out->window;
}

static void room_comes(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (end->is_dead || end->is_closed || end->is_lost)
        return;
    end->wants_room = !has_room(end); /* filled again meanwhile */
    if (end->wants_room)
        return;
    world_trace(TRACE_ROOM, end->fd, (int64_t)end->other->in.given, 0);
    tell(end, POLLER_WRITE);
}

/* A flow's bytes lie in a ring. */
static void flow_copy_out(const struct flow *flow, char *bytes, size_t len) {
    size_t at = (size_t)(flow->taken & (flow->room - 1)), first = flow->room - at < len ? flow->room - at : len;
    memcpy(bytes, flow->bytes + at, first);
    memcpy(bytes + first, flow->bytes, len - first);
}

static void flow_copy_in(struct flow *flow, const char *bytes, size_t len) {
    size_t at = (size_t)(flow->given & (flow->room - 1)), first = flow->room - at < len ? flow->room - at : len;
    memcpy(flow->bytes + at, bytes, first);
    memcpy(flow->bytes, bytes + first, len - first);
}

ssize_t end_take(struct end *end, void *bytes, size_t len, bool is_peek) {
    struct flow *flow = &end->in;
    size_t there = end_readable(end);
    if (there == 0) {
        /* A FIN that came before the RST is what a read tells. */
        if (flow->fin_arrived)
            return 0;
        if (end->error) {
            int error = end->error;
            end->error = 0;
            return -error;
        }
        if (end->is_connecting)
            return -EAGAIN;
        return end->is_dead ? 0 : -EAGAIN;
    }
    size_t count = there < len ? there : len;
    if (bytes)
        flow_copy_out(flow, bytes, count);
    if (is_peek)
        return (ssize_t)count;
    flow->taken += count;
    struct end *giver = end->other;
    if (giver && giver->wants_room && !end->is_dead && has_room(giver)) {
        giver->wants_room = false;
        world_later(net_latency_us(), room_comes, giver, 0);
    }
    return (ssize_t)count;
}

static void flow_grow(struct flow *flow, size_t more) {
    size_t held = (size_t)(flow->given - flow->taken), room = flow->room ? flow->room : 512;
    while (room < held + more)
        room *= 2;
    if (room == flow->room)
        return;
    struct flow grown = *flow;
    grown.bytes = world_room(room);
    grown.room = room;
    grown.given = flow->taken;
    if (held) {
        char *copy = world_room(held);
        flow_copy_out(flow, copy, held);
        flow_copy_in(&grown, copy, held);
    }
    flow->bytes = grown.bytes;
    flow->room = room;
}

/* What was given arrives in pieces. */
static void pieces_send(struct end *to, size_t count) {
    struct flow *flow = &to->in;
    const struct weather *weather = &world.weather;
    uint64_t position = flow->given - count;
    for (unsigned pieces = 0; weather->piece_max && pieces < 8; pieces++) {
        uint64_t piece = dice_between(&world.fate, weather->piece_min, weather->piece_max);
        if (piece >= flow->given - position)
            break;
        position += piece;
        world_later(flow_delay(flow), bytes_arrive, to, position);
    }
    world_later(flow_delay(flow), bytes_arrive, to, flow->given);
}

ssize_t end_give(struct end *end, const void *bytes, size_t len) {
    if (end->error) {
        int error = end->error;
        end->error = 0;
        return -error;
    }
    if (end->is_dead || (end->other && end->other->in.fin_given))
        return -EPIPE;
    if (end->is_connecting) {
        end->wants_room = true;
        return -EAGAIN;
    }
    struct end *to = end->other;
    struct flow *flow = &to->in;
    size_t held = (size_t)(flow->given - flow->taken);
    size_t free = held < flow->window ? flow->window - held : 0, count = len < free ? len : free;
    if (count < len)
        end->wants_room = true;
    if (count == 0)
        return len ? -EAGAIN : 0;
    flow_grow(flow, count);
    flow_copy_in(flow, bytes, count);
    flow->given += count;
    pieces_send(to, count);
    return (ssize_t)count;
}

int end_finish(struct end *end) {
    struct end *to = end->other;
    if (end->is_dead || end->is_connecting || !to)
        return -ENOTCONN;
    if (to->in.fin_given)
        return 0;
    to->in.fin_given = true;
    world_later(flow_delay(&to->in), fin_arrives, to, 0);
    look_for_hup(end);
    return 0;
}

void end_close(struct end *end) {
    if (end->is_closed)
        return;
    bool has_unread = end_readable(end) > 0;
    if (end->is_connected && !end->is_dead) {
        if (has_unread)
            reset_send(end);
        else
            end_finish(end);
    }
    end->is_closed = true;
}

void end_reset(struct end *end) {
    if (end->is_closed)
        return;
    if (end->is_connected && !end->is_dead)
        reset_send(end);
    end->is_closed = true;
}

void end_break(struct end *end, int error) {
    struct end *other = end->other;
    kill_end(end, error);
    if (other)
        reset_send(end);
}

static void loss_shows(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (!end->is_closed)
        kill_end(end, ETIMEDOUT);
}

/* The kernel gives up on a silent other side by TCP_USER_TIMEOUT and keepalive: 30 s, or somewhat later. */
void end_vanish(struct end *end) {
    end->is_closed = end->is_lost = true;
    end->other->is_lost = true;
    world_later(dice_between(&world.fate, 30000, 40000) * 1000, loss_shows, end->other, 0);
}

unsigned end_state(const struct end *end) {
    unsigned state = 0;
    if (end->is_dead)
        return POLLER_READ | POLLER_WRITE | POLLER_END | POLLER_ERROR;
    if (end->is_connecting)
        return 0;
    if (end_readable(end) || end->in.fin_arrived)
        state |= POLLER_READ;
    if (end->in.fin_arrived)
        state |= POLLER_END;
    if (end->in.fin_arrived && end->other->in.fin_given)
        state |= POLLER_ERROR;
    if (end->other->in.fin_given || has_room(end))
        state |= POLLER_WRITE;
    return state;
}
