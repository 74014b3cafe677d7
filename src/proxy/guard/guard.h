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

/* An exchange's way through the checks; in its arena. */
struct guarding {
    uint8_t at;           /* the check that is next */
    unsigned status;      /* what the last check refuses with */
    unsigned refused;     /* satisfy any: the status should nobody let it pass */
    struct str challenge; /* lines of the head that a 401 comes with */
};

/* Goes on with the checks, and then with the route's content. */
enum exchange_state guard_run(struct exchange *x, const struct guard *guard);
/* The exchange has a new route: its checks begin anew. */
void guard_begin(struct exchange *x);
/* The server level's part, before anything is rewritten: whose address the client's is. False without memory.
 */
bool guard_post_read(struct exchange *x);

#endif
