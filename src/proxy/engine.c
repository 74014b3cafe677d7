#include "proxy/engine.h"

#include "base/check.h"
#include "base/mem.h"
#include "codec/http_date.h"
#include "loop/clock.h"
#include "loop/zone.h"
#include "proxy/exchange.h"
#include "proxy/tunnel.h"

enum {
    ARENA_SPARE_PAGES = 64,
    ARENA_BUDGET_BYTES = 256 << 20, /* of one loop's exchanges together */
    SWEEP_MS = 1000,
};

static void sweep(struct timer *timer) {
    struct engine *engine = LIST_OF(timer, struct engine, sweep);
    sid_sweep(engine->sids, engine->index, engine->loops, engine->loop->now_ms);
    loop_arm(engine->loop, &engine->sweep, SWEEP_MS);
}

static bool parts_make(struct engine *engine) {
    engine->ducts = duct_pool_new(engine->loop);
    engine->idle = idle_pool_new(engine->loop);
    engine->back_scratch = mem_alloc(LOOP_SCRATCH_BYTES);
    engine->stage = mem_alloc(GATHER_STAGE_BYTES);
    return engine->ducts && engine->idle && engine->back_scratch && engine->stage;
}

static void parts_free(struct engine *engine) {
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
    engine->descriptor_limit = setup->descriptor_limit;
    engine->pid = setup->pid;
    engine->hostname = setup->hostname;
    engine->date_s = UINT64_MAX;
    arena_pool_init(&engine->arenas, ARENA_SPARE_PAGES, ARENA_BUDGET_BYTES);
    if (!parts_make(engine)) {
        parts_free(engine);
        return NULL;
    }
    slab_init(&engine->fronts, sizeof(struct front));
    slab_init(&engine->exchanges, sizeof(struct exchange));
    slab_init(&engine->tunnels, sizeof(struct tunnel));
    list_init(&engine->listeners);
    list_init(&engine->front_list);
    list_init(&engine->exchange_list);
    list_init(&engine->tunnel_list);
    timer_init(&engine->sweep, sweep);
    loop_arm(engine->loop, &engine->sweep, SWEEP_MS);
    return engine;
}

static void listeners_close(struct engine *engine) {
    LIST_EACH (&engine->listeners, node)
        listener_close(LIST_OF(node, struct listener, node));
}

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
    idle_pool_free(engine->idle);
    engine->idle = NULL;
    loop_turn(engine->loop, 0); /* buries what was closed */
    struct snapshot_hold *hold = engine->hold;
    engine->hold = NULL;
    if (hold) {
        CHECK(hold->users == 0, "%zu exchanges still hold a snapshot", hold->users);
        snapshot_drop(hold->snapshot);
        mem_free(hold);
    }
    slab_fini(&engine->fronts);
    slab_fini(&engine->exchanges);
    slab_fini(&engine->tunnels);
    parts_free(engine);
}

void engine_hold_drop(struct engine *engine, struct snapshot_hold *hold) {
    hold->users--;
    if (hold->users || hold == engine->hold)
        return;
    snapshot_drop(hold->snapshot);
    mem_free(hold);
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

bool engine_install(struct engine *engine, struct snapshot *snapshot) {
    struct snapshot_hold *hold = mem_zero(1, sizeof *hold), *old = engine->hold;
    if (!hold)
        return false;
    snapshot_take(snapshot);
    hold->snapshot = snapshot;
    engine->hold = hold;
    LIST_EACH (&engine->listeners, node) {
        struct listener *listener = LIST_OF(node, struct listener, node);
        listener->listen = listen_find(snapshot->model, str_of(listener->text));
    }
    stale_retire(engine);
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

void engine_note_gone(struct engine *engine) {
    void (*done)(void *) = engine->drained;
    if (!done || engine->counts.fronts || engine->counts.tunnels)
        return;
    engine->drained = NULL;
    done(engine->drained_context);
}

struct engine_counts engine_count(const struct engine *engine) {
    struct engine_counts counts = engine->counts;
    counts.idle_backs = idle_count(engine->idle);
    return counts;
}

void engine_date_update(struct engine *engine) {
    uint64_t seconds = clock_wall_ms() / 1000;
    if (seconds == engine->date_s)
        return;
    engine->date_s = seconds;
    struct tm local = zone_local(seconds);
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
        kept += inbox_kept(&x->back.in) + x->back.out.len;
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
