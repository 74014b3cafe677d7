#include "proxy/flow/pace.h"

#include "base/size.h"
#include "proxy/attempt.h"
#include "proxy/variable/variables.h"

enum { PAUSE_MS = 100 };
static const uint64_t RATE_MAX = UINT64_C(1) << 52;

/* "500", "10k", "1m"; anything else is no limit, and so is what no line can carry. */
static uint64_t rate_read(struct str text) {
    uint64_t bytes;
    return size_parse(text, false, &bytes) && bytes <= RATE_MAX ? bytes : 0;
}

uint64_t pace_eval(struct exchange *x, const struct template *rate) {
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    if (template_is_empty(rate))
        return 0;
    template_eval(x, rate, &out);
    return rate_read(builder_view(&out));
}

void pace_set(struct exchange *x, struct str text) {
    x->rate = rate_read(text);
    x->is_rate_set = true;
}

void pace_begin(struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    if (!x->is_rate_set)
        x->rate = pace_eval(x, &policy->limit_rate);
    if (x->rate)
        x->rate_after = pace_eval(x, &policy->limit_rate_after);
}

/* What a rate has allowed since `began_ms` of which `spent` are used; the first second's is there at once.
 * Nothing: the exchange runs again when there is something, and in steps that are worth it. */
static uint64_t allow(struct exchange *x, uint64_t rate, uint64_t began_ms, uint64_t more, uint64_t spent,
                      uint64_t most) {
    uint64_t elapsed_ms = x->engine->loop->now_ms - began_ms;
    uint64_t allowed = rate * (elapsed_ms / 1000 + 1) + rate * (elapsed_ms % 1000) / 1000 + more;
    if (allowed > spent)
        return allowed - spent < most ? allowed - spent : most;
    uint64_t wanted = rate * PAUSE_MS / 1000;
    if (wanted > most || wanted == 0)
        wanted = most < 1 || wanted == 0 ? 1 : most;
    uint64_t wait_ms = (spent - allowed + wanted) * 1000 / rate + 1;
    timer_disarm(&x->pace);
    loop_arm(x->engine->loop, &x->pace, wait_ms);
    return 0;
}

uint64_t pace_allow(struct exchange *x, uint64_t most) {
    if (x->rate == 0 || most == 0)
        return most;
    return allow(x, x->rate, x->started_ms, x->rate_after, x->paced_bytes, most);
}

void pace_limit_read(struct exchange *x) {
    const struct template *rate = &exchange_policy(x)->proxy.limit_rate;
    if (template_is_empty(rate) || !x->is_buffered)
        return;
    uint64_t bytes = pace_eval(x, rate);
    if (bytes == 0)
        return;
    x->down.is_limited = true;
    x->down.read_most = allow(x, bytes, x->attempt->began_ms + (uint64_t)x->attempt->header_ms, 0,
                              x->down.bytes, LOOP_SCRATCH_BYTES);
}
