/* The request's body, read before a server is asked. */
#include "proxy/exchange.h"

#include <errno.h>

enum { READS_A_TURN = 16 };

/* Takes from what the client has sent what belongs to the body. WHY_NONE: all is well so far. */
static enum why body_take(struct exchange *x) {
    struct passage *up = &x->up;
    struct str input = x->front->in.view;
    while (input.len && !up->is_done) {
        struct str slice = {"", 0};
        enum h1_slice_kind kind = H1_SLICE_DATA;
        enum codec_result result = h1_body_read(&up->body, &input, &slice, &kind);
        if (result == CODEC_BAD)
            return WHY_BAD_REQUEST;
        if (kind == H1_SLICE_DATA)
            up->bytes += slice.len;
        if (up->max_bytes && up->bytes > up->max_bytes)
            return WHY_BODY_TOO_LARGE;
        up->is_done = result == CODEC_DONE;
    }
    inbox_consume(&x->front->in, x->front->in.view.len - input.len);
    return WHY_NONE;
}

static enum exchange_state body_fail(struct exchange *x, enum why why) {
    x->is_up_broken = true;
    if (why == WHY_CLIENT_CLOSED || why == WHY_CLIENT_RESET)
        x->is_client_gone = true;
    return exchange_fail(x, why);
}

enum exchange_state exchange_body(struct exchange *x) {
    struct front *front = x->front;
    if (exchange_continue(x) || exchange_flush(x, &front->out))
        return body_fail(x, WHY_CLIENT_RESET);
    for (int reads = 0; reads < READS_A_TURN; reads++) {
        enum why why = body_take(x);
        if (why != WHY_NONE)
            return body_fail(x, why);
        if (x->up.is_done)
            return STATE_PICK;
        if (!front->duct->can_read)
            return STATE_BODY;
        ssize_t got = inbox_fill(&front->in, front->duct, x->engine->loop->scratch, LOOP_SCRATCH_BYTES,
                                 LOOP_SCRATCH_BYTES);
        if (got == -EAGAIN)
            return STATE_BODY;
        if (got <= 0)
            return body_fail(x, got == 0         ? WHY_CLIENT_CLOSED
                                : got == -ENOMEM ? WHY_NO_MEMORY
                                                 : WHY_CLIENT_RESET);
        exchange_progress(x);
    }
    exchange_yield(x);
    return STATE_BODY;
}
