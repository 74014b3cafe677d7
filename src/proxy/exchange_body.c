/* The request's body, read before a server is asked: proxy_request_buffering. */
#include "proxy/affinity.h"
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/flow/passage.h"
#include "proxy/head/pass_url.h"
#include "proxy/stream.h"
#include "proxy/variable/variables.h"

#include "net/file.h"

#include <errno.h>

enum { READS_A_TURN = 16, TEXT_MAX = 16384, SEND_STEP = 1 << 20 };

/* So much is kept in memory: nginx's buffer, and what it may have read together with the head. */
static size_t memory_bytes(const struct exchange *x) {
    size_t body = exchange_policy(x)->body.buffer_bytes, head = x->site->client_header_buffer_bytes;
    return body > head ? body : head;
}

/* Is a server asked only once all of the body is here? */
static bool is_buffered(const struct exchange *x) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    return proxy->is_request_buffered || (x->request->framing == H1_CHUNKED && proxy->http_minor == 0);
}

/* What passes as it comes is in no file, whatever client_body_in_file_only says. */
static bool is_for_file(const struct exchange *x) {
    return exchange_policy(x)->body.file_only != BODY_FILE_OFF && is_buffered(x);
}

/* Has all of a short body come with its head? */
static bool body_is_here(const struct exchange *x) {
    uint64_t len = x->request->content_length;
    return x->request->framing == H1_LENGTH && len <= x->front->in.view.len && len <= TEXT_MAX &&
           len <= memory_bytes(x);
}

bool exchange_body_begin(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    const struct proxy_policy *proxy = &policy->proxy;
    bool is_kept = x->is_body_first && x->up.is_done &&
                   x->request->framing != H1_NO_BODY; /* by an internal redirection's first route */
    x->is_body_withheld = proxy->has_body || !proxy->passes_request_body || x->is_body_dropped;
    if (x->is_body_dropped && !x->up.is_done)
        x->up.is_done = x->is_up_broken = true;
    x->up.framing = is_kept ? H1_LENGTH : x->request->framing;
    x->up_length = is_kept ? x->up.bytes : x->request->content_length;
    x->up.max_bytes = policy->client_max_body_bytes;
    bool is_read_first = is_buffered(x) || body_is_here(x);
    x->is_body_first = is_kept || x->is_body_withheld || (is_read_first && !x->up.is_done);
    x->body_text = x->short_body;
    if (!x->is_body_withheld)
        return true;
    x->up.framing = proxy->has_body ? H1_LENGTH : H1_NO_BODY; /* of a body that was dropped, nothing is said */
    x->body_text = template_eval_copy(x, &proxy->body);
    x->up_length = x->body_text.len;
    return x->body_text.ptr != NULL;
}

void exchange_body_end(struct exchange *x) {
    if (!x->body)
        return;
    if (x->body->name && exchange_policy(x)->body.file_only != BODY_FILE_ON)
        file_remove(x->body->name);
    spool_fini(x->body);
    x->body = NULL;
}

static bool spool_begin(struct exchange *x) {
    const struct body_policy *policy = &exchange_policy(x)->body;
    const struct spool_limits limits = {memory_bytes(x), UINT64_MAX, &policy->path, false};
    x->body = arena_alloc(&x->arena, sizeof *x->body);
    if (!x->body)
        return false;
    spool_init(x->body, &limits, &x->engine->counts.buffered_bytes);
    return true;
}

static enum why spool_why(struct exchange *x, int error) {
    if (error == -ENOMEM)
        return WHY_NO_MEMORY;
    if (error == -EMFILE || error == -ENFILE)
        return WHY_NO_DESCRIPTOR;
    x->error = error;
    return WHY_NO_DISK;
}

/* Is its file to have a name? Then it is made before memory runs out and the spool makes one without. */
static bool wants_name(const struct exchange *x) {
    return exchange_policy(x)->body.file_only != BODY_FILE_OFF ||
           (x->hold->snapshot->model->names_body_files && x->up.bytes > memory_bytes(x));
}

/* A piece of the body is kept. */
static enum why slice_keep(struct exchange *x, struct str slice) {
    passage_count(&x->up, slice);
    if (x->up.max_bytes && x->up.bytes > x->up.max_bytes)
        return WHY_BODY_TOO_LARGE;
    if (slice.len == 0)
        return WHY_NONE;
    if (!x->body && !spool_begin(x))
        return WHY_NO_MEMORY;
    int error = 0;
    if (x->body->file < 0 && wants_name(x))
        error = spool_open_named(x->body, &x->arena);
    struct iovec part = {(void *)(uintptr_t)slice.ptr, slice.len};
    if (!error)
        error = spool_add(x->body, &part, 1);
    return error ? spool_why(x, error) : WHY_NONE;
}

/* Takes from what the client has sent what belongs to the body. WHY_NONE: all is well so far. */
static enum why body_take(struct exchange *x) {
    struct str input = x->front->in.view;
    while (input.len && !x->up.is_done) {
        struct str slice = {"", 0};
        enum h1_slice_kind kind = H1_SLICE_DATA;
        enum codec_result result = h1_body_read(&x->up.body, &input, &slice, &kind);
        if (result == CODEC_BAD)
            return WHY_BAD_CHUNK;
        enum why why = kind == H1_SLICE_DATA ? slice_keep(x, slice) : WHY_NONE;
        if (why != WHY_NONE)
            return why;
        x->up.is_done = result == CODEC_DONE;
    }
    inbox_consume(&x->front->in, x->front->in.view.len - input.len);
    return WHY_NONE;
}

enum why exchange_body_drop(struct exchange *x) {
    if (x->parent || x->up.is_done || x->is_up_broken)
        return WHY_NONE;
    struct str input = x->front->in.view;
    enum codec_result result = CODEC_MORE;
    uint64_t max = x->is_body_dropped ? 0 : exchange_policy(x)->client_max_body_bytes;
    while (input.len && result == CODEC_MORE && !(max && x->up.bytes > max)) {
        struct str slice = {"", 0};
        enum h1_slice_kind kind = H1_SLICE_DATA;
        result = h1_body_read(&x->up.body, &input, &slice, &kind);
        if (kind == H1_SLICE_DATA)
            x->up.bytes += slice.len;
    }
    inbox_consume(&x->front->in, x->front->in.view.len - input.len);
    x->up.is_done = result == CODEC_DONE;
    if (result == CODEC_BAD || (max && x->up.bytes > max)) {
        x->is_up_broken = true;
        if (x->is_body_dropped) /* and the answer has been found */
            return WHY_NONE;
        return result == CODEC_BAD ? WHY_BAD_CHUNK : WHY_BODY_TOO_LARGE;
    }
    return WHY_NONE;
}

/* A short body that came with its head needs no spool: a copy in the arena goes with the head to the server. */
static bool body_take_short(struct exchange *x) {
    struct inbox *in = &x->front->in;
    uint64_t len = x->request->content_length;
    if (!body_is_here(x) || is_for_file(x))
        return false;
    struct str text = arena_copy(&x->arena, str_head(in->view, (size_t)len));
    if (!text.ptr)
        return false;
    x->short_body = text;
    if (!x->is_body_withheld)
        x->body_text = text;
    passage_count(&x->up, text);
    inbox_consume(in, (size_t)len);
    x->up.is_done = true;
    return true;
}

static enum exchange_state body_fail(struct exchange *x, enum why why) {
    x->is_up_broken = true;
    if (why == WHY_CLIENT_CLOSED || why == WHY_CLIENT_RESET)
        x->is_client_gone = true;
    return exchange_fail(x, why);
}

/* All of it is here. */
static enum exchange_state body_finish(struct exchange *x) {
    if (x->up.watched)
        affinity_watch(x, &x->up);
    if (!x->is_body_withheld) {
        x->up.framing = H1_LENGTH;
        x->up_length = x->up.bytes;
    }
    return pass_url_name(x);
}

enum exchange_state exchange_body(struct exchange *x) {
    if (x->is_stream)
        return stream_preread(x);
    struct front *front = x->front;
    if (exchange_continue(x) || exchange_flush(x, &front->out))
        return body_fail(x, WHY_CLIENT_RESET);
    if (x->up.bytes == 0 && body_take_short(x))
        return body_finish(x);
    for (int reads = 0; reads < READS_A_TURN; reads++) {
        enum why why = body_take(x);
        if (why != WHY_NONE)
            return body_fail(x, why);
        if (x->up.is_done)
            return body_finish(x);
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

int exchange_body_send(struct exchange *x) {
    uint64_t most = SEND_STEP;
    while (spool_left(x->body) && outbox_is_empty(&x->back.out) && x->back.duct->can_write) {
        if (most == 0) {
            exchange_yield(x);
            return 0;
        }
        ssize_t sent = spool_send(x->body, x->back.duct, most);
        if (sent == -EAGAIN)
            return 0;
        if (sent < 0)
            return (int)sent;
        most -= (uint64_t)sent;
        x->attempt->sent += (uint64_t)sent;
        exchange_progress(x);
    }
    return 0;
}
