#include "loop/timer.h"

/* A slot of level L is 64^L ms wide. A timer stands on the level of the highest 6-bit digit in which its time
 * differs from the wheel's, so that below the last level each occupied slot lies ahead within its lap, and
 * whatever stands on a lower level comes before all that stands higher. The last level is a ring: it holds up
 * to 63 slots ahead, and what is later still waits in the farthest and is placed again from there. */

enum { DIGIT_BITS = 6, DIGIT_MASK = TIMER_SLOTS - 1, LAST = TIMER_LEVELS - 1 };

#define TIMER_NEVER UINT64_MAX

static unsigned shift_of(unsigned level) {
    return level * DIGIT_BITS;
}

static unsigned digit(uint64_t time, unsigned level) {
    return (unsigned)(time >> shift_of(level)) & DIGIT_MASK;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms) {
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
        wheel->occupied[level] = 0;
    }
    wheel->now_ms = now_ms;
}

void timer_place(struct timer_wheel *wheel, struct timer *timer) {
    uint64_t now = wheel->now_ms;
    uint64_t time = timer->due_ms > now ? timer->due_ms : now;
    uint64_t differing = time ^ now;
    unsigned level = differing ? (63u - (unsigned)__builtin_clzll(differing)) / DIGIT_BITS : 0;
    if (level >= LAST) {
        uint64_t farthest = (now >> shift_of(LAST)) + TIMER_SLOTS - 1;
        level = LAST;
        if (time >> shift_of(LAST) > farthest)
            time = farthest << shift_of(LAST);
    }
    uint64_t round = time >> shift_of(level) << shift_of(level);
    unsigned slot = digit(time, level);
    timer->placed_ms = round < timer->due_ms ? round : timer->due_ms;
    list_remove(&timer->node);
    list_append(&wheel->slots[level][slot], &timer->node);
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

/* When the next occupied slot comes round, or TIMER_NEVER. */
static uint64_t next_round(const struct timer_wheel *wheel) {
    for (unsigned level = 0; level < LAST; level++) {
        if (wheel->occupied[level]) {
            uint64_t lap = wheel->now_ms >> shift_of(level + 1) << shift_of(level + 1);
            return lap + ((uint64_t)__builtin_ctzll(wheel->occupied[level]) << shift_of(level));
        }
    }
    uint64_t ring = wheel->occupied[LAST];
    if (!ring)
        return TIMER_NEVER;
    unsigned at = digit(wheel->now_ms, LAST);
    if (at)
        ring = ring >> at | ring << (TIMER_SLOTS - at);
    return ((wheel->now_ms >> shift_of(LAST)) + (uint64_t)__builtin_ctzll(ring)) << shift_of(LAST);
}

static void slot_take(struct timer_wheel *wheel, unsigned level, unsigned slot, struct list *taken) {
    list_init(taken);
    list_splice(taken, &wheel->slots[level][slot]);
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
}

/* Moves the wheel's time, with no occupied slot between, and spreads the slots that begin there over the levels
 * below. */
static void advance(struct timer_wheel *wheel, uint64_t now) {
    struct list taken, *node;
    wheel->now_ms = now;
    if (now & DIGIT_MASK)
        return;
    for (unsigned level = LAST; level > 0; level--) {
        unsigned slot = digit(now, level);
        if (!(wheel->occupied[level] >> slot & 1))
            continue;
        slot_take(wheel, level, slot, &taken);
        while ((node = list_shift(&taken)))
            timer_place(wheel, LIST_OF(node, struct timer, node));
    }
}

static void fire_all(struct timer_wheel *wheel, struct list *due, uint64_t now) {
    struct list *node;
    while ((node = list_shift(due))) {
        struct timer *timer = LIST_OF(node, struct timer, node);
        if (timer->due_ms > now) /* moved later since it was placed */
            timer_place(wheel, timer);
        else
            timer->fire(timer);
    }
}

void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ms) {
    uint64_t round;
    struct list due;
    while ((round = next_round(wheel)) <= now_ms) {
        advance(wheel, round);
        slot_take(wheel, 0, digit(round, 0), &due);
        /* What is armed while these fire, for a time that is over, goes where the wheel still comes by: one
         * further on in this run, or, from the last millisecond, to the next run. */
        if (round < now_ms)
            advance(wheel, round + 1);
        fire_all(wheel, &due, round);
        if (round == now_ms)
            return;
    }
    if (wheel->now_ms < now_ms)
        wheel->now_ms = now_ms;
}

int timer_wheel_wait(const struct timer_wheel *wheel, uint64_t now_ms, int most) {
    uint64_t round = next_round(wheel);
    if (round <= now_ms)
        return 0;
    return round - now_ms < (uint64_t)most ? (int)(round - now_ms) : most;
}
