#include "proxy/flow/throttle.h"

#include "base/mem.h"

enum { CREDIT_US = 10000 }; /* being late by this much is made up for */

struct throttles *throttles_new(uint64_t up_rate, uint64_t down_rate, uint64_t now_ms, timer_fire *fire,
                                void *owner) {
    struct throttles *throttles = mem_alloc(sizeof *throttles);
    if (!throttles)
        return NULL;
    throttles->up = (struct throttle){.rate = up_rate, .due_us = now_ms * 1000};
    throttles->down = (struct throttle){.rate = down_rate, .due_us = now_ms * 1000};
    throttles->owner = owner;
    timer_init(&throttles->timer, fire);
    return throttles;
}

void throttles_free(struct throttles *throttles) {
    if (throttles)
        timer_disarm(&throttles->timer);
    mem_free(throttles);
}

size_t throttle_allow(struct throttle *throttle, uint64_t now_ms, size_t most) {
    throttle->is_waiting = throttle->rate && throttle->due_us > now_ms * 1000;
    if (throttle->is_waiting)
        return 0;
    return throttle->rate && throttle->rate < most ? (size_t)throttle->rate : most;
}

void throttle_spend(struct throttle *throttle, uint64_t now_ms, size_t bytes) {
    uint64_t earliest_us = now_ms * 1000 > CREDIT_US ? now_ms * 1000 - CREDIT_US : 0;
    if (throttle->rate == 0)
        return;
    if (throttle->due_us < earliest_us)
        throttle->due_us = earliest_us;
    throttle->due_us += (uint64_t)bytes * 1000000 / throttle->rate;
}

static uint64_t wait_ms(const struct throttle *throttle, uint64_t now_ms) {
    if (!throttle->is_waiting)
        return UINT64_MAX;
    return throttle->due_us > now_ms * 1000 ? (throttle->due_us - now_ms * 1000 + 999) / 1000 : 0;
}

uint64_t throttles_wait_ms(const struct throttles *throttles, uint64_t now_ms) {
    uint64_t up_ms = wait_ms(&throttles->up, now_ms), down_ms = wait_ms(&throttles->down, now_ms);
    return up_ms < down_ms ? up_ms : down_ms;
}
