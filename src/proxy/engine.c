#include "proxy/engine.h"

#include "base/check.h"
#include "base/mem.h"
#include "codec/http_date.h"
#include "loop/calendar.h"
#include "loop/clock.h"
#include "net/tls/tls_store.h"
#include "proxy/exchange.h"
#include "proxy/guard/password_cache.h"
#include "proxy/queue.h"
#include "proxy/tunnel.h"

enum {
    ARENA_SPARE_PAGES = 64,
    ARENA_BUDGET_BYTES = 256 << 20, /* of one loop's exchanges together */
    SWEEP_MS = 1000,
};

/* Has a server of the group gone down that still has tunnels, which are to be closed? */
static bool group_is_left(const struct group *group) {
    const struct check *check = group->upstream->check;
    for (unsigned i = 0; check && check->closes_tunnels && i < group->count; i++)
        if (peer_is_checked_down(group->members[i].peer) &&
            atomic_load_explicit(&group->members[i].peer->tunnels, memory_order_relaxed))
            return true;
    return false;
}

static void tunnels_of_leave(struct engine *engine, const struct group *group) {
    LIST_EACH (&engine->tunnel_list, node) {
        struct tunnel *tunnel = LIST_OF(node, struct tunnel, node);
        if (tunnel->peer->upstream_hash == group->upstream_hash && peer_is_checked_down(tunnel->peer))
            tunnel_leave(tunnel, WHY_CHECKED_DOWN, group->upstream->check->drain_ms);
    }
}

static void tunnels_leave(struct engine *engine) {
    struct str name;
    const void *group;
    for (size_t at = 0; engine->hold && map_each(&engine->hold->snapshot->groups, &at, &name, &group);) {
        const struct upstream *upstream = ((const struct group *)group)->upstream;
        if (upstream->check && group_is_left(engine_group(engine->hold, upstream)))
            tunnels_of_leave(engine, group);
    }
}

/* The error logs too tell of what they did not take, once they take something again. */
static void logs_tidy(struct engine *engine) {
    uint64_t now_ms = engine->loop->now_ms;
    if (engine->hold)
        snapshot_tidy_logs(engine->hold->snapshot, &engine->log, now_ms);
    for (const struct log *log = &engine->log; log; log = log->next)
        log_tell_dropped(&engine->log, log->sink, now_ms);
}

static void memory_trim(struct engine *engine) {
    slab_trim(&engine->fronts);
    slab_trim(&engine->exchanges);
    slab_trim(&engine->tunnels);
    slab_trim(&engine->walks);
    duct_pool_trim(engine->ducts);
    idle_pool_trim(engine->idle);
}

static void sweep(struct timer *timer) {
    struct engine *engine = LIST_OF(timer, struct engine, sweep);
    tunnels_leave(engine);
    if (engine->tick && engine->hold)
        engine->tick(engine);
    sid_sweep(engine->sids, engine->index, engine->loops, engine->loop->now_ms);
    if (engine->hold)
        snapshot_sweep_sessions(engine->hold->snapshot, engine->index, engine->loops, engine->loop->now_ms);
    if (engine->index == 0)
        logs_tidy(engine);
    memory_trim(engine);
    loop_arm(engine->loop, &engine->sweep, SWEEP_MS);
}

static bool parts_make(struct engine *engine) {
    engine->ducts = duct_pool_new(engine->loop);
    engine->idle = idle_pool_new(engine->loop);
    engine->back_scratch = mem_alloc(LOOP_SCRATCH_BYTES);
    engine->stage = mem_alloc(GATHER_STAGE_BYTES);
    if (engine->index == 0 && engine->ducts)
        engine->health = health_new(engine->loop, engine->ducts, &engine->log);
    return engine->ducts && engine->idle && engine->back_scratch && engine->stage &&
           (engine->index || engine->health);
}

static void parts_free(struct engine *engine) {
    health_free(engine->health);
    if (engine->idle)
        idle_pool_free(engine->idle);
    if (engine->ducts)
        duct_pool_free(engine->ducts);
    mem_free(engine->back_scratch);
    mem_free(engine->stage);
    arena_pool_fini(&engine->arenas);
    mem_free(engine);
}

struct engine *engine_new(const struct engine_setup *setup) {
    struct engine *engine = mem_zero(1, sizeof *engine);
    if (!engine)
        return NULL;
    engine->loop = setup->loop;
    engine->index = setup->index;
    engine->loops = setup->loops;
    engine->log = *setup->log;
    engine->sids = setup->sids;
    engine->registry = setup->registry;
    engine->tallies = setup->tallies ? setup->tallies : &engine->own_tally;
    engine->tally = setup->tallies ? &setup->tallies[setup->index] : &engine->own_tally;
    engine->descriptor_limit = setup->descriptor_limit;
    engine->pid = setup->pid;
    engine->hostname = setup->hostname;
    engine->report = setup->report;
    engine->report_context = setup->report_context;
    engine->tick = setup->index == 0 ? setup->tick : NULL;
    engine->date_s = engine->date_ms = UINT64_MAX;
    arena_pool_init(&engine->arenas, ARENA_SPARE_PAGES, ARENA_BUDGET_BYTES);
    if (!parts_make(engine)) {
        parts_free(engine);
        return NULL;
    }
    slab_init(&engine->fronts, sizeof(struct front));
    slab_init_partly(&engine->exchanges, sizeof(struct exchange), EXCHANGE_CLEARED);
    slab_init(&engine->tunnels, sizeof(struct tunnel));
    slab_init(&engine->walks, sizeof(struct ws_walk));
    list_init(&engine->listeners);
    list_init(&engine->front_list);
    list_init(&engine->exchange_list);
    list_init(&engine->tunnel_list);
    queue_init(engine);
    timer_init(&engine->sweep, sweep);
    loop_arm(engine->loop, &engine->sweep, SWEEP_MS);
    return engine;
}

static void listeners_close(struct engine *engine) {
    LIST_EACH (&engine->listeners, node)
        listener_close(LIST_OF(node, struct listener, node));
}

static void hold_free(struct snapshot_hold *hold);

void engine_free(struct engine *engine) {
    engine->drained = NULL;
    engine->is_draining = true;
    listeners_close(engine);
    LIST_EACH (&engine->tunnel_list, node)
        tunnel_close(LIST_OF(node, struct tunnel, node), WHY_SHUTDOWN);
    while (!list_is_empty(&engine->exchange_list))
        exchange_abort(LIST_OF(engine->exchange_list.next, struct exchange, node), WHY_SHUTDOWN);
    while (!list_is_empty(&engine->front_list))
        front_close(LIST_OF(engine->front_list.next, struct front, node));
    timer_disarm(&engine->sweep);
    queue_fini(engine);
    health_free(engine->health);
    engine->health = NULL;
    idle_pool_free(engine->idle);
    engine->idle = NULL;
    password_cache_fini(engine);
    loop_turn(engine->loop, 0); /* buries what was closed */
    struct snapshot_hold *hold = engine->hold;
    engine->hold = NULL;
    if (hold) {
        CHECK(hold->users == 0, "%zu exchanges still hold a snapshot", hold->users);
        hold_free(hold);
    }
    slab_fini(&engine->fronts);
    slab_fini(&engine->exchanges);
    slab_fini(&engine->tunnels);
    slab_fini(&engine->walks);
    parts_free(engine);
}

void engine_hold_drop(struct engine *engine, struct snapshot_hold *hold) {
    hold->users--;
    if (!hold->users && hold != engine->hold)
        loop_bury(engine->loop, &hold->burial); /* what a name's answer has just ended may be up the stack */
}

static const struct listen *listen_find(const struct model *model, struct str text) {
    for (size_t i = 0; i < model->listens.count; i++)
        if (str_eq(model->listens.items[i]->text, text))
            return model->listens.items[i];
    return NULL;
}

/* Fronts at rest on a listener that is no more are closed; busy ones after their exchange. */
static void stale_retire(struct engine *engine) {
    LIST_EACH (&engine->listeners, node) {
        struct listener *listener = LIST_OF(node, struct listener, node);
        if (!listener->listen)
            listener_close(listener);
    }
    LIST_EACH (&engine->front_list, node) {
        struct front *front = LIST_OF(node, struct front, node);
        if (!front->listener->listen)
            front_retire(front);
    }
}

struct dns *engine_dns(struct engine *engine, struct snapshot_hold *hold, const struct resolver *resolver) {
    struct dns **slot = &hold->dns[resolver->number];
    if (!*slot) {
        const struct dns_setup setup = {.loop = engine->loop,
                                        .servers = hold->snapshot->resolver_lists[resolver->number],
                                        .valid_ms = resolver->valid_ms,
                                        .has_v4 = resolver->has_v4,
                                        .has_v6 = resolver->has_v6};
        *slot = dns_new(&setup);
    }
    return *slot;
}

struct group *engine_group(const struct snapshot_hold *hold, const struct upstream *upstream) {
    struct group *group = map_get(&hold->snapshot->groups, upstream->key);
    return group && group->roster ? roster_group(hold->rosters[group->roster - 1]) : group;
}

static void hold_free(struct snapshot_hold *hold) {
    struct snapshot *snapshot = hold->snapshot;
    for (unsigned i = 0; hold->rosters && i < snapshot->rosters; i++)
        roster_free(hold->rosters[i]);
    for (size_t i = 0; hold->dns && i < snapshot->model->resolvers.count; i++)
        dns_free(hold->dns[i]);
    for (size_t i = 0; hold->stores && i < snapshot->model->certificate_caches.count; i++)
        tls_store_free(hold->stores[i]);
    mem_free(hold->stores);
    mem_free(hold->rosters);
    mem_free(hold->dns);
    snapshot_drop(snapshot);
    mem_free(hold);
}

static void hold_bury(struct task *task) {
    hold_free(LIST_OF(task, struct snapshot_hold, burial));
}

static const struct roster *roster_find(const struct snapshot_hold *hold, struct str name) {
    for (unsigned i = 0; hold && i < hold->snapshot->rosters; i++)
        if (str_eq(roster_name(hold->rosters[i]), name))
            return hold->rosters[i];
    return NULL;
}

static bool rosters_make(struct engine *engine, struct snapshot_hold *hold) {
    const struct model *model = hold->snapshot->model;
    for (size_t i = 0; i < model->upstreams.count; i++) {
        const struct upstream *upstream = model->upstreams.items[i];
        struct group *group = map_get(&hold->snapshot->groups, upstream->key);
        if (!group->roster)
            continue;
        struct roster_setup setup = {.loop = engine->loop,
                                     .log = &engine->log,
                                     .index = engine->index,
                                     .loops = engine->loops,
                                     .registry = engine->registry,
                                     .dns = engine_dns(engine, hold, upstream->resolver),
                                     .fixed = group,
                                     .before = roster_find(engine->hold, upstream->key)};
        struct roster *roster = setup.dns ? roster_new(&setup) : NULL;
        if (!roster)
            return false;
        hold->rosters[group->roster - 1] = roster;
    }
    return true;
}

static struct snapshot_hold *hold_new(struct engine *engine, struct snapshot *snapshot) {
    struct snapshot_hold *hold = mem_zero(1, sizeof *hold);
    if (!hold)
        return NULL;
    snapshot_take(snapshot);
    hold->snapshot = snapshot;
    hold->burial.run = hold_bury;
    list_init(&hold->burial.node);
    hold->dns = mem_zero(snapshot->model->resolvers.count, sizeof(struct dns *));
    hold->stores = mem_zero(snapshot->model->certificate_caches.count, sizeof(struct tls_store *));
    hold->rosters = mem_zero(snapshot->rosters, sizeof(struct roster *));
    if (hold->dns && hold->stores && hold->rosters && rosters_make(engine, hold))
        return hold;
    hold_free(hold);
    return NULL;
}

bool engine_install(struct engine *engine, struct snapshot *snapshot) {
    struct snapshot_hold *hold = hold_new(engine, snapshot), *old = engine->hold;
    if (!hold)
        return false;
    engine->hold = hold;
    LIST_EACH (&engine->listeners, node) {
        struct listener *listener = LIST_OF(node, struct listener, node);
        listener->listen = listen_find(snapshot->model, str_of(listener->text));
    }
    stale_retire(engine);
    if (engine->health && !health_install(engine->health, &snapshot->groups, hold->rosters))
        log_line(&engine->log, LOG_CRIT, "out of memory: not all servers are checked");
    if (old) {
        old->users++;
        engine_hold_drop(engine, old);
    }
    return true;
}

int engine_listen(struct engine *engine, int fd, unsigned slot) {
    const struct model *model = engine->hold->snapshot->model;
    CHECK(slot < model->listens.count, "slot %u of %zu", slot, model->listens.count);
    return listener_new(engine, fd, model->listens.items[slot]) ? 0 : -12;
}

void engine_drain(struct engine *engine, void (*done)(void *), void *context) {
    engine->is_draining = true;
    listeners_close(engine);
    LIST_EACH (&engine->front_list, node)
        front_retire(LIST_OF(node, struct front, node));
    engine->drained = done;
    engine->drained_context = context;
    engine_note_gone(engine);
}

void engine_undrain(struct engine *engine) {
    engine->is_draining = false;
    engine->drained = NULL;
}

void engine_note_gone(struct engine *engine) {
    void (*done)(void *) = engine->drained;
    if (!done || engine->counts.fronts || engine->counts.tunnels)
        return;
    engine->drained = NULL;
    done(engine->drained_context);
}

void engine_date_update(struct engine *engine) {
    if (engine->date_ms == engine->loop->now_ms)
        return;
    engine->date_ms = engine->loop->now_ms;
    uint64_t seconds = clock_wall_ms() / 1000;
    if (seconds == engine->date_s)
        return;
    engine->date_s = seconds;
    struct tm local = calendar_local(seconds);
    strftime(engine->date_log, sizeof engine->date_log, "%d/%b/%Y:%H:%M:%S %z", &local);
    strftime(engine->date_iso, sizeof engine->date_iso, "%Y-%m-%dT%H:%M:%S%z", &local);
    struct builder out = builder_make(engine->date_http, sizeof engine->date_http - 1);
    http_date_build(&out, seconds);
    out.ptr[out.len] = '\0';
}

static size_t inbox_kept(const struct inbox *inbox) {
    return inbox->owned ? inbox->capacity : 0;
}

size_t engine_check(const struct engine *engine, void (*report)(void *context, const char *what),
                    void *context) {
    size_t reports = 0, kept = 0;
    LIST_EACH (&engine->front_list, node) {
        const struct front *front = LIST_OF(node, struct front, node);
        kept += inbox_kept(&front->in) + front->out.len;
        if (front->phase != FRONT_BUSY && !timer_is_armed(&front->deadline)) {
            report(context, "front without a deadline");
            reports++;
        }
    }
    LIST_EACH (&engine->exchange_list, node) {
        const struct exchange *x = LIST_OF(node, struct exchange, node);
        kept += inbox_kept(&x->back.in) + x->back.out.len + (x->body ? x->body->room : 0) +
                (x->store ? x->store->room : 0);
        if (x->state != STATE_TUNNEL && !timer_is_armed(&x->deadline)) {
            report(context, "exchange without a deadline");
            reports++;
        }
    }
    LIST_EACH (&engine->tunnel_list, node) {
        const struct tunnel *tunnel = LIST_OF(node, struct tunnel, node);
        kept += (size_t)tunnel->up.to.len + tunnel->down.to.len;
        if (!timer_is_armed(&tunnel->idle)) {
            report(context, "tunnel without a deadline");
            reports++;
        }
    }
    if (kept != engine->counts.buffered_bytes) {
        report(context, "bytes kept are not those counted");
        reports++;
    }
    return reports;
}
