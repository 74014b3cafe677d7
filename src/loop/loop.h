#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/list.h"
#include "loop/poller.h"
#include "loop/timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* One thread's event loop. A turn: wait, take letters, deliver events, fire timers, run tasks, bury the dead.
 */

struct ev;
typedef void ev_ready(struct ev *ev, unsigned what); /* what: POLLER_* bits */

/* A descriptor's place in a loop, embedded in its owner. Registered once, both directions, edge-triggered.
 * Its memory stays valid until the turn in which loop_forget was called has ended: see loop_bury. */
struct ev {
    ev_ready *ready;
    int fd; /* -1 once forgotten: events still on their way are dropped */
};

/* Something to be done later in this turn or at its end; embedded in its owner. */
struct task;
typedef void task_run(struct task *task);
struct task {
    struct list node;
    task_run *run;
};

/* A message to a loop from any thread. The letter belongs to the loop once posted; `open` frees or returns it.
 */
struct letter;
typedef void letter_open(struct letter *letter);
struct letter {
    struct letter *next;
    letter_open *open;
};

enum { LOOP_SCRATCH_BYTES = 65536, LOOP_EVENTS = 256 };

struct loop {
    uint64_t now_ms, now_us; /* clock_mono_ms and clock_mono_us at the beginning of this turn */
    struct timer_wheel timers;
    struct poller *poller;
    struct list soon; /* tasks for this turn; what they add runs in the next */
    struct list dead; /* tasks that free, run last */
    _Atomic(struct letter *) letters;
    bool is_stopping;
    unsigned turns;
    char *scratch; /* LOOP_SCRATCH_BYTES; holds nothing across a call into somebody else's code */
    struct poller_event events[LOOP_EVENTS];
};

/* 0 or negative errno. The loop's memory is the caller's. */
int loop_init(struct loop *loop);
/* Nothing may be watched, armed or posted any more; letters still unread are opened. */
void loop_fini(struct loop *loop);
/* Runs turns until loop_stop. */
void loop_run(struct loop *loop);
/* One turn that waits at most max_wait_ms (-1: as long as the timers allow). For tests and the simulator. */
void loop_turn(struct loop *loop, int max_wait_ms);
void loop_stop(struct loop *loop);

/* Registers ev->fd for ev's whole life. 0 or negative errno (ENOMEM, ENOSPC: our own shortage). */
int loop_watch(struct loop *loop, struct ev *ev);
/* Ends all delivery to ev; the caller closes the descriptor, which takes it out of the poller. */
static inline void loop_forget(struct ev *ev) {
    ev->fd = -1;
}

/* Runs the task once, after this turn's events and timers (or in the next turn when called from a task). A
 * task that waits already must not be added again; to take it back, list_remove its node. */
void loop_soon(struct loop *loop, struct task *task);
/* Runs the task at the very end of this turn: for freeing what a callback up the stack or an event of this
 * turn may still name. */
void loop_bury(struct loop *loop, struct task *task);
/* Any thread. */
void loop_post(struct loop *loop, struct letter *letter);

static inline void loop_arm(struct loop *loop, struct timer *timer, uint64_t after_ms) {
    timer_arm(&loop->timers, timer, loop->now_ms + after_ms);
}

#endif
