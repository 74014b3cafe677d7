#ifndef MAIN_PROCESS_H
#define MAIN_PROCESS_H

#include "main/options.h"
#include "main/worker.h"

#include <limits.h>
#include <stdatomic.h>

/* The running hawser: its threads and what they share. The main thread's, but for what is marked. */
struct process {
    const struct options *options;
    struct error_logs *logs;
    struct log log; /* the head of their chain */
    bool logs_to_stderr;
    struct registry *registry;
    struct history *history; /* the last minutes, for the status page */
    struct tally *tallies;   /* one a loop */
    struct sid_table *sids;
    struct snapshot *snapshot; /* in force; a reference is held */
    struct worker *workers;
    unsigned loops;
    int descriptor_limit;
    char pid_path[PATH_MAX]; /* empty: none was written */
    char hostname[HOST_NAME_MAX + 1];
    pthread_t main;
    atomic_uint undrained; /* loops with something still under way, while draining; any thread */
    atomic_bool is_untidy; /* a reload has freed much: memory goes back to the system; any thread */
    bool is_draining, is_closed, is_over;
    uint64_t drain_until_ms; /* clock_mono_ms at which a graceful end waits no longer; UINT64_MAX: it waits */
};

/* Serves until a signal ends it. The exit code. */
int process_run(const struct options *options);
/* -s: finds the running hawser by its pid file and sends it the signal. The exit code. */
int process_signal(const struct options *options);

/* Wakes the main thread, which then looks at what has changed. Any thread. */
void process_nudge(struct process *process);
/* A NUL-terminated copy of s; false when it is too long. */
bool process_path_set(char to[PATH_MAX], struct str s);

#endif
