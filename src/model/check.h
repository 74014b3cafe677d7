#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include "model/match.h"

/* Active health checks, as configured: what is asked of each server of an upstream, how often, and what counts
 * as a good answer. */

enum check_kind {
    CHECK_TCP,       /* a connection; with a match what it says */
    CHECK_HTTP,      /* a request, and the answer's status, fields and body */
    CHECK_SSL_HELLO, /* a ClientHello, and a handshake record in return */
    CHECK_WEBSOCKET, /* a full opening handshake, then a close */
    CHECK_SOCKETIO,  /* a polling handshake whose open packet can be read, then the session's end */
};

struct check {
    struct place place;
    enum check_kind kind;
    uint64_t interval_ms, jitter_ms, timeout_ms;
    unsigned rise, fall;      /* verdicts in a row */
    uint16_t port;            /* 0: the server's own */
    bool begins_down;         /* not used before `rise` good verdicts; else used until `fall` bad ones */
    bool is_persistent;       /* with begins_down: what was up before a reload stays up */
    struct str request;       /* HTTP: its bytes, head and body */
    struct str uri, host;     /* WEBSOCKET and SOCKETIO */
    const struct match *good; /* what counts as a good answer */
    bool closes_tunnels;      /* on_down close: those of a server that went down, over drain_ms */
    uint64_t drain_ms;
};

#endif
