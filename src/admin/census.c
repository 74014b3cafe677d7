#include "admin/census.h"

#include "loop/clock.h"
#include "upstream/probe.h"

enum { WHY_TEXT_MAX = 128 };

struct taking {
    const struct engine *engine;
    const struct snapshot_hold *hold;
    struct arena *arena;
    uint64_t now_ms;
};

static struct str verdict_text(const struct taking *t, const struct peer *peer) {
    char memory[WHY_TEXT_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    unsigned verdict = atomic_load_explicit(&peer->check.verdict, memory_order_relaxed);
    if ((verdict & 0xff) == PROBE_NONE)
        return STR("");
    probe_verdict_build(&out, (enum probe_verdict)(verdict & 0xff), verdict >> 8);
    struct str text = arena_copy(t->arena, builder_view(&out));
    return text.ptr ? text : STR("");
}

static void state_take(const struct taking *t, const struct group *group, struct census_peer *p) {
    const struct peer *peer = p->peer;
    unsigned state = atomic_load_explicit(&peer->check.state, memory_order_relaxed);
    p->is_up = member_is_up(group, p->member, t->now_ms);
    p->why = verdict_text(t, peer);
    if (p->member->is_down) {
        p->state = "down";
        p->why = STR("taken out by the configuration");
    } else if (state == PEER_DOWN) {
        p->state = "down";
    } else if (!p->is_up) {
        p->state = "set aside";
        p->why = STR("failed requests: max_fails within fail_timeout");
    } else if (p->member->server->is_draining) {
        p->state = "draining";
    } else {
        p->state = group->upstream->check && state == PEER_UNCHECKED ? "unchecked" : "up";
    }
}

static void peer_take_in(const struct taking *t, const struct group *group, const struct member *member,
                         struct census_peer *p) {
    const struct peer *peer = member->peer;
    p->peer = peer;
    p->member = member;
    p->active = atomic_load_explicit(&peer->active, memory_order_relaxed);
    p->tunnels = atomic_load_explicit(&peer->tunnels, memory_order_relaxed);
    p->sessions = atomic_load_explicit(&peer->sids, memory_order_relaxed);
    unsigned upgraded = atomic_load_explicit(&peer->session_tunnels, memory_order_relaxed);
    p->polling = p->sessions > upgraded ? p->sessions - upgraded : 0;
    for (unsigned i = 0; i < peer->loops; i++)
        meter_sum_add(&p->sum, &peer->meters[i]);
    state_take(t, group, p);
}

static bool upstream_take(const struct taking *t, const struct upstream *upstream, struct census *census) {
    const struct group *group = engine_group(t->hold, upstream);
    struct census_upstream *u = &census->upstreams[census->upstream_count];
    u->upstream = upstream;
    u->peers = arena_zero(t->arena, group->count + 1, sizeof *u->peers);
    if (!u->peers)
        return false;
    for (; u->count < group->count; u->count++) {
        struct census_peer *p = &u->peers[u->count];
        peer_take_in(t, group, &group->members[u->count], p);
        u->up += p->is_up;
        census->tunnels += p->tunnels;
    }
    census->upstream_count++;
    return true;
}

static bool upstreams_take(const struct taking *t, struct census *census) {
    const struct model *model = t->hold->snapshot->model;
    census->upstreams = arena_zero(t->arena, model->upstreams.count + 1, sizeof *census->upstreams);
    if (!census->upstreams)
        return false;
    for (size_t i = 0; i < model->upstreams.count; i++)
        if (!upstream_take(t, model->upstreams.items[i], census))
            return false;
    return true;
}

static bool listeners_take(const struct taking *t, struct census *census) {
    const struct engine *engine = t->engine;
    const struct model *model = t->hold->snapshot->model;
    census->listeners = arena_zero(t->arena, model->listens.count + 1, sizeof *census->listeners);
    if (!census->listeners)
        return false;
    for (size_t i = 0; i < model->listens.count; i++) {
        struct census_listener *l = &census->listeners[census->listener_count++];
        l->listen = model->listens.items[i];
        const struct listen_meter *meters = registry_listen(engine->registry, l->listen->text);
        for (unsigned loop = 0; meters && loop < engine->loops; loop++) {
            l->accepted += counter_read(&meters[loop].accepted);
            l->active += counter_read(&meters[loop].active);
        }
    }
    return true;
}

struct census *census_take(const struct engine *engine, const struct snapshot_hold *hold, struct arena *arena) {
    const struct taking t = {engine, hold, arena, engine->loop->now_ms};
    struct census *census = arena_zero(arena, 1, sizeof *census);
    if (!census || !upstreams_take(&t, census) || !listeners_take(&t, census))
        return NULL;
    census->time_ms = clock_wall_ms();
    census->sessions = sid_count(engine->sids);
    for (size_t i = 0; i < hold->snapshot->model->session_zones.count; i++)
        census->sessions += sid_count(hold->snapshot->sessions[i]);
    census->tally = tally_sum(engine->tallies, engine->loops);
    return census;
}
