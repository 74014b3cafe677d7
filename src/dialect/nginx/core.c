#include "dialect/nginx/http.h"
#include "dialect/nginx/set.h"

/* The top of the file: processes, files of their own, events. */

static void workers_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    uint64_t value;
    const struct word *at = &node->words[1];
    struct model *model = scope->reader->model;
    if (str_eq(at->text, STR("auto"))) {
        model->loops = 0;
    } else if (str_to_u64(at->text, &value) && value >= 1 && value <= 1024) {
        model->loops = (unsigned)value;
    } else {
        struct diagnostic *said =
            reader_fail(scope->reader, at, "invalid value \"%.*s\" in \"worker_processes\"", STR_ARG(at->text));
        diagnostic_hint(scope->reader->diagnostics, said,
                        "it must be \"auto\" (one a processor core) or a number from 1 to 1024");
    }
}

static void events_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct scope inner = scope_inner(scope, CONTEXT_EVENTS, node);
    scope_read(&inner);
}

static void include_fail(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    reader_fail(scope->reader, &node->words[0], "\"include\" is no block: write include FILE;");
}

static const char process_reason[] = "one process with a thread for each worker serves";

static const struct directive rows[] = {
    {"http", CONTEXT_MAIN, 0, 0, DIRECTIVE_BLOCK | DIRECTIVE_ONCE, http_read, NOTHING, NULL},
    {"events", CONTEXT_MAIN, 0, 0, DIRECTIVE_BLOCK | DIRECTIVE_ONCE, events_read, NOTHING, NULL},
    {"include", CONTEXT_ANY, 0, ARGUMENTS_ANY, DIRECTIVE_EITHER, include_fail, NOTHING, NULL},
    {"worker_processes", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, workers_set, NOTHING, NULL},
    {"worker_connections", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_number, MODEL(worker_connections), NULL},
    {"worker_rlimit_nofile", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_number, MODEL(descriptors), NULL},
    {"daemon", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_flag, MODEL(is_daemon), NULL},
    {"pid", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_path, MODEL(pid_path), NULL},
    {"master_process", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, process_reason},
    {"user", CONTEXT_MAIN, 1, 2, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "the process keeps the user that it is started as"},
    {"use", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "epoll is always used"},
    {"multi_accept", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"accept_mutex", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "each thread has its own listening socket"},
    {"accept_mutex_delay", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "each thread has its own listening socket"},
    {"epoll_events", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"debug_connection", CONTEXT_EVENTS, 1, 1, 0, set_nothing, NOTHING, NULL},
    {"worker_aio_requests", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"worker_priority", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"worker_cpu_affinity", CONTEXT_MAIN, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"worker_rlimit_core", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"worker_shutdown_timeout", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_time_ms, MODEL(shutdown_timeout_ms),
     NULL},
    {"working_directory", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"timer_resolution", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"pcre_jit", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "it is always on"},
    {"thread_pool", CONTEXT_MAIN, 2, 3, 0, set_nothing, NOTHING, NULL},
    {"lock_file", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"debug_points", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"env", CONTEXT_MAIN, 1, 1, 0, set_nothing, NOTHING, NULL},
    {"load_module", CONTEXT_MAIN, 1, 1, 0, set_nothing, NOTHING,
     "there are no modules; what is needed is built in"},
    {"ssl_engine", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area core_area = {rows, sizeof rows / sizeof *rows};
