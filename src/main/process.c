#include "main/process.h"

#include "admin/history.h"
#include "admin/status.h"
#include "base/mem.h"
#include "main/boot.h"
#include "main/error_logs.h"
#include "main/pid_file.h"
#include "main/privileges.h"
#include "main/report.h"
#include "main/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SIDS_MAX = 4 << 20,
    HEAP_ARENAS_MAX = 8,
    HEAP_TRIM_BYTES = 256 << 10,
    HEAP_MMAP_BYTES = 128 << 10,
};

bool process_path_set(char to[PATH_MAX], struct str s) {
    if (s.len >= PATH_MAX)
        return false;
    memmove(to, s.ptr, s.len);
    to[s.len] = '\0';
    return true;
}

void process_nudge(struct process *process) {
    pthread_kill(process->main, SIGRTMIN);
}

/* Few arenas and a low trim threshold: what a burst took goes back to the system. */
static void heap_tune(unsigned loops) {
    mallopt(M_ARENA_MAX, loops < HEAP_ARENAS_MAX ? (int)loops : HEAP_ARENAS_MAX);
    mallopt(M_TRIM_THRESHOLD, HEAP_TRIM_BYTES);
    mallopt(M_MMAP_THRESHOLD, HEAP_MMAP_BYTES);
}

static bool say_failed(struct diagnostics *diagnostics, const char *what, struct str name, int error) {
    diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "%s \"%.*s\" failed (%d: %s)", what,
                    STR_ARG(name), -error, strerrordesc_np(-error));
    return false;
}

static bool say_starved(struct diagnostics *diagnostics) {
    diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "out of memory");
    return false;
}

static bool log_start(struct process *process, const struct model *model, struct diagnostics *diagnostics) {
    process->logs = error_logs_open(process->options, model, diagnostics);
    if (!process->logs)
        return false;
    process->log = process->logs->logs[0];
    process->logs_to_stderr = error_logs_have_stderr(process->options, model);
    return true;
}

/* What the loops share. */
static bool shared_make(struct process *process, struct model *model, struct diagnostics *diagnostics) {
    process->registry = registry_new(process->loops);
    process->sids = sid_table_new(SIDS_MAX, false);
    process->history = history_new();
    if (!process->registry || !process->sids || !process->history) {
        model_free(model);
        return say_starved(diagnostics);
    }
    process->snapshot = snapshot_new(model, process->registry, process->loops, diagnostics);
    return process->snapshot && !diagnostics->errors;
}

static bool worker_make(struct process *process, unsigned index, struct sockets *sockets,
                        struct diagnostics *diagnostics) {
    struct log log = process->log;
    log.id = index + 1;
    struct engine_setup setup = {.index = index,
                                 .loops = process->loops,
                                 .log = &log,
                                 .sids = process->sids,
                                 .registry = process->registry,
                                 .tallies = process->tallies,
                                 .tick = status_tick,
                                 .report = status_serve,
                                 .report_context = process->history,
                                 .descriptor_limit = process->descriptor_limit,
                                 .pid = (unsigned)getpid(),
                                 .hostname = process->hostname};
    struct worker *worker = &process->workers[index];
    int error = worker_init(worker, &setup, process->snapshot);
    for (size_t i = 0; !error && i < sockets->listens; i++)
        error = engine_listen(worker->engine, sockets_take(sockets, i, index), (unsigned)i);
    return !error || say_failed(diagnostics, "starting", STR("a loop"), error);
}

static bool workers_make(struct process *process, struct sockets *sockets, struct diagnostics *diagnostics) {
    process->workers = mem_zero(process->loops, sizeof *process->workers);
    process->tallies = mem_zero(process->loops, sizeof *process->tallies);
    if (!process->workers || !process->tallies)
        return say_starved(diagnostics);
    for (unsigned i = 0; i < process->loops; i++)
        if (!worker_make(process, i, sockets, diagnostics))
            return false;
    return true;
}

static bool workers_start(struct process *process, struct diagnostics *diagnostics) {
    process->main = pthread_self();
    for (unsigned i = 0; i < process->loops; i++) {
        int error = worker_start(&process->workers[i]);
        if (error)
            return say_failed(diagnostics, "starting", STR("a thread"), error);
        privileges_bind(process->snapshot->model, &process->log, i, process->workers[i].thread);
    }
    return true;
}

/* The process that was started ends here, and its child goes on without a terminal. */
static bool daemonise(struct process *process, struct diagnostics *diagnostics) {
    pid_t pid = fork();
    if (pid < 0)
        return say_failed(diagnostics, "fork()", STR("daemon"), -errno);
    if (pid > 0)
        _exit(EXIT_SUCCESS);
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return say_failed(diagnostics, "open()", STR("/dev/null"), -errno);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (!process->logs_to_stderr)
        dup2(null, STDERR_FILENO);
    close(null);
    return true;
}

static bool pid_write(struct process *process, struct diagnostics *diagnostics) {
    struct str path = process->snapshot->model->pid_path;
    if (!process_path_set(process->pid_path, path))
        return say_failed(diagnostics, "open()", path, -ENAMETOOLONG);
    int error = path.len ? pid_file_write(process->pid_path, getpid()) : 0;
    if (error)
        process->pid_path[0] = '\0';
    return !error || say_failed(diagnostics, "open()", path, error);
}

const struct log *process_log(const struct process *process) {
    return process->logs && !process->logs_to_stderr ? &process->log : NULL;
}

/* The model is used up. */
static bool parts_start(struct process *process, struct model *model, struct sockets *sockets,
                        struct report *report) {
    struct diagnostics *diagnostics = &report->diagnostics;
    bool is_daemon = model->is_daemon;
    if (!shared_make(process, model, diagnostics))
        return false;
    report_tell(report, SEVERITY_WARNING, process_log(process));
    if (is_daemon && !daemonise(process, diagnostics))
        return false;
    if (!workers_make(process, sockets, diagnostics) || !pid_write(process, diagnostics) ||
        !privileges_apply(process->snapshot->model, diagnostics))
        return false;
    snapshot_replace(NULL, process->snapshot);
    return workers_start(process, diagnostics);
}

bool process_start(struct process *process, struct report *report) {
    const struct options *options = process->options;
    struct diagnostics *diagnostics = &report->diagnostics;
    bool is_oneliner = options->url_count > 0;
    struct model *model = boot_read(options, diagnostics);
    struct sockets sockets = {0};
    if (!model)
        return diagnostics->errors ? false : say_starved(diagnostics);
    process->loops = boot_loops(model);
    heap_tune(process->loops);
    gethostname(process->hostname, sizeof process->hostname - 1);
    if (!diagnostics->errors)
        process->descriptor_limit = boot_descriptors(model, diagnostics);
    if (diagnostics->errors || !log_start(process, model, diagnostics) ||
        !sockets_open(&sockets, model, NULL, process->loops, is_oneliner, diagnostics)) {
        model_free(model);
        return false;
    }
    bool is_fine = parts_start(process, model, &sockets, report);
    sockets_close(&sockets);
    return is_fine;
}

/* ---- end ---- */

void process_end(struct process *process) {
    for (unsigned i = 0; process->workers && i < process->loops; i++)
        worker_stop(&process->workers[i]);
    for (unsigned i = 0; process->workers && i < process->loops; i++)
        worker_fini(&process->workers[i]);
    mem_free(process->workers);
    if (process->snapshot)
        sockets_unlink(process->snapshot->model, NULL);
    snapshot_drop(process->snapshot);
    sid_table_drop(process->sids);
    registry_free(process->registry);
    mem_free(process->tallies);
    history_free(process->history);
    if (process->pid_path[0])
        pid_file_remove(process->pid_path);
    error_logs_close(process->logs);
}
