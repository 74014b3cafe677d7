#include "loop/loop.h"

#include "base/mem.h"
#include "loop/clock.h"

#include <errno.h>
#include <limits.h>

static void now_take(struct loop *loop) {
    loop->now_us = clock_mono_us();
    loop->now_ms = loop->now_us / 1000;
}

int loop_init(struct loop *loop) {
    int error = -ENOMEM;
    *loop = (struct loop){.is_stopping = false};
    now_take(loop);
    list_init(&loop->soon);
    list_init(&loop->dead);
    atomic_init(&loop->letters, NULL);
    timer_wheel_init(&loop->timers, loop->now_ms);
    loop->scratch = mem_aligned(64, LOOP_SCRATCH_BYTES);
    if (loop->scratch)
        loop->poller = poller_open(&error);
    if (loop->poller)
        return 0;
    mem_free(loop->scratch);
    loop->scratch = NULL;
    return error;
}

/* Letters are pushed on top of each other; they are opened in the order in which they were posted. */
static void letters_open(struct loop *loop) {
    if (!atomic_load_explicit(&loop->letters, memory_order_relaxed))
        return;
    struct letter *newest = atomic_exchange_explicit(&loop->letters, NULL, memory_order_acquire);
    struct letter *oldest = NULL;
    while (newest) {
        struct letter *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    while (oldest) {
        struct letter *letter = oldest;
        oldest = letter->next;
        letter->open(letter);
    }
}

static void tasks_run(struct list *tasks) {
    struct list now, *node;
    list_init(&now);
    list_splice(&now, tasks);
    while ((node = list_shift(&now))) {
        struct task *task = LIST_OF(node, struct task, node);
        task->run(task);
    }
}

static void dead_bury(struct loop *loop) {
    while (!list_is_empty(&loop->dead))
        tasks_run(&loop->dead);
}

void loop_fini(struct loop *loop) {
    letters_open(loop);
    dead_bury(loop);
    poller_close(loop->poller);
    mem_free(loop->scratch);
    loop->poller = NULL;
    loop->scratch = NULL;
}

static int wait_ms(const struct loop *loop, int max_wait_ms) {
    if (!list_is_empty(&loop->soon))
        return 0;
    int wait = timer_wheel_wait(&loop->timers, loop->now_ms, max_wait_ms < 0 ? INT_MAX : max_wait_ms);
    return wait == INT_MAX ? -1 : wait;
}

void loop_turn(struct loop *loop, int max_wait_ms) {
    int count = poller_wait(loop->poller, loop->events, LOOP_EVENTS, wait_ms(loop, max_wait_ms));
    now_take(loop);
    loop->turns++;
    letters_open(loop);
    for (int i = 0; i < count; i++) {
        struct ev *ev = loop->events[i].tag;
        if (ev->fd >= 0)
            ev->ready(ev, loop->events[i].what);
    }
    timer_wheel_run(&loop->timers, loop->now_ms);
    tasks_run(&loop->soon);
    dead_bury(loop);
}

void loop_run(struct loop *loop) {
    while (!loop->is_stopping)
        loop_turn(loop, -1);
}

void loop_stop(struct loop *loop) {
    loop->is_stopping = true;
}

int loop_watch(struct loop *loop, struct ev *ev) {
    return poller_add(loop->poller, ev->fd, ev);
}

void loop_soon(struct loop *loop, struct task *task) {
    list_append(&loop->soon, &task->node);
}

void loop_bury(struct loop *loop, struct task *task) {
    list_append(&loop->dead, &task->node);
}

void loop_post(struct loop *loop, struct letter *letter) {
    struct letter *top = atomic_load_explicit(&loop->letters, memory_order_relaxed);
    do
        letter->next = top;
    while (!atomic_compare_exchange_weak_explicit(&loop->letters, &top, letter, memory_order_release,
                                                  memory_order_relaxed));
    if (!top)
        poller_wake(loop->poller);
}
