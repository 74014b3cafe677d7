#include "crowd.h"

/* Reading and judging answers. */

static bool payload_is_right(void *context, uint64_t position, struct str bytes) {
    struct answer *answer = context;
    if (!answer->is_text && !answer->is_own)
        return pattern_is(bytes, answer->ask->id, 1, position);
    for (size_t i = 0; i < bytes.len && answer->text_len < sizeof answer->text; i++)
        answer->text[answer->text_len++] = bytes.ptr[i];
    return true;
}

static void own_judge(const struct answer *answer) {
    const struct ask *ask = answer->ask;
    unsigned status = answer->head.status;
    if (ask->kind == ASK_MALFORMED && status < 400)
        world_fail("malformed request %u was answered with %u", ask->id, status);
    if (ask->kind == ASK_LOCAL && status != ask->plan.status && !ask_is_hurt(ask))
        world_fail("request %u (%s) has %u instead of %u from the engine", ask->id, ask->target, status,
                   ask->plan.status);
    /* proxy_next_upstream http_404 and its like: the next server is asked, and there may be none that is up. */
    bool may_be_sent_on = status == 502 && ask->plan.status >= 400;
    if ((ask->kind == ASK_PLAIN || ask->kind == ASK_UPGRADE) && !ask_is_hurt(ask) && !may_be_sent_on)
        world_fail("request %u, touched by no fault, was answered %u by the engine itself", ask->id, status);
    /* Whatever fails, a well-formed request is not malformed; only a session may be unknown. */
    bool is_blame =
        status == 400 || status == 405 || status == 414 || status == 431 || status == 501 || status == 505;
    if (is_blame && ask->kind != ASK_MALFORMED && !ask->session)
        world_fail("request %u (%s %s) is well-formed and was answered %u", ask->id, ask->method, ask->target,
                   status);
    if (status == 101)
        world_fail("request %u: a 101 that no backend has sent", ask->id);
}

static void head_judge(struct answer *answer, struct str mark) {
    struct ask *ask = answer->ask;
    uint64_t id = 0;
    if (plain_field(&answer->head, "x-secret").ptr)
        world_fail("request %u: a field that Connection names was passed on", ask->id);
    answer->is_own = mark.ptr == NULL;
    answer->is_text = plain_field(&answer->head, "x-body").ptr != NULL;
    if (answer->is_own) {
        own_judge(answer);
        return;
    }
    if (!str_to_u64(mark, &id) || id != ask->id)
        world_fail("request %u was given the answer to request %llu", ask->id, (unsigned long long)id);
    if (answer->head.status == 101 && !ask->is_accepted)
        world_fail("request %u: 101 without its backend's", ask->id);
    if (!ask->seen)
        world_fail("request %u was answered though no backend has seen it", ask->id);
}

static void whole_judge(const struct answer *answer) {
    struct ask *ask = answer->ask;
    ask->answered = answer->head.status;
    ledger.answers++;
    world_trace(TRACE_ANSWER, -1, ask->id, answer->head.status);
    if (answer->is_own)
        return;
    bool has_no_body =
        strcmp(ask->method, "HEAD") == 0 || answer->head.status == 204 || answer->head.status == 304;
    /* Where the end of the connection ends the body, a cut cannot be told from it. */
    bool is_cut =
        ask_is_hurt(ask) && (ask->plan.framing == ANSWER_CLOSE || answer->body.framing == PLAIN_UNTIL_CLOSE);
    /* But a reset is no end. */
    if (ask->plan.misdeed == MISDEED_RESET_MIDWAY && answer->body.framing == PLAIN_CHUNKED)
        is_cut = false;
    bool is_huge = ask->plan.misdeed == MISDEED_HUGE_HEAD;
    if (!has_no_body && !answer->is_text && !is_huge && answer->body.got != ask->plan.body_bytes && !is_cut)
        world_fail("request %u: %llu bytes of a body of %llu look whole", ask->id,
                   (unsigned long long)answer->body.got, (unsigned long long)ask->plan.body_bytes);
    if (!ask_is_hurt(ask) && !ask->session && answer->head.status != ask->plan.status)
        world_fail("request %u: status %u instead of %u", ask->id, answer->head.status, ask->plan.status);
    if (!ask_is_hurt(ask) && ask->session && ask->kind == ASK_PLAIN && ledger.is_affine &&
        answer->head.status != 200)
        world_fail("request %u with a live session got %u", ask->id, answer->head.status);
    ask->is_whole = true;
}

static enum answer_result head_read(struct answer *answer, struct wire *wire) {
    struct str bytes = wire_view(wire);
    switch (plain_answer_read(&answer->head, bytes)) {
    case PLAIN_MORE:
        return ANSWER_MORE;
    case PLAIN_BAD:
        world_fail("request %u: answer malformed (%s): %.*s", answer->ask->id, answer->head.reason,
                   (int)(bytes.len < 120 ? bytes.len : 120), bytes.ptr);
        return ANSWER_BROKEN;
    case PLAIN_DONE:
        break;
    }
    unsigned status = answer->head.status;
    struct str mark = plain_field(&answer->head, "x-answer");
    bool is_interim = status >= 100 && status < 200 && status != 101;
    if (!is_interim)
        head_judge(answer, mark);
    if (!plain_body_init(&answer->body, &answer->head, false, strcmp(answer->ask->method, "HEAD") == 0))
        world_fail("request %u: answer's framing: %s", answer->ask->id, answer->body.reason);
    answer->closes = plain_lists(&answer->head, "connection", "close") || answer->head.minor == 0 ||
                     answer->body.framing == PLAIN_UNTIL_CLOSE;
    wire_eat(wire, answer->head.len);
    answer->continues += status == 100;
    if (is_interim)
        return head_read(answer, wire);
    answer->has_head = true;
    return status == 101 ? ANSWER_SWITCHED : ANSWER_MORE;
}

static enum answer_result read_on(struct answer *answer, struct wire *wire) {
    if (!answer->has_head) {
        enum answer_result result = head_read(answer, wire);
        if (!answer->has_head || result == ANSWER_SWITCHED)
            return result;
    }
    struct str bytes = wire_view(wire);
    size_t before = bytes.len;
    enum plain_result result = plain_body_read(&answer->body, &bytes, payload_is_right, answer);
    wire_eat(wire, before - bytes.len);
    if (result == PLAIN_BAD) {
        world_fail("request %u: answer's body: %s, at byte %llu", answer->ask->id, answer->body.reason,
                   (unsigned long long)answer->body.got);
        return ANSWER_BROKEN;
    }
    bool is_ended = wire->has_end && answer->body.framing == PLAIN_UNTIL_CLOSE;
    if (result == PLAIN_MORE && !is_ended)
        return ANSWER_MORE;
    whole_judge(answer);
    return ANSWER_WHOLE;
}

enum answer_result answer_read(struct answer *answer, struct wire *wire, struct ask *ask) {
    answer->ask = ask;
    enum answer_result result = read_on(answer, wire);
    if (result == ANSWER_MORE && (wire->has_end || wire->is_broken || !wire->end)) {
        if (!ask_is_hurt(ask) && ask->kind != ASK_MALFORMED)
            world_fail("request %u (%s %s), touched by no fault, has no whole answer: the connection ended",
                       ask->id, ask->method, ask->target);
        return ANSWER_BROKEN;
    }
    return result;
}
