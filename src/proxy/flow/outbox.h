#ifndef PROXY_FLOW_OUTBOX_H
#define PROXY_FLOW_OUTBOX_H

#include "base/counter.h"
#include "net/duct.h"

/* Bytes on their way to one duct. What it takes at once is never copied; what it does not take is held, and
 * while anything is held the owner reads no more for it. Without held bytes it owns no memory. */
struct outbox {
    struct duct *duct;
    size_t *total;         /* sum of all held bytes of the engine */
    struct counter *meter; /* of bytes that have gone; NULL: none */
    char *held;
    uint32_t at, len; /* the held bytes: len of them from at */
};

static inline void outbox_init(struct outbox *outbox, struct duct *duct, size_t *total) {
    *outbox = (struct outbox){.duct = duct, .total = total};
}

static inline bool outbox_is_empty(const struct outbox *outbox) {
    return outbox->len == 0;
}

/* Sends the parts behind what is held; what is not taken is held. 0, or a negative errno when the duct is
 * broken or memory is short (-ENOMEM), and then the stream has a gap: end it. `parts` is used up. */
int outbox_send(struct outbox *outbox, struct iovec *parts, int count);
/* Sends held bytes while the duct takes them. 0 or negative errno. */
int outbox_flush(struct outbox *outbox);
/* Forgets what is held and gives the memory back. */
void outbox_fini(struct outbox *outbox);

#endif
