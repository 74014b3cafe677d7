#include "admin/history.h"

#include "base/mem.h"
#include "loop/clock.h"

#include <pthread.h>

struct past {
    uint64_t key;      /* a hash of the upstream's; 0: of all */
    uint64_t noted_ms; /* of the loop's clock */
    uint64_t requests, failures, bytes;
    unsigned count, next;
    struct history_sample samples[HISTORY_SAMPLES];
};

struct history {
    pthread_mutex_t lock;
    struct history_facts facts;
    uint64_t noted_ms;
    size_t count, room;
    struct past *pasts;
};

struct history *history_new(void) {
    struct history *history = mem_zero(1, sizeof *history);
    if (history && pthread_mutex_init(&history->lock, NULL)) {
        mem_free(history);
        return NULL;
    }
    if (history)
        history->facts = (struct history_facts){
            .started_ms = clock_wall_ms(), .reload_ms = clock_wall_ms(), .is_reload_done = true};
    return history;
}

void history_free(struct history *history) {
    if (!history)
        return;
    pthread_mutex_destroy(&history->lock);
    mem_free(history->pasts);
    mem_free(history);
}

static struct past *past_find(struct history *history, uint64_t key) {
    for (size_t i = 0; i < history->count; i++)
        if (history->pasts[i].key == key)
            return &history->pasts[i];
    return NULL;
}

static struct past *past_of(struct history *history, uint64_t key) {
    struct past *past = past_find(history, key);
    if (past)
        return past;
    if (history->count == history->room) {
        size_t room = history->room ? history->room * 2 : 4;
        struct past *pasts = mem_resize(history->pasts, room * sizeof *pasts);
        if (!pasts)
            return NULL;
        history->pasts = pasts;
        history->room = room;
    }
    past = &history->pasts[history->count++];
    *past = (struct past){.key = key};
    return past;
}

struct standing {
    uint64_t requests, failures, bytes;
    unsigned tunnels;
};

static struct standing standing_of(const struct census_upstream *u) {
    struct standing standing = {0};
    for (size_t i = 0; i < u->count; i++) {
        const struct census_peer *peer = &u->peers[i];
        standing.requests += peer->sum.requests;
        standing.bytes += peer->sum.bytes_up + peer->sum.bytes_down;
        standing.tunnels += peer->tunnels;
        for (unsigned why = 0; why < WHY_COUNT; why++)
            standing.failures += peer->sum.failures[why];
    }
    return standing;
}

/* Peers that went take their counts with them: a sum that became less has no difference. */
static uint32_t difference(uint64_t now, uint64_t before) {
    return now > before && now - before < UINT32_MAX ? (uint32_t)(now - before) : 0;
}

static void past_add(struct history *history, uint64_t key, const struct standing *now) {
    struct past *past = past_of(history, key);
    if (!past)
        return;
    past->noted_ms = history->noted_ms;
    bool is_first = past->count == 0;
    past->samples[past->next] =
        (struct history_sample){.requests = is_first ? 0 : difference(now->requests, past->requests),
                                .failures = is_first ? 0 : difference(now->failures, past->failures),
                                .tunnels = now->tunnels,
                                .bytes = is_first || now->bytes < past->bytes ? 0 : now->bytes - past->bytes};
    past->requests = now->requests;
    past->failures = now->failures;
    past->bytes = now->bytes;
    past->next = (past->next + 1) % HISTORY_SAMPLES;
    past->count += past->count < HISTORY_SAMPLES;
}

/* Upstreams that a reload took away. */
static void pasts_drop(struct history *history) {
    for (size_t i = history->count; i-- > 0;)
        if (history->pasts[i].noted_ms != history->noted_ms)
            history->pasts[i] = history->pasts[--history->count];
}

static void census_note(struct history *history, const struct census *census) {
    struct standing all = {0};
    for (size_t i = 0; i < census->upstream_count; i++) {
        const struct census_upstream *u = &census->upstreams[i];
        struct standing now = standing_of(u);
        past_add(history, peer_hash_upstream(u->upstream->key), &now);
        all.requests += now.requests;
        all.failures += now.failures;
        all.bytes += now.bytes;
        all.tunnels += now.tunnels;
    }
    past_add(history, 0, &all);
    pasts_drop(history);
}

void history_note(struct history *history, struct engine *engine) {
    struct arena arena;
    if (engine->loop->now_ms - history->noted_ms < HISTORY_STEP_MS)
        return;
    history->noted_ms = engine->loop->now_ms;
    arena_init(&arena, &engine->arenas);
    const struct census *census = census_take(engine, engine->hold, &arena);
    if (census) {
        pthread_mutex_lock(&history->lock);
        census_note(history, census);
        pthread_mutex_unlock(&history->lock);
    }
    arena_fini(&arena);
}

size_t history_read(struct history *history, struct str key, struct history_sample samples[HISTORY_SAMPLES]) {
    pthread_mutex_lock(&history->lock);
    const struct past *past = past_find(history, key.len ? peer_hash_upstream(key) : 0);
    size_t count = past ? past->count : 0;
    for (size_t i = 0; i < count; i++)
        samples[i] = past->samples[(past->next + HISTORY_SAMPLES - count + i) % HISTORY_SAMPLES];
    pthread_mutex_unlock(&history->lock);
    return count;
}

void history_note_reload(struct history *history, bool is_done) {
    pthread_mutex_lock(&history->lock);
    history->facts.reloads_done += is_done;
    history->facts.reloads_failed += !is_done;
    history->facts.reload_ms = clock_wall_ms();
    history->facts.is_reload_done = is_done;
    pthread_mutex_unlock(&history->lock);
}

struct history_facts history_facts(struct history *history) {
    pthread_mutex_lock(&history->lock);
    struct history_facts facts = history->facts;
    pthread_mutex_unlock(&history->lock);
    return facts;
}
