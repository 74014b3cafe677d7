#include "proxy/flow/passage.h"

#include "proxy/affinity.h"
#include "proxy/answer/addition.h"
#include "proxy/answer/partial.h"

#include <errno.h>

enum { READS_A_TURN = 16 };

void passage_count(struct passage *passage, struct str slice) {
    passage->bytes += slice.len;
    if (!passage->watched)
        return;
    size_t room = WATCH_MAX - passage->watched_len;
    size_t kept = slice.len < room ? slice.len : room;
    memcpy(passage->watched + passage->watched_len, slice.ptr, kept);
    passage->watched_len += (uint32_t)kept;
}

static void data_pass(struct passage *passage, struct gather *g, struct str slice) {
    char head[H1_CHUNK_HEAD_MAX];
    if (passage->partial)
        slice = partial_take(passage->partial, slice);
    if (slice.len == 0)
        return;
    if (passage->framing == H1_CHUNKED) {
        size_t len = h1_chunk_head(head, slice.len);
        gather_add(g, str_make(head, len));
        gather_add(g, slice);
        gather_add(g, STR("\r\n"));
        passage->overhead += len + 2;
    } else if (passage->framing != H1_NO_BODY) {
        gather_add(g, slice);
    }
    passage_count(passage, slice);
}

/* Keeps trailer lines until they are whole. False without memory. */
static bool trailer_keep(struct exchange *x, struct passage *passage, struct str slice) {
    if (passage->framing != H1_CHUNKED || passage->drops_trailers)
        return true;
    if (!passage->trailer)
        passage->trailer = arena_alloc(&x->arena, H1_TRAILER_MAX);
    if (!passage->trailer || slice.len > H1_TRAILER_MAX - passage->trailer_len)
        return false;
    memcpy(passage->trailer + passage->trailer_len, slice.ptr, slice.len);
    passage->trailer_len += (uint32_t)slice.len;
    return true;
}

/* Fields that frame, route or authorise have no place in a trailer (RFC 9110 6.5.1): of those, none that we
 * know by name. */
static void trailers_pass(const struct passage *passage, struct gather *g) {
    struct str rest = str_make(passage->trailer, passage->trailer_len);
    for (struct str line; str_split(&rest, '\n', &line);) {
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NONE || h1_field_find(str_head(line, colon)) != H1_OTHER)
            continue;
        gather_add(g, line);
        gather_add(g, STR("\n"));
    }
}

void passage_end(struct exchange *x, struct passage *passage, struct gather *g) {
    passage->is_done = true;
    if (passage->framing != H1_CHUNKED)
        return;
    size_t before = g->bytes;
    gather_add(g, STR("0\r\n"));
    if (passage->trailer)
        trailers_pass(passage, g);
    size_t staged = g->stage.len;
    if (passage == &x->down)
        addition_build_trailers(x, &g->stage, x->status);
    passage->overhead += g->stage.len - staged;
    gather_add(g, STR("\r\n"));
    passage->overhead += g->bytes - before;
}

/* Takes from *input what belongs to the body. WAIT: all is well so far. */
static enum passage_verdict body_pass(struct exchange *x, struct passage *passage, struct gather *g,
                                      struct str *input) {
    while (input->len && !passage->is_done) {
        struct str slice = {"", 0};
        enum h1_slice_kind kind = H1_SLICE_DATA;
        enum codec_result result = h1_body_read(&passage->body, input, &slice, &kind);
        if (result == CODEC_BAD)
            return PASSAGE_BAD;
        if (slice.len && kind == H1_SLICE_DATA)
            data_pass(passage, g, slice);
        else if (slice.len && !trailer_keep(x, passage, slice))
            return PASSAGE_NO_MEMORY;
        if (result == CODEC_DONE)
            passage_end(x, passage, g);
    }
    return PASSAGE_WAIT;
}

static enum passage_verdict source_read(struct passage *passage, struct inbox *in, struct duct *from,
                                        char *scratch) {
    size_t most = passage->is_limited ? (size_t)passage->read_most : LOOP_SCRATCH_BYTES;
    if (!from->can_read || most == 0)
        return PASSAGE_WAIT;
    ssize_t got = inbox_fill(in, from, scratch, most, LOOP_SCRATCH_BYTES);
    if (got > 0) {
        passage->read_most -= passage->is_limited ? (uint64_t)got : 0;
        return PASSAGE_YIELD;
    }
    if (got == -EAGAIN)
        return PASSAGE_WAIT;
    if (got == -ENOMEM)
        return PASSAGE_NO_MEMORY;
    if (got == 0 && h1_body_end(&passage->body))
        return PASSAGE_DONE;
    return got == 0 ? PASSAGE_ENDED : PASSAGE_BROKEN_SOURCE;
}

/* Encodes what `in` holds and sends it. */
static enum passage_verdict input_pass(struct exchange *x, struct passage *passage, struct inbox *in,
                                       struct gather *g) {
    struct str input = in->view;
    enum passage_verdict verdict = body_pass(x, passage, g, &input);
    if (verdict != PASSAGE_WAIT)
        return verdict;
    if (passage->max_bytes && passage->bytes > passage->max_bytes)
        return PASSAGE_LARGE;
    if (passage->watched)
        affinity_watch(x, passage); /* before its bytes leave: the next request may be quicker than we are */
    int error = gather_send(g);
    if (error) {
        x->error = error;
        return error == -ENOMEM ? PASSAGE_NO_MEMORY : g->is_spool_error ? PASSAGE_NO_DISK : PASSAGE_BROKEN_SINK;
    }
    if (g->bytes)
        exchange_progress(x);
    inbox_consume(in, in->view.len - input.len);
    return passage->is_done ? PASSAGE_DONE : PASSAGE_WAIT;
}

enum passage_verdict passage_move(struct exchange *x, struct passage *passage, struct inbox *in,
                                  struct duct *from, char *scratch, struct gather *g) {
    for (int reads = 0; reads < READS_A_TURN; reads++) {
        enum passage_verdict verdict = input_pass(x, passage, in, g);
        if (verdict != PASSAGE_WAIT || gather_is_full(g))
            return verdict;
        gather_renew(g);
        verdict = source_read(passage, in, from, scratch);
        if (verdict == PASSAGE_DONE) {
            passage_end(x, passage, g);
            return input_pass(x, passage, in, g);
        }
        if (verdict != PASSAGE_YIELD)
            return verdict;
    }
    return PASSAGE_YIELD;
}

enum why passage_why(struct exchange *x, enum passage_verdict verdict, const enum why whys[PASSAGE_VERDICTS]) {
    enum why why = whys[verdict];
    if (verdict == PASSAGE_YIELD)
        exchange_yield(x);
    if (why == WHY_CLIENT_CLOSED || why == WHY_CLIENT_RESET)
        x->is_client_gone = true;
    return why;
}
