#include "main/reload.h"

#include "admin/history.h"
#include "base/mem.h"
#include "main/boot.h"
#include "main/error_logs.h"
#include "main/pid_file.h"
#include "main/report.h"
#include "main/sockets.h"

#include <stdio.h>
#include <unistd.h>

struct change;

struct change_letter {
    struct letter letter;
    struct change *change;
    struct worker *worker;
};

/* One reload on its way through the loops; freed by the last of them. */
struct change {
    struct process *process;
    atomic_uint pending; /* loops that have not made it yet */
    struct snapshot *before, *after;
    struct log log;
    struct error_logs *old_logs, *logs; /* the old ones are closed when nobody writes to them any more */
    struct sockets sockets;
    bool opens_again; /* SIGWINCH had closed all */
    struct change_letter letters[];
};

static void sockets_hand_over(struct change *change, struct worker *worker) {
    for (size_t i = 0; i < change->sockets.listens; i++) {
        int fd = sockets_take(&change->sockets, i, worker->index);
        int error = fd < 0 ? 0 : engine_listen(worker->engine, fd, (unsigned)i);
        if (error)
            log_line(&change->log, LOG_ALERT, "loop %u cannot listen on %.*s: %s", worker->index,
                     STR_ARG(change->after->model->listens.items[i]->text), strerrordesc_np(-error));
    }
}

/* All loops have it. */
static void change_end(struct change *change) {
    struct process *process = change->process;
    snapshot_replace(change->before, change->after);
    sockets_unlink(change->before->model, change->after->model);
    snapshot_drop(change->before);
    snapshot_drop(change->after);
    error_logs_close(change->old_logs);
    sockets_close(&change->sockets);
    mem_free(change);
    atomic_store(&process->is_untidy, true);
    process_nudge(process);
}

static void change_open(struct letter *letter) {
    struct change_letter *own = LIST_OF(letter, struct change_letter, letter);
    struct change *change = own->change;
    struct worker *worker = own->worker;
    if (worker->engine) {
        if (change->opens_again)
            engine_undrain(worker->engine);
        worker->engine->log = change->log;
        worker->engine->log.id = worker->index + 1;
        if (engine_install(worker->engine, change->after))
            sockets_hand_over(change, worker);
        else
            log_line(&change->log, LOG_ALERT, "loop %u has no memory for the new configuration", worker->index);
    }
    if (atomic_fetch_sub(&change->pending, 1) == 1)
        change_end(change);
}

static struct change *change_new(struct process *process) {
    struct change *change = mem_zero(1, sizeof *change + process->loops * sizeof *change->letters);
    if (!change)
        return NULL;
    change->process = process;
    change->log = process->log;
    change->opens_again = process->is_closed;
    atomic_init(&change->pending, process->loops);
    for (unsigned i = 0; i < process->loops; i++)
        change->letters[i] = (struct change_letter){{NULL, change_open}, change, &process->workers[i]};
    return change;
}

static void threads_check(const struct process *process, const struct model *model,
                          struct diagnostics *diagnostics) {
    unsigned wanted = boot_loops(model);
    if (wanted != process->loops)
        diagnostics_add(
            diagnostics, SEVERITY_WARNING, (struct place){.line = 0},
            "\"worker_processes\" asks for %u threads, and %u serve: their number changes at the next "
            "start, all else that was read is in force",
            wanted, process->loops);
}

/* Everything that can fail. The model is used up. */
static bool change_prepare(struct change *change, struct model *model, struct diagnostics *diagnostics) {
    struct process *process = change->process;
    bool is_oneliner = process->options->url_count > 0;
    change->logs = error_logs_open(process->options, model, diagnostics);
    if (!change->logs ||
        !sockets_open(&change->sockets, model, change->opens_again ? NULL : process->snapshot->model,
                      process->loops, is_oneliner, diagnostics)) {
        model_free(model);
        return false;
    }
    boot_descriptors(model, diagnostics);
    threads_check(process, model, diagnostics);
    change->after = snapshot_new(model, process->registry, process->loops, diagnostics);
    if (!change->after || !snapshot_keep_zones(change->after, process->snapshot, diagnostics) ||
        diagnostics->errors)
        return false;
    snapshot_inherit(change->after, process->snapshot);
    return true;
}

static void change_abandon(struct change *change) {
    error_logs_close(change->logs);
    sockets_close(&change->sockets);
    snapshot_drop(change->after);
    mem_free(change);
}

static void pid_file_move(struct process *process, const struct model *model) {
    char path[PATH_MAX];
    if (str_eq(model->pid_path, str_of(process->pid_path)) || !process_path_set(path, model->pid_path))
        return;
    int error = path[0] ? pid_file_write(path, getpid()) : 0;
    if (error) {
        log_line(&process->log, LOG_ALERT, "open() \"%s\" failed (%d: %s)", path, -error,
                 strerrordesc_np(-error));
        return;
    }
    if (process->pid_path[0])
        unlink(process->pid_path);
    process_path_set(process->pid_path, str_of(path));
}

/* From here on nothing fails: the loops are told. */
static void change_post(struct change *change) {
    struct process *process = change->process;
    const struct model *model = change->after->model;
    change->before = process->snapshot;
    process->snapshot = change->after;
    process->is_closed = false;
    snapshot_take(change->after); /* one for the process, one for the change */
    change->old_logs = process->logs;
    process->logs = change->logs;
    process->log = change->log = change->logs->logs[0];
    process->logs_to_stderr = error_logs_have_stderr(process->options, model);
    pid_file_move(process, model);
    log_line(&process->log, LOG_NOTICE, "configuration reloaded");
    for (unsigned i = 0; i < process->loops; i++)
        loop_post(&process->workers[i].loop, &change->letters[i].letter);
}

void reload_run(struct process *process) {
    struct report report;
    report_init(&report, process->options);
    struct model *model = boot_read(process->options, &report.diagnostics);
    struct change *change = change_new(process);
    bool is_fine = model && change && !report.diagnostics.errors;
    if (is_fine)
        is_fine = change_prepare(change, model, &report.diagnostics);
    else
        model_free(model);
    report_log(&report, &process->log);
    history_note_reload(process->history, is_fine);
    if (is_fine) {
        change_post(change);
    } else {
        log_line(&process->log, LOG_ERROR, "configuration not reloaded: the old one stays in force");
        if (change)
            change_abandon(change);
    }
    report_fini(&report);
}
