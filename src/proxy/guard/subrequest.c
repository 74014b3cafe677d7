#include "proxy/guard/subrequest.h"

#include "proxy/head/field.h"
#include "proxy/variable/rewrite.h"
#include "proxy/variable/variables.h"

#include <errno.h>

enum { BODY_MAX = 65536 };

/* ---- the asking ---- */

static bool slots_copy(struct arena *arena, struct exchange *to, const struct exchange *from) {
    size_t count = from->hold->snapshot->model->slots.count;
    if (!from->slots)
        return true;
    to->slots = arena_alloc(arena, count * sizeof *to->slots);
    if (to->slots)
        memcpy(to->slots, from->slots, count * sizeof *to->slots);
    return to->slots != NULL;
}

static bool ask(struct exchange *parent, struct str path) {
    struct exchange *x = exchange_new_inner(parent, path);
    if (!x)
        return false;
    parent->guarding->asking = x;
    parent->guarding->answer = 0;
    x->guarding = arena_zero(&x->arena, 1, sizeof *x->guarding);
    if (!x->guarding || !slots_copy(&x->arena, x, parent)) {
        exchange_abort(x, WHY_NO_MEMORY);
        return true; /* which came to an end, and is judged by it */
    }
    /* A request is counted once. */
    x->guarding->request_outcome = parent->guarding->request_outcome;
    x->guarding->connection_outcome = parent->guarding->connection_outcome;
    exchange_run(x);
    return true;
}

static enum guard_verdict answer_judge(struct exchange *x) {
    struct guarding *guarding = x->guarding;
    unsigned answer = guarding->answer;
    guarding->answer = 0;
    if (answer >= 200 && answer < 300)
        return GUARD_PASSES;
    guarding->status = answer;
    if (answer == 401 || answer == 403)
        return GUARD_REFUSES;
    exchange_log(x, LOG_ERROR, "auth request unexpected status: %u", answer);
    guarding->status = 500;
    return GUARD_REFUSES;
}

enum guard_verdict subrequest_check(struct exchange *x, const struct guard *guard) {
    struct guarding *guarding = x->guarding;
    if (guard->auth_path.len == 0)
        return GUARD_ASIDE;
    if (!guarding->asking && !guarding->answer && !ask(x, guard->auth_path)) {
        guarding->status = 500;
        return GUARD_REFUSES;
    }
    return guarding->asking ? GUARD_WAITS : answer_judge(x);
}

void subrequest_cancel(struct exchange *parent) {
    struct exchange *x = parent->guarding->asking;
    parent->guarding->asking = NULL;
    if (x)
        exchange_abort(x, parent->why == WHY_NONE ? WHY_CLIENT_CLOSED : parent->why);
}

/* ---- the answer ---- */

/* Reads what is there of the body. True: it is over, or not worth waiting for. */
static bool body_drop(struct exchange *x) {
    struct inbox *in = &x->back.in;
    struct str input = in->view;
    while (input.len && !x->down.is_done) {
        struct str slice = {"", 0};
        enum h1_slice_kind kind = H1_SLICE_DATA;
        enum codec_result result = h1_body_read(&x->down.body, &input, &slice, &kind);
        if (result == CODEC_BAD)
            return true;
        x->down.bytes += slice.len;
        x->down.is_done = result == CODEC_DONE;
    }
    inbox_consume(in, in->view.len - input.len);
    return x->down.is_done || x->down.bytes > BODY_MAX;
}

enum exchange_state subrequest_relay(struct exchange *x) {
    x->is_head_out = true; /* it has answered, whatever comes of the body */
    while (!body_drop(x)) {
        if (!x->back.duct->can_read)
            return STATE_RELAY;
        ssize_t got = inbox_fill(&x->back.in, x->back.duct, x->engine->back_scratch, LOOP_SCRATCH_BYTES,
                                 LOOP_SCRATCH_BYTES);
        if (got == -EAGAIN)
            return inbox_settle(&x->back.in) ? STATE_RELAY : STATE_DONE;
        if (got <= 0)
            return STATE_DONE;
        exchange_progress(x);
    }
    return STATE_DONE;
}

static struct str challenge_copy(struct exchange *parent, const struct h1_head *response) {
    size_t len = 0;
    for (unsigned i = 0; i < response->field_count; i++)
        len += response->fields[i].name_len + response->fields[i].value_len + 4u;
    char *memory = arena_alloc(&parent->arena, len);
    struct builder out = builder_make(memory, memory ? len : 0);
    for (unsigned i = 0; i < response->field_count; i++)
        if (str_eq_nocase(h1_field_name(response, &response->fields[i]), STR("WWW-Authenticate")))
            field_build(&out, h1_field_name(response, &response->fields[i]),
                        h1_field_value(response, &response->fields[i]));
    return builder_view(&out);
}

/* Variables are one set for both: what was set there holds here. */
static bool slots_take(struct exchange *parent, const struct exchange *x) {
    size_t count = x->slots ? x->hold->snapshot->model->slots.count : 0;
    for (size_t i = 0; i < count; i++) {
        struct str text = x->slots[i];
        if (text.len == 0
                ? !parent->slots || parent->slots[i].len == 0
                : parent->slots && parent->slots[i].ptr == text.ptr && parent->slots[i].len == text.len)
            continue;
        text = arena_copy(&parent->arena, text);
        if (!text.ptr || !exchange_set_slot(parent, (unsigned)i, text))
            return false;
    }
    return true;
}

static bool variables_set(struct exchange *parent, struct exchange *x) {
    const struct guard *guard = exchange_policy(parent)->guard;
    for (size_t i = 0; i < guard->auth_variables.count; i++) {
        const struct auth_variable *variable = &guard->auth_variables.items[i];
        struct builder out = builder_make(x->engine->stage, GATHER_STAGE_BYTES);
        template_eval(x, &variable->value, &out);
        struct str text = arena_copy(&parent->arena, builder_view(&out));
        if (!text.ptr || !rewrite_set(parent, &variable->target, text))
            return false;
    }
    return true;
}

bool subrequest_end(struct exchange *x) {
    struct exchange *parent = x->parent;
    struct guarding *guarding = parent->guarding;
    if (guarding->asking != x)
        return false;
    guarding->asking = NULL;
    unsigned status = x->answer_status ? x->answer_status : x->status;
    guarding->answer = status ? status : 500;
    if (guarding->answer == 401 && x->response)
        guarding->challenge = challenge_copy(parent, x->response);
    if (!slots_take(parent, x) || !variables_set(parent, x))
        guarding->answer = 500;
    return true;
}
