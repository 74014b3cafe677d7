#ifndef MAIN_PROCESS_H
#define MAIN_PROCESS_H

#include "main/options.h"
#include "main/worker.h"

#include <limits.h>
#include <stdatomic.h>

struct report;

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

/* Reads the configuration and starts all that it asks for. False: something cannot be, which is said in the
 * report; process_end is due in any case. */
bool process_start(struct process *process, struct report *report);
/* Stops the loops and gives everything back. */
void process_end(struct process *process);

/* Where reports go besides the standard error; NULL: nowhere yet, or it is the same. */
const struct log *process_log(const struct process *process);
/* Wakes the main thread, which then looks at what has changed. Any thread. */
void process_nudge(struct process *process);
/* A NUL-terminated copy of s; false when it is too long. */
bool process_path_set(char to[PATH_MAX], struct str s);

#endif
