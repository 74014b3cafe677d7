#include "main/worker.h"

#include <errno.h>

static struct worker *worker_of_stop(struct letter *letter) {
    return LIST_OF(letter, struct worker, stop);
}

static void stop_open(struct letter *letter) {
    loop_stop(&worker_of_stop(letter)->loop);
}

static void drain_open(struct letter *letter) {
    struct worker *worker = LIST_OF(letter, struct worker, drain);
    atomic_store(&worker->is_drain_queued, false);
    if (worker->engine)
        engine_drain(worker->engine, worker->drained, worker->context);
}

int worker_init(struct worker *worker, struct engine_setup *setup, struct snapshot *snapshot) {
    int error = loop_init(&worker->loop);
    if (error)
        return error;
    worker->has_loop = true;
    worker->index = setup->index;
    worker->stop.open = stop_open;
    worker->drain.open = drain_open;
    setup->loop = &worker->loop;
    worker->engine = engine_new(setup);
    return worker->engine && engine_install(worker->engine, snapshot) ? 0 : -ENOMEM;
}

static void engine_end(struct worker *worker) {
    struct engine *engine = worker->engine;
    worker->engine = NULL; /* for letters that are opened from now on */
    if (engine)
        engine_free(engine);
}

static void *run(void *context) {
    struct worker *worker = context;
    loop_run(&worker->loop);
    engine_end(worker);
    return NULL;
}

int worker_start(struct worker *worker) {
    int error = pthread_create(&worker->thread, NULL, run, worker);
    worker->is_running = error == 0;
    return -error;
}

void worker_drain(struct worker *worker, void (*drained)(void *context), void *context) {
    if (worker->is_drain_posted)
        return;
    worker->is_drain_posted = true;
    atomic_store(&worker->is_drain_queued, true);
    worker->drained = drained;
    worker->context = context;
    loop_post(&worker->loop, &worker->drain);
}

bool worker_undrain(struct worker *worker) {
    if (atomic_load(&worker->is_drain_queued))
        return false;
    worker->is_drain_posted = false;
    return true;
}

void worker_stop(struct worker *worker) {
    if (!worker->is_running || worker->is_stop_posted)
        return;
    worker->is_stop_posted = true;
    loop_post(&worker->loop, &worker->stop);
}

void worker_fini(struct worker *worker) {
    if (worker->is_running)
        pthread_join(worker->thread, NULL);
    else
        engine_end(worker);
    worker->is_running = false;
    /* Only now: whoever posted the last letter may have been at the loop until here. */
    if (worker->has_loop)
        loop_fini(&worker->loop);
    worker->has_loop = false;
}
