#include "proxy/queue.h"

enum { LOOK_MS = 20 }; /* how soon it is seen that another loop has let a server go */

static void look(struct engine *engine) {
    struct list all;
    list_init(&all);
    list_splice(&all, &engine->queue);
    for (struct list *node; (node = list_shift(&all));) {
        struct exchange *x = LIST_OF(node, struct exchange, queued);
        list_append(&engine->queue, node);
        exchange_run(x);
    }
    if (!list_is_empty(&engine->queue))
        loop_arm(engine->loop, &engine->queue_timer, LOOK_MS);
}

static void look_task(struct task *task) {
    look(LIST_OF(task, struct engine, queue_task));
}

static void look_timer(struct timer *timer) {
    look(LIST_OF(timer, struct engine, queue_timer));
}

void queue_init(struct engine *engine) {
    list_init(&engine->queue);
    engine->queue_task.run = look_task;
    list_init(&engine->queue_task.node);
    timer_init(&engine->queue_timer, look_timer);
}

void queue_fini(struct engine *engine) {
    list_remove(&engine->queue_task.node);
    timer_disarm(&engine->queue_timer);
}

void queue_stir(struct engine *engine) {
    if (!list_is_empty(&engine->queue) && list_is_empty(&engine->queue_task.node))
        loop_soon(engine->loop, &engine->queue_task);
}

bool queue_may_wait(struct exchange *x) {
    struct engine *engine = x->engine;
    uint64_t now_ms = engine->loop->now_ms, most = x->group->upstream->queue_max;
    if (!most || !group_is_full(x->group, &x->pick, now_ms))
        return false;
    if (!list_is_empty(&x->queued))
        return true;
    if (atomic_fetch_add_explicit(&x->group->queued, 1, memory_order_relaxed) >= most) {
        atomic_fetch_sub_explicit(&x->group->queued, 1, memory_order_relaxed);
        return false;
    }
    list_append(&engine->queue, &x->queued);
    x->queue_began_ms = now_ms - x->queued_ms; /* a second wait goes on where the first one ended */
    x->has_queued = true;
    if (!timer_is_armed(&engine->queue_timer))
        loop_arm(engine->loop, &engine->queue_timer, LOOK_MS);
    return true;
}

void queue_leave(struct exchange *x) {
    if (list_is_empty(&x->queued))
        return;
    list_remove(&x->queued);
    atomic_fetch_sub_explicit(&x->group->queued, 1, memory_order_relaxed);
    x->queued_ms = x->engine->loop->now_ms - x->queue_began_ms;
}

enum exchange_state exchange_queue(struct exchange *x) {
    return group_has_other(x->group, &x->pick, x->engine->loop->now_ms) ||
                   !group_is_full(x->group, &x->pick, x->engine->loop->now_ms)
               ? STATE_PICK
               : STATE_QUEUE;
}
