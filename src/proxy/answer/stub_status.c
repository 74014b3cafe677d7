#include "proxy/answer/stub_status.h"

#include "proxy/answer/local.h"

enum { TEXT_MAX_BYTES = 300 };

static void text_build(const struct exchange *x, struct builder *out) {
    struct tally_sums sums = tally_sum(x->engine->tallies, x->engine->loops);
    builder_format(out, "Active connections: %llu \nserver accepts handled requests\n",
                   (unsigned long long)sums.active);
    builder_format(out, " %llu %llu %llu \n", (unsigned long long)sums.accepted,
                   (unsigned long long)sums.handled, (unsigned long long)sums.requests);
    builder_format(out, "Reading: %llu Writing: %llu Waiting: %llu \n", (unsigned long long)sums.reading,
                   (unsigned long long)sums.writing, (unsigned long long)sums.waiting);
}

enum exchange_state stub_status_serve(struct exchange *x) {
    char *memory = arena_alloc(&x->arena, TEXT_MAX_BYTES);
    struct builder out = builder_make(memory, memory ? TEXT_MAX_BYTES : 0);
    if (x->method != H1_GET && x->method != H1_HEAD) {
        local_prepare_status(x, 405);
        return STATE_ANSWER;
    }
    text_build(x, &out);
    x->local.status = 200;
    x->local.content_type = STR("text/plain");
    x->local.body = builder_view(&out);
    if (out.overflow)
        x->why = WHY_NO_MEMORY;
    return STATE_ANSWER;
}
