#ifndef MAIN_WORKER_H
#define MAIN_WORKER_H

#include "loop/loop.h"
#include "proxy/engine.h"

#include <pthread.h>
#include <stdatomic.h>

/* A thread with its loop and engine. */
struct worker {
    struct loop loop;
    struct engine *engine; /* NULL once it has ended: letters that come then are returned unopened in effect */
    unsigned index;
    pthread_t thread;
    bool has_loop, is_running;
    struct letter stop, drain;
    bool is_drain_posted, is_stop_posted; /* the main thread's */
    atomic_bool is_drain_queued;          /* the letter is on its way */
    void (*drained)(void *context);       /* called on the loop */
    void *context;
};

/* Makes loop and engine; the engine has `snapshot` in force. 0 or negative errno; worker_fini either way. */
int worker_init(struct worker *worker, struct engine_setup *setup, struct snapshot *snapshot);
/* Starts the thread. 0 or negative errno. */
int worker_start(struct worker *worker);
/* Stops accepting and lets what is under way finish; `drained` is called when the last is gone. Once. */
void worker_drain(struct worker *worker, void (*drained)(void *context), void *context);
/* May be drained again; false while the letter of the last time is still on its way. */
bool worker_undrain(struct worker *worker);
/* Ends the thread and everything on it. */
void worker_stop(struct worker *worker);
/* Waits for the thread's end, and frees. */
void worker_fini(struct worker *worker);

#endif
