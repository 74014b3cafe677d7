#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include "net.h"

/* An actor's side of a connection: what it wants to send waits here, what it has been sent gathers here, each
 * at the actor's own pace. */

struct wire;
/* Something is new: bytes, connected, refused, an end, or all that was put is sent. */
typedef void wire_news(struct wire *wire);

struct wire {
    struct end *end; /* NULL: closed */
    wire_news *news;
    void *owner;
    char *out, *in;
    size_t out_at, out_len, out_room, in_at, in_len, in_room;
    uint64_t sent, got;    /* bytes ever */
    uint64_t pace_us;      /* between two pieces sent; 0: all at once */
    size_t piece;          /* bytes of such a piece */
    uint64_t read_pace_us; /* between two reads; 0: at once */
    size_t read_piece;
    bool is_stalled;             /* reads nothing at all */
    bool cannot_send;            /* a send has failed */
    bool has_end, is_broken;     /* the other's FIN has been read; reset, refused or timed out */
    bool finishes, closes;       /* once all is sent */
    bool is_finished;            /* our FIN is sent */
    bool is_waiting, is_resting; /* a piece, a read is due later */
};

/* wire->news and owner are set before. */
void wire_dial(struct wire *wire, const struct address *from, const struct address *to);
void wire_accept(struct wire *wire, struct end *end);
/* Takes a copy. */
void wire_put(struct wire *wire, const void *bytes, size_t len);
void wire_format(struct wire *wire, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What has come and not been eaten. */
static inline struct str wire_view(const struct wire *wire) {
    return str_make(wire->in + wire->in_at, wire->in_len - wire->in_at);
}
void wire_eat(struct wire *wire, size_t len);
/* Nothing waits to be sent. */
static inline bool wire_is_empty(const struct wire *wire) {
    return wire->out_at == wire->out_len;
}
/* FIN, or close, as soon as all is sent. */
void wire_finish(struct wire *wire);
void wire_close_after(struct wire *wire);
/* At once. */
void wire_close(struct wire *wire);
void wire_reset(struct wire *wire);
void wire_vanish(struct wire *wire);
/* Reads again after is_stalled was taken away. */
void wire_resume(struct wire *wire);

#endif
