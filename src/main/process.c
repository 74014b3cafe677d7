#include "main/process.h"

#include "admin/history.h"
#include "admin/status.h"

#include "base/mem.h"
#include "base/version.h"
#include "loop/clock.h"
#include "main/boot.h"
#include "main/error_logs.h"
#include "main/pid_file.h"
#include "main/privileges.h"
#include "main/reload.h"
#include "main/report.h"
#include "main/sockets.h"
#include "main/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    SIDS_MAX = 4 << 20,
    TIDY_S = 30,          /* how often the main thread looks for memory to give back */
    TIDY_BYTES = 4 << 20, /* free in the heap, and worth it */
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

/* ---- memory ---- */

/* Few arenas and a low trim threshold: what a burst took goes back to the system. */
static void heap_tune(unsigned loops) {
    mallopt(M_ARENA_MAX, loops < HEAP_ARENAS_MAX ? (int)loops : HEAP_ARENAS_MAX);
    mallopt(M_TRIM_THRESHOLD, HEAP_TRIM_BYTES);
    mallopt(M_MMAP_THRESHOLD, HEAP_MMAP_BYTES);
}

static void heap_tidy(struct process *process) {
    static size_t used_then;
    struct mallinfo2 heap = mallinfo2();
    bool is_asked = atomic_exchange(&process->is_untidy, false);
    if (!is_asked && (heap.fordblks < TIDY_BYTES || heap.uordblks == used_then))
        return;
    used_then = heap.uordblks;
    malloc_trim(0);
}

/* ---- start ---- */

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
    process->sids = sid_table_new(SIDS_MAX);
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

/* Where reports go besides the standard error; NULL: nowhere yet, or it is the same. */
static const struct log *process_log(const struct process *process) {
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

static bool process_start(struct process *process, struct report *report) {
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

/* ---- signals ---- */

static void drained(void *context) {
    struct process *process = context;
    if (atomic_fetch_sub(&process->undrained, 1) == 1)
        process_nudge(process);
}

static void process_close(struct process *process) {
    if (process->is_closed)
        return;
    process->is_closed = true;
    atomic_store(&process->undrained, process->loops);
    for (unsigned i = 0; i < process->loops; i++)
        worker_drain(&process->workers[i], drained, process);
}

static void on_quit(struct process *process) {
    if (process->is_draining) {
        process->is_over = true;
        return;
    }
    process->is_draining = true;
    uint64_t most_ms = process->snapshot->model->shutdown_timeout_ms;
    if (most_ms)
        process->drain_until_ms = clock_mono_ms() + most_ms;
    log_line(&process->log, LOG_NOTICE, "gracefully shutting down");
    process_close(process);
}

static void on_reload(struct process *process) {
    bool may = !process->is_draining;
    for (unsigned i = 0; may && process->is_closed && i < process->loops; i++)
        may = worker_undrain(&process->workers[i]);
    if (may)
        reload_run(process);
    else
        log_line(&process->log, LOG_WARN, "not reloading: hawser is shutting down");
}

static void on_reopen(struct process *process) {
    error_logs_reopen(process->logs);
    snapshot_reopen_logs(process->snapshot);
}

/* A terminal sends SIGWINCH when its window changes: only a process without one is meant by it. */
static void on_winch(struct process *process) {
    int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (terminal >= 0) {
        close(terminal);
        return;
    }
    log_line(&process->log, LOG_NOTICE, "no more connections are accepted, until a reload (SIGHUP)");
    process_close(process);
}

static void signal_take(struct process *process, int signal) {
    if (signal > 0 && signal != SIGRTMIN)
        log_line(&process->log, LOG_NOTICE, "signal %d (SIG%s) received", signal, sigabbrev_np(signal));
    switch (signal) {
    case SIGTERM:
    case SIGINT:
        process->is_over = true;
        break;
    case SIGQUIT:
        on_quit(process);
        break;
    case SIGHUP:
        on_reload(process);
        break;
    case SIGUSR1:
        on_reopen(process);
        break;
    case SIGUSR2:
        log_line(&process->log, LOG_WARN,
                 "SIGUSR2: a new binary cannot take over: end this process, then start it");
        break;
    case SIGWINCH:
        on_winch(process);
        break;
    default:
        break;
    }
    if (process->is_draining && atomic_load(&process->undrained) == 0)
        process->is_over = true;
}

static void signals_list(sigset_t *set) {
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(set, signals[i]);
    sigaddset(set, SIGRTMIN);
}

static uint64_t wait_ms(const struct process *process) {
    uint64_t most = TIDY_S * 1000, now = clock_mono_ms();
    if (process->drain_until_ms <= now)
        return 0;
    return process->drain_until_ms - now < most ? process->drain_until_ms - now : most;
}

static void signals_await(struct process *process, const sigset_t *set) {
    while (!process->is_over) {
        uint64_t wait = wait_ms(process);
        const struct timespec most = {(time_t)(wait / 1000), (long)(wait % 1000) * 1000000};
        signal_take(process, sigtimedwait(set, NULL, &most));
        if (clock_mono_ms() >= process->drain_until_ms)
            process->is_over = true;
        heap_tidy(process);
    }
}

/* ---- end ---- */

static void process_end(struct process *process) {
    for (unsigned i = 0; process->workers && i < process->loops; i++)
        worker_stop(&process->workers[i]);
    for (unsigned i = 0; process->workers && i < process->loops; i++)
        worker_fini(&process->workers[i]);
    mem_free(process->workers);
    if (process->snapshot)
        sockets_unlink(process->snapshot->model, NULL);
    snapshot_drop(process->snapshot);
    sid_table_free(process->sids);
    registry_free(process->registry);
    mem_free(process->tallies);
    history_free(process->history);
    if (process->pid_path[0])
        pid_file_remove(process->pid_path);
    error_logs_close(process->logs);
}

int process_run(const struct options *options) {
    struct process process = {.options = options, .drain_until_ms = UINT64_MAX};
    struct report report;
    sigset_t set;
    signals_list(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    report_init(&report, options);
    bool is_fine = process_start(&process, &report);
    report_tell(&report, SEVERITY_WARNING, process_log(&process));
    report_fini(&report);
    if (is_fine) {
        if (options->url_count)
            summary_print_short(stdout, process.snapshot->model);
        fflush(stdout);
        log_line(&process.log, LOG_NOTICE, "hawser/" VERSION " runs, loops: %u", process.loops);
        signals_await(&process, &set);
    }
    process_end(&process);
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- -s ---- */

static int signal_named(struct str name) {
    return str_eq(name, STR("stop"))     ? SIGTERM
           : str_eq(name, STR("quit"))   ? SIGQUIT
           : str_eq(name, STR("reload")) ? SIGHUP
                                         : SIGUSR1;
}

static bool signal_send(struct str pid_path, int signal) {
    char path[PATH_MAX];
    if (!process_path_set(path, pid_path))
        return false;
    if (!path[0]) {
        fputs("nginx: [error] the configuration names no pid file: add \"pid /run/hawser.pid;\", or use kill\n",
              stderr);
        return false;
    }
    pid_t pid = pid_file_read(path);
    if (pid == -EINVAL)
        fprintf(stderr, "nginx: [error] invalid PID number in \"%s\"\n", path);
    else if (pid < 0)
        fprintf(stderr, "nginx: [error] open() \"%s\" failed (%d: %s)\n  hawser does not seem to run\n", path,
                -pid, strerrordesc_np(-pid));
    else if (kill(pid, signal) < 0)
        fprintf(stderr, "nginx: [alert] kill(%d, %d) failed (%d: %s)\n", pid, signal, errno,
                strerrordesc_np(errno));
    else
        return true;
    return false;
}

int process_signal(const struct options *options) {
    struct report report;
    report_init(&report, options);
    struct model *model = boot_read(options, &report.diagnostics);
    bool is_fine = model && !report.diagnostics.errors;
    report_tell(&report, SEVERITY_ERROR, NULL);
    is_fine = is_fine && signal_send(model->pid_path, signal_named(options->signal));
    model_free(model);
    report_fini(&report);
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
