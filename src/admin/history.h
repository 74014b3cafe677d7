#ifndef ADMIN_HISTORY_H
#define ADMIN_HISTORY_H

#include "admin/census.h"

/* The last five minutes of each upstream, and of all of them: a sample every five seconds. One loop takes the
 * samples, all may read. And what has happened to the program as a whole. */

enum { HISTORY_SAMPLES = 60, HISTORY_STEP_MS = 5000 };

struct history;

/* What has happened within a step, and how it stood at its end. */
struct history_sample {
    uint32_t requests, failures, tunnels;
    uint64_t bytes;
};

/* What has happened to the program. Times are of the wall clock. */
struct history_facts {
    uint64_t started_ms, reloads_done, reloads_failed;
    uint64_t reload_ms;  /* the last attempt; before any, the start */
    bool is_reload_done; /* the last attempt took effect; before any, true */
};

struct history *history_new(void);
void history_free(struct history *history);
/* Takes a sample when the last is a step ago; otherwise does nothing. Called by one loop. */
void history_note(struct history *history, struct engine *engine);
/* The samples of an upstream by its key (empty: of all), oldest first; how many there are. */
size_t history_read(struct history *history, struct str key, struct history_sample samples[HISTORY_SAMPLES]);

/* A reload has taken effect, or was refused. Any thread, as the next. */
void history_note_reload(struct history *history, bool is_done);
struct history_facts history_facts(struct history *history);

#endif
