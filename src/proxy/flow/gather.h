#ifndef PROXY_FLOW_GATHER_H
#define PROXY_FLOW_GATHER_H

#include "base/builder.h"
#include "proxy/flow/outbox.h"
#include "proxy/flow/spool.h"

/* Puts the pieces of a message together for one send: text and small pieces are staged side by side, large ones
 * are referred to where they lie. Lives on the stack of one call; the stage is the engine's. */

enum { GATHER_PARTS = 32, GATHER_STAGE_BYTES = 65536, GATHER_COPY_MAX = 4096 };

struct gather {
    struct builder stage;
    size_t staged; /* bytes of the stage that parts[] refers to already */
    struct outbox *outbox;
    struct spool *spool; /* takes what the outbox is too full for; NULL: none, and the outbox takes all */
    bool is_paced;       /* the spool takes all: when it goes on is another's to say */
    bool is_spool_error;
    int error; /* the first of outbox_send; sticky */
    int count;
    size_t bytes; /* added since gather_init */
    struct iovec parts[GATHER_PARTS];
};

static inline void gather_init(struct gather *g, char *stage, struct outbox *outbox) {
    g->stage = builder_make(stage, GATHER_STAGE_BYTES);
    g->staged = g->bytes = 0;
    g->outbox = outbox;
    g->spool = NULL;
    g->is_paced = g->is_spool_error = false;
    g->error = g->count = 0;
}

/* Begins the next message, to the same places. */
static inline void gather_renew(struct gather *g) {
    g->stage.len = g->staged = g->bytes = 0;
}

/* Is there to be no further message until some of the last ones is taken? */
static inline bool gather_is_full(const struct gather *g) {
    return g->spool ? !spool_has_room(g->spool) : !outbox_is_empty(g->outbox);
}

/* Adds bytes that stay valid until gather_send. */
void gather_add(struct gather *g, struct str bytes);
/* Sends all. 0 or the first negative errno; -EMSGSIZE when staged text did not fit. */
int gather_send(struct gather *g);

#endif
