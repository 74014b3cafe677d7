#include "proxy/flow/pump.h"

#include <errno.h>

enum {
    READS_A_TURN = 8,
    LOOK_EVERY_BYTES = 65536, /* how often the kernel is asked for the length of its queue */
    QUEUE_LONG_BYTES = 32768, /* unacknowledged bytes from which the receiver counts as slow */
};

static void receiver_look(struct pump *pump) {
    struct duct *to = pump->to.duct;
    if (to->sent_since_look < LOOK_EVERY_BYTES)
        return;
    to->sent_since_look = 0;
    pump->is_careful = duct_backlog(to) > QUEUE_LONG_BYTES;
}

/* Reads, sends, holds the rest. */
static ssize_t quick_move(struct pump *pump, size_t most, int *error) {
    char *scratch = pump->from->loop->scratch;
    ssize_t got = duct_recv(pump->from, scratch, most);
    if (got <= 0)
        return got;
    if (pump->walk)
        ws_walk_feed(pump->walk, str_make(scratch, (size_t)got));
    struct iovec part = {scratch, (size_t)got};
    *error = outbox_send(&pump->to, &part, 1);
    return got;
}

/* Looks, sends, takes away what was sent. */
static ssize_t careful_move(struct pump *pump, size_t most, int *error) {
    char *scratch = pump->from->loop->scratch;
    ssize_t got = duct_peek(pump->from, scratch, most);
    if (got <= 0)
        return got;
    ssize_t sent = duct_send(pump->to.duct, scratch, (size_t)got);
    if (sent < 0 && sent != -EAGAIN) {
        *error = (int)sent;
        return 1;
    }
    if (sent > 0 && pump->walk)
        ws_walk_feed(pump->walk, str_make(scratch, (size_t)sent));
    if (sent > 0)
        duct_discard(pump->from, (size_t)sent, (size_t)got);
    return sent;
}

static enum pump_verdict end_pass(struct pump *pump) {
    duct_shutdown(pump->to.duct);
    pump->is_ended = true;
    return PUMP_ENDED;
}

static size_t room_of(const struct pump *pump) {
    return pump->throttle ? throttle_allow(pump->throttle, pump->from->loop->now_ms, LOOP_SCRATCH_BYTES)
                          : LOOP_SCRATCH_BYTES;
}

enum pump_verdict pump_run(struct pump *pump) {
    struct duct *to = pump->to.duct;
    if (pump->throttle)
        pump->throttle->is_waiting = false;
    if (pump->is_ended)
        return PUMP_ENDED;
    int error = outbox_flush(&pump->to);
    for (int reads = 0; !error; reads++) {
        if (!outbox_is_empty(&pump->to) || !to->can_write || !pump->from->can_read)
            return PUMP_WAIT;
        if (reads == READS_A_TURN)
            return PUMP_YIELD;
        receiver_look(pump);
        size_t room = room_of(pump);
        if (room == 0)
            return PUMP_WAIT;
        ssize_t moved = pump->is_careful ? careful_move(pump, room, &error) : quick_move(pump, room, &error);
        if (moved == -EAGAIN)
            continue;
        if (moved == 0)
            return end_pass(pump);
        if (moved < 0)
            return PUMP_BROKEN_FROM;
        pump->bytes += (uint64_t)moved;
        counter_add(pump->meter, (uint64_t)moved);
        if (pump->throttle)
            throttle_spend(pump->throttle, pump->from->loop->now_ms, (size_t)moved);
    }
    return error == -ENOMEM ? PUMP_NO_MEMORY : PUMP_BROKEN_TO;
}

bool pump_is_between_frames(const struct pump *pump) {
    return pump->walk && !pump->walk->is_broken && pump->walk->left == 0 && pump->walk->held == 0;
}
