#include "main/serve.h"

#include "base/version.h"
#include "loop/clock.h"
#include "main/boot.h"
#include "main/error_logs.h"
#include "main/pid_file.h"
#include "main/process.h"
#include "main/reload.h"
#include "main/report.h"
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
    TIDY_S = 30,          /* how often the main thread looks for memory to give back */
    TIDY_BYTES = 4 << 20, /* free in the heap, and worth it */
};

static void heap_tidy(struct process *process) {
    static size_t used_then;
    struct mallinfo2 heap = mallinfo2();
    bool is_asked = atomic_exchange(&process->is_untidy, false);
    if (!is_asked && (heap.fordblks < TIDY_BYTES || heap.uordblks == used_then))
        return;
    used_then = heap.uordblks;
    malloc_trim(0);
}

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

int serve_run(const struct options *options) {
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

int serve_signal(const struct options *options) {
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
