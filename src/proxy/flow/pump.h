#ifndef PROXY_FLOW_PUMP_H
#define PROXY_FLOW_PUMP_H

#include "codec/ws.h"
#include "proxy/flow/outbox.h"
#include "proxy/flow/throttle.h"

/* One direction of a tunnel: moves bytes from a duct to another. It is blind, or, given a walk, watching: then
 * it knows where a frame ends and another may be put in between.
 *
 * As long as the receiver keeps up, bytes are read into the loop's scratch memory and sent from there. Once the
 * kernel's queue towards the receiver grows, the pump turns careful: it looks at the bytes without taking them
 * (MSG_PEEK), sends, and takes away just what was sent, so that a receiver that stops costs no memory of ours
 * at all. */
struct pump {
    struct duct *from;
    struct outbox to;          /* holds what a send of a quick pump left over */
    struct counter *meter;     /* where they are counted as well */
    uint64_t bytes;            /* moved */
    struct ws_walk *walk;      /* NULL: blind */
    struct throttle *throttle; /* NULL: as fast as it goes */
    bool is_careful;
    bool is_ended; /* the sender's FIN was read and passed on */
};

enum pump_verdict {
    PUMP_WAIT,  /* nothing to read, the receiver takes no more, or the throttle is waiting */
    PUMP_YIELD, /* had its share of this turn */
    PUMP_ENDED, /* all was passed on, the FIN too */
    PUMP_BROKEN_FROM,
    PUMP_BROKEN_TO,
    PUMP_NO_MEMORY,
};

enum pump_verdict pump_run(struct pump *pump);
/* Does what has been moved so far end with a frame? Never known of a blind pump. */
bool pump_is_between_frames(const struct pump *pump);

#endif
