#ifndef PROXY_GUARD_GUARD_H
#define PROXY_GUARD_GUARD_H

#include "proxy/exchange.h"

/* Who may pass: the checks of state GUARD, in nginx's order. */

enum guard_verdict {
    GUARD_ASIDE,   /* has nothing to say of this request */
    GUARD_PASSES,  /* lets it pass; with `satisfy any` nobody else is asked */
    GUARD_WAITS,   /* is asked again when the exchange goes on */
    GUARD_REFUSES, /* with guarding->status */
};

enum limit_outcome {
    LIMIT_NONE,
    LIMIT_PASSED,
    LIMIT_DELAYED,
    LIMIT_REJECTED,
    LIMIT_DELAYED_DRY_RUN,
    LIMIT_REJECTED_DRY_RUN,
};

/* An exchange's way through the checks; in its arena. */
struct guarding {
    uint8_t at;           /* the check that is next */
    unsigned status;      /* what the last check refuses with */
    unsigned refused;     /* satisfy any: the status should nobody let it pass */
    struct str challenge; /* lines of the head that a 401 comes with */
    uint64_t wake_ms;     /* a delayed request goes on then; 0: it is not delayed */
    enum limit_outcome request_outcome, connection_outcome;
    struct limit_hold *holds;       /* what limit_conn counts this request in */
    struct exchange *asking;        /* auth_request's own exchange, under way; NULL: none is */
    unsigned answer;                /* the status that it came to; 0: none yet */
    struct password_wait *password; /* being looked at; NULL: none is */
    bool is_delayed;                /* auth_delay: refused already, and waits to be told */
};

/* Goes on with the checks, and then with the route's content. */
enum exchange_state guard_run(struct exchange *x, const struct guard *guard);
/* The exchange has a new route: its checks begin anew. */
void guard_begin(struct exchange *x);
/* How long the exchange still waits before it is to be looked at, in milliseconds. */
uint64_t guard_wait_ms(const struct exchange *x);
/* The exchange ends: lets go of what it is counted in, and asks no further. */
void guard_end(struct exchange *x);
/* The server level's part, before anything is rewritten: whose address the client's is. False without memory.
 */
bool guard_post_read(struct exchange *x);

#endif
