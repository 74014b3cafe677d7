#include "subject.h"

#include "world.h"

#include "dialect/nginx/nginx.h"
#include "loop/clock.h"
#include "net/socket.h"
#include "proxy/exchange.h"

#include <stdio.h>

/* The real engine, with its configuration read from memory. */

enum { SIDS_MAX = 4096 };

static struct {
    struct loop *loop;
    struct engine *engine;
    struct sid_table *sids;
    struct registry *registry;
    struct snapshot *snapshot;
    struct log_sink *sink;
} subject;
bool subject_is_loud;

static bool source_read(void *context, struct arena *arena, struct str path, struct str *contents,
                        const char **reason) {
    const struct str *text = context;
    if (!str_eq(path, STR("/sim/nginx.conf"))) {
        *reason = "no such file";
        return false;
    }
    *contents = arena_copy(arena, *text);
    return contents->ptr != NULL;
}

static bool source_glob(void *context, struct arena *arena, struct str pattern, struct str **paths,
                        size_t *count) {
    (void)context, (void)arena, (void)pattern;
    *paths = NULL;
    *count = 0;
    return true;
}

static void diagnostics_show(const struct diagnostics *diagnostics) {
    for (size_t i = 0; i < diagnostics->list.count; i++) {
        const struct diagnostic *diagnostic = &diagnostics->list.items[i];
        if (diagnostic->severity == SEVERITY_ERROR)
            fprintf(stderr, "%.*s:%u: %.*s\n", STR_ARG(diagnostic->place.file), diagnostic->place.line,
                    STR_ARG(diagnostic->text));
    }
}

static struct snapshot *snapshot_read(struct str configuration) {
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    struct snapshot *snapshot = NULL;
    arena_pool_init(&pool, 4, 1 << 20);
    arena_init(&arena, &pool);
    diagnostics_init(&diagnostics, &arena);
    struct nginx_source source = {.path = STR("/sim/nginx.conf"),
                                  .prefix = STR("/sim"),
                                  .globals = STR(""),
                                  .read = source_read,
                                  .glob = source_glob,
                                  .context = &configuration};
    struct model *model = nginx_read(&source, &diagnostics);
    if (model && diagnostics.errors == 0)
        snapshot = snapshot_new(model, subject.registry, 1, &diagnostics);
    else
        model_free(model);
    if (diagnostics.errors)
        diagnostics_show(&diagnostics);
    arena_fini(&arena);
    arena_pool_fini(&pool);
    return snapshot;
}

static bool listen_all(void) {
    const struct model *model = subject.snapshot->model;
    for (unsigned i = 0; i < model->listens.count; i++) {
        struct address address;
        struct socket_listen_options options = {0};
        const struct listen *listen = model->listens.items[i];
        if (!address_parse(listen->host, listen->port, &address))
            return false;
        int fd = socket_listen(&address, &options);
        if (fd < 0 || engine_listen(subject.engine, fd, i) < 0)
            return false;
    }
    return true;
}

bool subject_start(struct loop *loop, struct str configuration) {
    int error;
    subject.loop = loop;
    subject.sink = log_sink_open(subject_is_loud ? "stderr" : "off", &error);
    struct log log = {
        .sink = subject.sink, .level = subject_is_loud ? LOG_DEBUG : LOG_EMERG, .wall_ms = clock_wall_ms};
    subject.sids = sid_table_new(SIDS_MAX, false);
    subject.registry = registry_new(1);
    if (!subject.sink || !subject.sids || !subject.registry)
        return false;
    subject.snapshot = snapshot_read(configuration);
    if (!subject.snapshot)
        return false;
    struct engine_setup setup = {.loop = loop,
                                 .loops = 1,
                                 .log = &log,
                                 .sids = subject.sids,
                                 .registry = subject.registry,
                                 .descriptor_limit = world.weather.fd_limit,
                                 .pid = 1,
                                 .hostname = "sim"};
    subject.engine = engine_new(&setup);
    if (!subject.engine || !engine_install(subject.engine, subject.snapshot))
        return false;
    snapshot_replace(NULL, subject.snapshot);
    return listen_all();
}

bool subject_reload(struct str configuration) {
    struct snapshot *after = snapshot_read(configuration);
    if (!after)
        return false;
    if (!engine_install(subject.engine, after)) {
        snapshot_drop(after);
        return false;
    }
    snapshot_replace(subject.snapshot, after);
    snapshot_drop(subject.snapshot);
    subject.snapshot = after;
    return true;
}

struct subject_counts subject_count(void) {
    const struct engine_counts *counts = &subject.engine->counts;
    return (struct subject_counts){counts->fronts, counts->exchanges, counts->tunnels,
                                   idle_count(subject.engine->idle), counts->buffered_bytes};
}

static void report(void *context, const char *what) {
    *(const char **)context = what;
}

const char *subject_check(void) {
    const char *what = NULL;
    engine_check(subject.engine, report, &what);
    return what;
}

const char *subject_state(void) {
    static const char *const names[STATE_COUNT] = {
#define STATE(name, step, does, bound, may_go) #name,
#include "proxy/states.def"
#undef STATE
    };
    if (list_is_empty(&subject.engine->exchange_list))
        return "";
    return names[LIST_OF(subject.engine->exchange_list.next, struct exchange, node)->state];
}

static void drained(void *context) {
    *(bool *)context = true;
}

void subject_drain(bool *is_drained) {
    engine_drain(subject.engine, drained, is_drained);
}

void subject_stop(void) {
    if (subject.engine)
        engine_free(subject.engine);
    if (subject.snapshot)
        snapshot_drop(subject.snapshot);
    if (subject.sids)
        sid_table_drop(subject.sids);
    if (subject.registry)
        registry_free(subject.registry);
    if (subject.sink)
        log_sink_close(subject.sink);
    memset(&subject, 0, sizeof subject);
}
