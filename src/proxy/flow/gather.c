#include "proxy/flow/gather.h"

#include <errno.h>

/* Makes what was staged since the last part a part of its own. */
static void stage_close(struct gather *g) {
    if (g->stage.len == g->staged)
        return;
    g->parts[g->count++] = (struct iovec){g->stage.ptr + g->staged, g->stage.len - g->staged};
    g->staged = g->stage.len;
}

static void parts_send(struct gather *g) {
    if (g->count && !g->error && g->spool &&
        (g->is_paced || spool_left(g->spool) || !outbox_is_empty(g->outbox))) {
        g->error = spool_add(g->spool, g->parts, g->count);
        g->is_spool_error = g->error != 0;
    } else if (g->count && !g->error) {
        g->error = outbox_send(g->outbox, g->parts, g->count);
    }
    g->count = 0;
}

void gather_add(struct gather *g, struct str bytes) {
    g->bytes += bytes.len;
    if (bytes.len <= GATHER_COPY_MAX && bytes.len <= g->stage.capacity - g->stage.len) {
        builder_str(&g->stage, bytes);
        return;
    }
    stage_close(g);
    g->parts[g->count++] = (struct iovec){(void *)(uintptr_t)bytes.ptr, bytes.len};
    if (g->count >= GATHER_PARTS - 1)
        parts_send(g);
}

int gather_send(struct gather *g) {
    if (g->stage.overflow)
        return -EMSGSIZE;
    stage_close(g);
    parts_send(g);
    return g->error;
}
