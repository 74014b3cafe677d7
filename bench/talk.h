#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include "crowd.h"
#include "histogram.h"

/* WebSocket connections that send a masked message, await its echo and verify it; one message in flight each.
 */
struct talk {
    struct crowd *crowd;
    struct client *clients;
    unsigned count, open;
    size_t size;      /* bytes of a message, at least 16 */
    uint8_t head[10]; /* the head that its echo must have */
    size_t head_len;
    uint8_t *pattern, *frame;
    uint64_t budget; /* messages that may still be sent */
    uint64_t sent, answered;
    uint64_t lost, wrong; /* in flight when a connection closed; echoes that differ */
    uint64_t closed;      /* connections that ended */
    uint32_t key;
    bool paced; /* by talk_due; otherwise the next message follows an echo at once */
    uint64_t period_ns, due_ns;
    unsigned *idle, idle_at, idle_len; /* a ring of the connections that await nothing */
    struct histogram latency;
};

/* Opens count connections; ends the program when one fails. */
void talk_open(struct talk *talk, struct crowd *crowd, unsigned count, size_t size, const char *path);
/* Exchanges so many messages, `rate` a second (0: as fast as they come back), and returns when all are
 * answered. */
void talk_run(struct talk *talk, uint64_t messages, uint64_t rate);
/* For talking beside other things: from now on, so many a second. */
void talk_pace(struct talk *talk, uint64_t messages, uint64_t rate);
/* Sends what is due; returns when the next message is, in ns from now (UINT64_MAX: an echo must come first). */
uint64_t talk_due(struct talk *talk, uint64_t now_ns);

#endif
