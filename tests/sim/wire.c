#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void flush(struct wire *wire);
static void drink(struct wire *wire);

static void grow(char **bytes, size_t *at, size_t *len, size_t *room, size_t more) {
    if (*room - *len >= more)
        return;
    size_t held = *len - *at, wanted = *room ? *room : 512;
    while (wanted < (held + more) * 2)
        wanted *= 2;
    char *place = wanted > *room ? world_room(wanted) : *bytes;
    if (held)
        memmove(place, *bytes + *at, held);
    *bytes = place;
    *room = wanted;
    *at = 0;
    *len = held;
}

static void told(struct end *end) {
    struct wire *wire = end->actor;
    if (wire->end != end)
        return;
    flush(wire);
    drink(wire);
    wire->news(wire);
}

static void attach(struct wire *wire, struct end *end) {
    wire_news *news = wire->news;
    void *owner = wire->owner;
    struct wire fresh = {.end = end,
                         .news = news,
                         .owner = owner,
                         .pace_us = wire->pace_us,
                         .piece = wire->piece,
                         .read_pace_us = wire->read_pace_us,
                         .read_piece = wire->read_piece,
                         .is_stalled = wire->is_stalled,
                         .out = wire->out,
                         .out_at = wire->out_at,
                         .out_len = wire->out_len,
                         .out_room = wire->out_room};
    *wire = fresh;
    end->actor = wire;
    end->tell = told;
}

void wire_dial(struct wire *wire, const struct address *from, const struct address *to) {
    attach(wire, net_dial(from, to, told, wire));
}

void wire_accept(struct wire *wire, struct end *end) {
    attach(wire, end);
}

static void end_of_out(struct wire *wire) {
    if (wire->closes) {
        wire_close(wire);
    } else if (wire->finishes && !wire->is_finished) {
        wire->is_finished = true;
        end_finish(wire->end);
    }
}

static void piece_due(void *object, uint64_t value) {
    struct wire *wire = object;
    (void)value;
    wire->is_waiting = false;
    if (!wire->end)
        return;
    flush(wire);
    if (wire_is_empty(wire))
        wire->news(wire);
}

static void flush(struct wire *wire) {
    if (!wire->end || wire->end->is_connecting || wire->is_waiting)
        return;
    while (!wire_is_empty(wire)) {
        size_t len = wire->out_len - wire->out_at;
        if (wire->pace_us && len > wire->piece)
            len = wire->piece;
        ssize_t took = end_give(wire->end, wire->out + wire->out_at, len);
        if (took == -EAGAIN)
            return;
        if (took < 0) { /* what has come can still be read */
            wire->cannot_send = true;
            wire->out_at = wire->out_len;
            return;
        }
        wire->out_at += (size_t)took;
        wire->sent += (uint64_t)took;
        if (wire->pace_us && (size_t)took == len && !wire_is_empty(wire)) {
            wire->is_waiting = true;
            world_later(wire->pace_us, piece_due, wire, 0);
            return;
        }
    }
    end_of_out(wire);
}

static void read_due(void *object, uint64_t value) {
    struct wire *wire = object;
    (void)value;
    wire->is_resting = false;
    if (!wire->end)
        return;
    drink(wire);
    if (wire->end)
        wire->news(wire);
}

static void drink(struct wire *wire) {
    while (wire->end && !wire->is_stalled && !wire->is_resting && !wire->has_end && !wire->is_broken) {
        size_t len = wire->read_pace_us ? wire->read_piece : 16384;
        grow(&wire->in, &wire->in_at, &wire->in_len, &wire->in_room, len);
        ssize_t got = end_take(wire->end, wire->in + wire->in_len, len, false);
        if (got == -EAGAIN)
            return;
        if (got == 0 && wire->cannot_send && !wire->end->in.fin_arrived)
            wire->is_broken = true;
        else if (got == 0)
            wire->has_end = true;
        else if (got < 0)
            wire->is_broken = true;
        else {
            wire->in_len += (size_t)got;
            wire->got += (uint64_t)got;
        }
        if (wire->read_pace_us) {
            wire->is_resting = true;
            world_later(wire->read_pace_us, read_due, wire, 0);
        }
    }
}

void wire_put(struct wire *wire, const void *bytes, size_t len) {

    grow(&wire->out, &wire->out_at, &wire->out_len, &wire->out_room, len);
    if (len)
        memcpy(wire->out + wire->out_len, bytes, len);
    wire->out_len += len;
    flush(wire);
}

void wire_format(struct wire *wire, const char *format, ...) {
    char text[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wire_put(wire, text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

void wire_eat(struct wire *wire, size_t len) {
    wire->in_at += len;
}

void wire_finish(struct wire *wire) {
    wire->finishes = true;
    flush(wire);
}

void wire_close_after(struct wire *wire) {
    wire->closes = true;
    flush(wire);
}

void wire_close(struct wire *wire) {
    if (wire->end)
        end_close(wire->end);
    wire->end = NULL;
}

void wire_reset(struct wire *wire) {
    if (wire->end)
        end_reset(wire->end);
    wire->end = NULL;
}

void wire_vanish(struct wire *wire) {
    if (wire->end)
        end_vanish(wire->end);
    wire->end = NULL;
}

void wire_resume(struct wire *wire) {
    wire->is_stalled = false;
    if (!wire->end)
        return;
    drink(wire);
    if (wire->end)
        wire->news(wire);
}
