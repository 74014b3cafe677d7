#ifndef PROXY_GATHER_H
#define PROXY_GATHER_H

#include "base/builder.h"
#include "proxy/outbox.h"

/* Puts the pieces of a message together for one send: text and small pieces are staged side by side, large ones
 * are referred to where they lie. Lives on the stack of one call; the stage is the engine's. */

enum { GATHER_PARTS = 32, GATHER_STAGE_BYTES = 65536, GATHER_COPY_MAX = 4096 };

struct gather {
    struct builder stage;
    size_t staged; /* bytes of the stage that parts[] refers to already */
    struct outbox *outbox;
    int error; /* the first of outbox_send; sticky */
    int count;
    size_t bytes; /* added since gather_init */
    struct iovec parts[GATHER_PARTS];
};

static inline void gather_init(struct gather *g, char *stage, struct outbox *outbox) {
    g->stage = builder_make(stage, GATHER_STAGE_BYTES);
    g->staged = g->bytes = 0;
    g->outbox = outbox;
    g->error = g->count = 0;
}

/* Adds bytes that stay valid until gather_send. */
void gather_add(struct gather *g, struct str bytes);
/* Sends all. 0 or the first negative errno; -EMSGSIZE when staged text did not fit. */
int gather_send(struct gather *g);

#endif
