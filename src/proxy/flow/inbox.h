#ifndef PROXY_FLOW_INBOX_H
#define PROXY_FLOW_INBOX_H

#include "base/counter.h"
#include "net/duct.h"

/* Bytes that were read from a duct and are not used yet. `view` shows them: in the reader's scratch memory
 * while the call that read them runs, in memory of our own afterwards. Empty it owns nothing. */
struct inbox {
    struct str view;
    char *owned; /* NULL: view is borrowed or empty */
    size_t capacity;
    size_t *total;         /* sum of all bytes kept by the engine */
    uint64_t filled;       /* bytes read so far, in all */
    struct counter *meter; /* where they are counted as well; NULL: nowhere */
};

static inline void inbox_init(struct inbox *inbox, size_t *total) {
    *inbox = (struct inbox){.view = {"", 0}, .total = total};
}

/* Reads once: into scratch when nothing is there yet, else behind what is there, in memory of our own, growing
 * up to max_bytes. As duct_recv; -ENOMEM; -EMSGSIZE when max_bytes are there already. */
ssize_t inbox_fill(struct inbox *inbox, struct duct *duct, char *scratch, size_t scratch_bytes,
                   size_t max_bytes);
/* The first `used` bytes are done with. */
void inbox_consume(struct inbox *inbox, size_t used);
/* Makes what is left our own, before the scratch memory is used for something else. False without memory. */
bool inbox_settle(struct inbox *inbox);
void inbox_fini(struct inbox *inbox);

#endif
