#ifndef PROXY_FRONT_H
#define PROXY_FRONT_H

#include "proxy/flow/inbox.h"
#include "proxy/flow/outbox.h"
#include "proxy/listener.h"

/* A front: the client half of an HTTP/1 connection. It reads request heads, has one exchange at a time, and
 * goes on with the next request on a connection that is kept. An upgraded connection's duct moves to a tunnel
 * and the front is freed. */

struct exchange;
struct h1_body;

enum front_phase {
    FRONT_PROXIED,
    FRONT_NEW,
    FRONT_HEAD,
    FRONT_BUSY,
    FRONT_SKIP,
    FRONT_IDLE,
    FRONT_LINGER,
    FRONT_CLOSED
};

struct front {
    struct engine *engine;
    struct listener *listener;
    struct list node; /* in engine->front_list */
    struct duct *duct;
    struct exchange *exchange; /* in phase BUSY */
    struct timer deadline;
    struct inbox in;
    struct outbox out;
    struct h1_head *partial; /* parse state of a head that is not whole yet */
    struct front_skip *skip; /* in phase SKIP */
    struct proxied *proxied; /* what a PROXY protocol's header said; NULL: there was none, or it said nothing */
    uint64_t id;             /* number of the connection, for logs */
    uint64_t requests;       /* begun on this connection */
    uint64_t accepted_ms;    /* loop time */
    uint32_t skipped;        /* empty line bytes skipped before a request line */
    uint8_t phase;           /* enum front_phase */
    bool is_running;         /* front_run is on the stack */
    bool is_pipelined;       /* bytes of the next request were there before the last answer was out */
    bool must_close;         /* after this exchange */
    bool is_cut;             /* closes at once: the client was too slow, or is not answered at all */
    bool must_reset;         /* and then by RST */
    bool never_lingers;      /* lingering_close off */
    uint32_t linger_time_ms, linger_pause_ms; /* lingering_time and lingering_timeout of the last request */
    uint64_t linger_until_ms;
    uint64_t kept_until_ms; /* idle, it is not to be closed before: keepalive_min_timeout */
    bool must_linger;       /* bytes of the client are unread: closing at once would reset the answer away */
    struct address remote;
    struct task burial;
};

/* Takes over a new connection. False on shortage, and then fd is closed. */
bool front_new(struct listener *listener, int fd, const struct address *remote);
/* The exchange was answered before its body was read: after front_resume what comes of that is dropped, and
 * then the connection waits keep_ms for a next request. False without memory. */
bool front_skip_body(struct front *front, const struct h1_body *body, uint64_t keep_ms);
/* The exchange is done with: keeps, lingers or closes, and reads the next request if it is there. */
void front_resume(struct front *front);
/* Closes now, whatever is under way. */
void front_close(struct front *front);
/* The duct has become a tunnel's: frees the front without closing. */
void front_give_up(struct front *front);
/* For reload and drain: closes if idle, else after the current exchange. */
void front_retire(struct front *front);

#endif
