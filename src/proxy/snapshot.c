#include "proxy/snapshot.h"

#include "base/mem.h"
#include "net/resolver.h"
#include "proxy/secure.h"

#include <errno.h>

enum { ARENA_MAX_BYTES = 64 << 20 };

static bool group_add(struct snapshot *snapshot, const struct upstream *upstream, struct registry *registry,
                      unsigned loops, struct diagnostics *diagnostics) {
    struct group *group = group_new(upstream, registry, loops, diagnostics);
    if (!group)
        return false;
    for (size_t i = 0; i < upstream->servers.count && !group->roster; i++)
        if (upstream->servers.items[i].is_resolved)
            group->roster = ++snapshot->rosters;
    if (map_put(&snapshot->groups, upstream->key, group))
        return true;
    group_free(group);
    return false;
}

static bool groups_make(struct snapshot *snapshot, struct registry *registry, unsigned loops,
                        struct diagnostics *diagnostics) {
    bool is_whole = true; /* goes on after the first failure: all of them are to be said */
    for (size_t i = 0; i < snapshot->model->upstreams.count; i++)
        if (!group_add(snapshot, snapshot->model->upstreams.items[i], registry, loops, diagnostics))
            is_whole = false;
    return is_whole;
}

/* "127.0.0.1:53,[::1]:53": name servers given by name are looked up once, when the configuration is loaded. */
static bool resolver_look_up(struct snapshot *snapshot, const struct resolver *resolver,
                             struct diagnostics *diagnostics) {
    enum { LIST_MAX = 4096 };
    char text[LIST_MAX];
    struct builder list = builder_make(text, sizeof text);
    for (size_t i = 0; i < resolver->servers.count; i++) {
        const struct resolver_server *server = &resolver->servers.items[i];
        struct address addresses[RESOLVER_MAX];
        const char *reason = "";
        int count = resolver_lookup(server->host, server->port, addresses, &reason);
        if (count < 1) {
            struct diagnostic *said =
                diagnostics_add(diagnostics, SEVERITY_ERROR, server->place,
                                "host not found in resolver \"%.*s\"", STR_ARG(server->host));
            diagnostic_hint(diagnostics, said, "%s", reason);
            return false;
        }
        for (int j = 0; j < count; j++) {
            builder_str(&list, list.len ? STR(",") : STR(""));
            address_build(&list, &addresses[j]);
        }
    }
    struct str copy = arena_copy(&snapshot->arena, builder_view(&list));
    snapshot->resolver_lists[resolver->number] = copy;
    return copy.ptr && !list.overflow;
}

static bool resolvers_look_up(struct snapshot *snapshot, struct diagnostics *diagnostics) {
    const struct model *model = snapshot->model;
    snapshot->resolver_lists = arena_zero(&snapshot->arena, model->resolvers.count + 1, sizeof(struct str));
    bool is_whole = snapshot->resolver_lists != NULL;
    for (size_t i = 0; snapshot->resolver_lists && i < model->resolvers.count; i++)
        is_whole &= resolver_look_up(snapshot, model->resolvers.items[i], diagnostics);
    return is_whole;
}

static bool sink_open(struct snapshot *snapshot, size_t i, struct diagnostics *diagnostics) {
    const struct log_file *file = &snapshot->model->log_files.items[i];
    struct str path = arena_copy(&snapshot->arena, file->path);
    int error = -ENOMEM;
    struct log_sink *sink = path.ptr ? log_sink_open(path.ptr, &error) : NULL;
    snapshot->sinks[i] = sink;
    if (sink &&
        (!file->buffer_bytes || log_sink_buffer(sink, file->buffer_bytes, file->flush_ms, file->gzip_level)))
        return true;
    diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "open() \"%.*s\" failed (%d: %s)",
                    STR_ARG(file->path), -error, strerrordesc_np(-error));
    return false;
}

static bool sinks_open(struct snapshot *snapshot, struct diagnostics *diagnostics) {
    size_t count = snapshot->model->log_files.count;
    snapshot->sinks = mem_zero(count, sizeof(struct log_sink *));
    bool is_whole = snapshot->sinks != NULL;
    for (size_t i = 0; is_whole && i < count; i++)
        is_whole = sink_open(snapshot, i, diagnostics);
    return is_whole;
}

static bool zones_make(struct snapshot *snapshot) {
    const struct model *model = snapshot->model;
    snapshot->zones = mem_zero(model->limit_zones.count, sizeof(struct zone *));
    for (size_t i = 0; snapshot->zones && i < model->limit_zones.count; i++)
        if (!(snapshot->zones[i] = zone_new(model->limit_zones.items[i])))
            return false;
    return snapshot->zones != NULL;
}

/* How many sessions nginx keeps in so many bytes, of which 1m are said to be about 4000: its states are of 256
 * bytes, 16 a page; the pages are described in the first ones, and two hold the zone's own. */
static size_t sessions_in(uint64_t bytes) {
    enum { PAGE = 4096, HEAD = 704, EACH = 24, OWN_PAGES = 2, A_PAGE = 16 };
    uint64_t pages = bytes / PAGE;
    return (size_t)((pages - (HEAD + EACH * pages + PAGE - 1) / PAGE - OWN_PAGES) * A_PAGE);
}

static bool sessions_make(struct snapshot *snapshot) {
    const struct model *model = snapshot->model;
    snapshot->sessions = mem_zero(model->session_zones.count, sizeof(struct sid_table *));
    for (size_t i = 0; snapshot->sessions && i < model->session_zones.count; i++)
        if (!(snapshot->sessions[i] = sid_table_new(sessions_in(model->session_zones.items[i]->bytes), true)))
            return false;
    return snapshot->sessions != NULL;
}

static bool session_zone_keep(struct snapshot *after, const struct snapshot *before,
                              const struct session_zone *wanted, const struct session_zone *known,
                              struct diagnostics *diagnostics) {
    struct str name = wanted->upstream->name, name_before = known->upstream->name;
    if (!str_eq(name, name_before)) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, wanted->place,
                        "sticky zone \"%.*s\" is used in upstream \"%.*s\" while previously it was used in "
                        "upstream \"%.*s\"",
                        STR_ARG(wanted->name), STR_ARG(name), STR_ARG(name_before));
        return false;
    }
    sid_table_drop(after->sessions[wanted->index]);
    after->sessions[wanted->index] = before->sessions[known->index];
    sid_table_take(before->sessions[known->index]);
    return true;
}

static bool sessions_keep(struct snapshot *after, const struct snapshot *before,
                          struct diagnostics *diagnostics) {
    const struct model *model = after->model, *model_before = before->model;
    bool is_fine = true;
    for (size_t i = 0; i < model->session_zones.count; i++)
        for (size_t j = 0; j < model_before->session_zones.count; j++) {
            const struct session_zone *wanted = model->session_zones.items[i];
            const struct session_zone *known = model_before->session_zones.items[j];
            if (str_eq(wanted->name, known->name) && wanted->bytes == known->bytes)
                is_fine &= session_zone_keep(after, before, wanted, known, diagnostics);
        }
    return is_fine;
}

static struct zone *zone_named(const struct snapshot *snapshot, struct str name) {
    for (size_t i = 0; i < snapshot->model->limit_zones.count; i++)
        if (str_eq(snapshot->model->limit_zones.items[i]->name, name))
            return snapshot->zones[i];
    return NULL;
}

bool snapshot_keep_zones(struct snapshot *after, const struct snapshot *before,
                         struct diagnostics *diagnostics) {
    bool is_fine = sessions_keep(after, before, diagnostics);
    for (size_t i = 0; i < after->model->limit_zones.count; i++) {
        const struct limit_zone *wanted = after->model->limit_zones.items[i];
        struct zone *zone = zone_named(before, wanted->name);
        if (!zone || !zone_fits(zone, wanted))
            continue;
        if (!str_eq(zone_key_text(zone), wanted->key_text)) {
            diagnostics_add(diagnostics, SEVERITY_ERROR, wanted->place,
                            "%s \"%.*s\" uses the \"%.*s\" key while previously it used the \"%.*s\" key",
                            wanted->kind == LIMIT_REQUESTS ? "limit_req" : "limit_conn_zone",
                            STR_ARG(wanted->name), STR_ARG(wanted->key_text), STR_ARG(zone_key_text(zone)));
            is_fine = false;
            continue;
        }
        zone_take(zone);
        zone_drop(after->zones[i]);
        after->zones[i] = zone;
    }
    return is_fine;
}

static bool trusted_resolve(struct model *model, struct trusted *trusted, struct diagnostics *diagnostics) {
    struct address found[RESOLVER_MAX];
    const char *reason = "";
    int count = resolver_lookup(trusted->host, 0, found, &reason);
    for (int i = 0; i < count; i++) {
        struct str ip = address_bytes(&found[i]);
        struct cidr *cidr = VEC_ADD(&trusted->addresses, &model->arena);
        if (!cidr)
            return false;
        cidr->family = ip.len == 4 ? CIDR_V4 : CIDR_V6;
        cidr->bits = (uint8_t)(ip.len * 8);
        memcpy(cidr->bytes, ip.ptr, ip.len);
    }
    if (count == 0)
        diagnostics_add(diagnostics, SEVERITY_ERROR, trusted->place, "%s in set_real_ip_from \"%.*s\"", reason,
                        STR_ARG(trusted->host));
    return count > 0;
}

static bool trusted_names_resolve(struct model *model, struct diagnostics *diagnostics) {
    bool is_whole = true;
    for (size_t i = 0; i < model->trusted_names.count; i++)
        is_whole &= trusted_resolve(model, model->trusted_names.items[i], diagnostics);
    return is_whole;
}

struct snapshot *snapshot_new(struct model *model, struct registry *registry, unsigned loops,
                              struct diagnostics *diagnostics) {
    struct snapshot *snapshot = mem_zero(1, sizeof *snapshot);
    if (!snapshot) {
        model_free(model);
        return NULL;
    }
    atomic_init(&snapshot->references, 1);
    snapshot->model = model;
    arena_pool_init(&snapshot->pool, 0, ARENA_MAX_BYTES);
    arena_init(&snapshot->arena, &snapshot->pool);
    map_init(&snapshot->groups, &snapshot->arena, false);
    bool is_whole = groups_make(snapshot, registry, loops, diagnostics);
    is_whole &= trusted_names_resolve(model, diagnostics);
    is_whole &= resolvers_look_up(snapshot, diagnostics);
    is_whole &= secure_build(snapshot, diagnostics);
    if (is_whole && zones_make(snapshot) && sessions_make(snapshot) && sinks_open(snapshot, diagnostics))
        return snapshot;
    snapshot_drop(snapshot);
    return NULL;
}

void snapshot_inherit(struct snapshot *after, const struct snapshot *before) {
    secure_inherit(after, before);
}

void snapshot_replace(struct snapshot *before, struct snapshot *after) {
    const struct model *model = after->model;
    for (size_t i = 0; i < model->upstreams.count; i++)
        group_enter(map_get(&after->groups, model->upstreams.items[i]->key));
    model = before ? before->model : NULL;
    for (size_t i = 0; model && i < model->upstreams.count; i++)
        group_leave(map_get(&before->groups, model->upstreams.items[i]->key));
}

void snapshot_sweep_sessions(struct snapshot *snapshot, unsigned loop, unsigned loops, uint64_t now_ms) {
    for (size_t i = 0; i < snapshot->model->session_zones.count; i++)
        sid_sweep(snapshot->sessions[i], (loop + (unsigned)i) % loops, loops, now_ms);
}

void snapshot_tidy_logs(struct snapshot *snapshot, const struct log *log, uint64_t now_ms) {
    for (size_t i = 0; i < snapshot->model->log_files.count; i++) {
        log_sink_tidy(snapshot->sinks[i], now_ms);
        log_tell_dropped(log, snapshot->sinks[i], now_ms);
    }
}

void snapshot_reopen_logs(struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->model->log_files.count; i++)
        log_sink_reopen(snapshot->sinks[i]);
}

void snapshot_take(struct snapshot *snapshot) {
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
}

static void snapshot_free(struct snapshot *snapshot) {
    const struct model *model = snapshot->model;
    for (size_t i = 0; i < model->upstreams.count; i++) {
        struct group *group = map_get(&snapshot->groups, model->upstreams.items[i]->key);
        if (group)
            group_free(group);
    }
    for (size_t i = 0; snapshot->sinks && i < model->log_files.count; i++)
        log_sink_close(snapshot->sinks[i]);
    mem_free(snapshot->sinks);
    for (size_t i = 0; snapshot->zones && i < model->limit_zones.count; i++)
        zone_drop(snapshot->zones[i]);
    mem_free(snapshot->zones);
    for (size_t i = 0; snapshot->sessions && i < model->session_zones.count; i++)
        sid_table_drop(snapshot->sessions[i]);
    mem_free(snapshot->sessions);
    secure_free(snapshot);
    arena_fini(&snapshot->arena);
    arena_pool_fini(&snapshot->pool);
    model_free(snapshot->model);
    mem_free(snapshot);
}

void snapshot_drop(struct snapshot *snapshot) {
    if (snapshot && atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1)
        snapshot_free(snapshot);
}
