#ifndef LOOP_TIMER_H
#define LOOP_TIMER_H

#include "base/list.h"

#include <stdint.h>

/* Deadlines on a hierarchical timing wheel of one loop: arming, moving and disarming are O(1). Moving a
 * deadline later, what every byte of traffic does, is one store: the timer is looked at again when its old
 * place in the wheel comes round. */

struct timer;
typedef void timer_fire(struct timer *timer);

struct timer {
    struct list node;
    uint64_t due_ms;    /* when it shall fire */
    uint64_t placed_ms; /* when its place in the wheel comes round; never later than due_ms while armed */
    timer_fire *fire;
};

enum { TIMER_LEVELS = 5, TIMER_SLOTS = 64 }; /* 64^5 ms: 12 days; later ones wait in the last level */

struct timer_wheel {
    struct list slots[TIMER_LEVELS][TIMER_SLOTS];
    uint64_t occupied[TIMER_LEVELS]; /* a bit a slot; may be set for a slot emptied since */
    uint64_t now_ms;                 /* all before this has fired */
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);
/* Fires all that is due up to now_ms. A timer is disarmed before its function runs, which may arm it
 * again, and may arm, move or disarm any other. */
void timer_wheel_run(struct timer_wheel *wheel, uint64_t now_ms);
/* Milliseconds until the wheel wants to be run again, at most `most`; 0 when something is due. */
int timer_wheel_wait(const struct timer_wheel *wheel, uint64_t now_ms, int most);

/* A timer that is not armed. It is embedded in its owner, who disarms it before it goes. */
static inline void timer_init(struct timer *timer, timer_fire *fire) {
    list_init(&timer->node);
    timer->due_ms = timer->placed_ms = 0;
    timer->fire = fire;
}

static inline bool timer_is_armed(const struct timer *timer) {
    return !list_is_empty(&timer->node);
}

void timer_place(struct timer_wheel *wheel, struct timer *timer);

/* Arms the timer for due_ms or moves it there. */
static inline void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t due_ms) {
    timer->due_ms = due_ms;
    if (!timer_is_armed(timer) || timer->placed_ms > due_ms)
        timer_place(wheel, timer);
}

static inline void timer_disarm(struct timer *timer) {
    list_remove(&timer->node);
}

#endif
