#include "dialect/nginx/http.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

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

/* user NAME [GROUP] */
static void user_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct process_settings *settings = &scope->reader->model->process;
    settings->user = node->words[1].text;
    settings->group = node->count > 2 ? node->words[2].text : STR("");
    settings->user_place = word_place(&node->words[1]);
}

static void priority_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str text = node->words[1].text;
    bool is_minus = str_starts(text, STR("-"));
    uint64_t value;
    if (!str_to_u64(str_from(text, is_minus), &value) || value > 20)
        set_fail(scope, &node->words[1], row, "a number from -20, which is the most urgent, to 20");
    else
        scope->reader->model->process.priority = is_minus ? -(int)value : (int)value;
}

static void core_limit_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct process_settings *settings = &scope->reader->model->process;
    settings->has_core_bytes = unit_size(node->words[1].text, true, &settings->core_bytes);
    if (!settings->has_core_bytes)
        set_fail(scope, &node->words[1], row, "a size in bytes, as 500m; 0 writes no core files");
}

static void text_add(struct scope *scope, struct str text, bool is_mask) {
    struct process_settings *settings = &scope->reader->model->process;
    struct str *slot = is_mask ? READER_ADD(scope->reader, &settings->masks)
                               : READER_ADD(scope->reader, &settings->environment);
    if (slot)
        *slot = text;
}

static void env_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str text = node->words[1].text;
    if (str_find_char(text, '=') == STR_NONE)
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0],
                   "\"env %.*s\" has no effect: the environment is kept whole", STR_ARG(text));
    else if (text.ptr[0] == '=')
        set_fail(scope, &node->words[1], row, "NAME or NAME=VALUE");
    else
        text_add(scope, text, false);
}

/* worker_cpu_affinity auto [MASK] | MASK... */
static void affinity_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct process_settings *settings = &scope->reader->model->process;
    settings->is_affinity_auto = str_eq(node->words[1].text, STR("auto"));
    if (settings->is_affinity_auto && node->count > 3)
        set_fail(scope, &node->words[3], row, "\"auto\", or \"auto\" with one mask");
    for (size_t i = settings->is_affinity_auto ? 2 : 1; i < node->count; i++) {
        struct str mask = node->words[i].text;
        bool is_mask = mask.len > 0;
        for (size_t j = 0; j < mask.len; j++)
            is_mask &= mask.ptr[j] == '0' || mask.ptr[j] == '1';
        if (is_mask && str_find_char(mask, '1') != STR_NONE)
            text_add(scope, mask, true);
        else
            set_fail(scope, &node->words[i], row,
                     "a mask of binary digits as 0101, whose last one is the first processor");
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
    {"user", CONTEXT_MAIN, 1, 2, DIRECTIVE_ONCE, user_set, NOTHING, NULL},
    {"use", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "epoll is always used"},
    {"multi_accept", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"accept_mutex", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "each thread has its own listening socket"},
    {"accept_mutex_delay", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "each thread has its own listening socket"},
    {"epoll_events", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"debug_connection", CONTEXT_EVENTS, 1, 1, 0, set_nothing, NOTHING, NULL},
    {"worker_aio_requests", CONTEXT_EVENTS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"worker_priority", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, priority_set, NOTHING, NULL},
    {"worker_cpu_affinity", CONTEXT_MAIN, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, affinity_set, NOTHING, NULL},
    {"worker_rlimit_core", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, core_limit_set, NOTHING, NULL},
    {"worker_shutdown_timeout", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_time_ms, MODEL(shutdown_timeout_ms),
     NULL},
    {"working_directory", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_text, MODEL(process.directory), NULL},
    {"timer_resolution", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "the time is asked for once a turn of a loop"},
    {"pcre_jit", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "it is always on"},
    {"thread_pool", CONTEXT_MAIN, 2, 3, 0, set_nothing, NOTHING, NULL},
    {"lock_file", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"debug_points", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"env", CONTEXT_MAIN, 1, 1, 0, env_add, NOTHING, NULL},
    {"load_module", CONTEXT_MAIN, 1, 1, 0, set_nothing, NOTHING,
     "there are no modules; what is needed is built in"},
    {"ssl_engine", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area core_area = {rows, sizeof rows / sizeof *rows};
