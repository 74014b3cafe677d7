#ifndef PROXY_TUNNEL_H
#define PROXY_TUNNEL_H

#include "net/why.h"
#include "proxy/exchange.h"
#include "proxy/flow/pump.h"

/* What is left of an exchange after the backend's 101: two ducts, two pumps, one deadline. */
struct tunnel {
    struct pump up, down; /* client to backend; backend to client: what each message touches comes first */
    struct timer idle;
    struct engine *engine;
    uint32_t idle_ms;
    bool is_over;
    bool is_ended_by_back;    /* whose end was read last */
    bool lingers;             /* one side is closed; the other still takes what was sent to it */
    bool ends_whole;          /* one direction's end is the other's: streams without proxy_half_close */
    uint8_t leaving;          /* enum why: it is to end in good order when `idle` fires; WHY_NONE: it is not */
    uint8_t waits;            /* for the end of a frame, when leaving */
    struct task task;         /* goes on in the next turn; once over, frees */
    struct list node;         /* in engine->tunnel_list */
    struct peer *peer;        /* a reference; counted in active and tunnels */
    struct sid *sid;          /* pinned; NULL: none */
    struct limit_hold *holds; /* what limit_conn counts it in; NULL: nothing */
    struct throttles *throttles; /* of a stream with a rate; NULL: none */
    struct tunnel_log *log;      /* written at its end; NULL: nothing is */
    uint64_t began_ms;
};

/* Makes a tunnel of the exchange's two ducts and gives the front up. Bytes that the client sent behind its head
 * go first; `early` is what the backend sent behind its own, and has gone already. WHY_NONE, or why it could
 * not be. */
enum why tunnel_begin(struct exchange *x, struct str early);
/* Ends it in good order, at a random moment within spread_ms: with a close frame between two frames where the
 * tunnel is watched, and then time for the client to answer. */
void tunnel_leave(struct tunnel *tunnel, enum why why, uint64_t spread_ms);
/* Ends it at once. */
void tunnel_close(struct tunnel *tunnel, enum why why);

#endif
