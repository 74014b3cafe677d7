#include "proxy/guard/zone.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "loop/random.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SHARDS = 8,
    SHARDED_MIN_BYTES = 1 << 20, /* smaller ones have one shard, for what is in it may come all to one */
    STALE_MS = 60000,
    /* what one state takes in nginx beside its key: whoever chose a size counted so */
    REQUEST_STATE_BYTES = 80,
    CONNECTION_STATE_BYTES = 36,
    BUCKET_BYTES = 256, /* of the zone's size for each bucket */
    BUCKETS_MIN = 16,
};

struct zone_state {
    struct list node; /* in the shard's `used`, the most recently used first */
    struct zone_state *next;
    uint64_t hash;
    uint64_t last_ms, excess; /* of requests */
    uint32_t count;           /* pinned by so many requests, or connections */
    uint32_t key_len;
    char key[];
};

struct shard {
    pthread_mutex_t lock;
    struct list used;
    struct zone_state **buckets;
    size_t mask;
    uint64_t bytes, max_bytes;
};

struct zone {
    atomic_uint references;
    enum limit_kind kind;
    uint64_t bytes, seed;
    unsigned shard_count;
    struct shard shards[SHARDS];
    size_t key_len;
    char key[];
};

/* ---- states ---- */

/* What the state counts for: nginx's allocator gives powers of two. */
static uint64_t state_bytes(const struct zone *zone, size_t key_len) {
    uint64_t wanted = (zone->kind == LIMIT_REQUESTS ? REQUEST_STATE_BYTES : CONNECTION_STATE_BYTES) + key_len;
    uint64_t bytes = 64;
    while (bytes < wanted)
        bytes *= 2;
    return bytes;
}

static struct shard *shard_of(struct zone *zone, uint64_t hash) {
    return &zone->shards[(hash >> 56) % zone->shard_count];
}

static struct zone_state **state_place(struct shard *shard, uint64_t hash, struct str key) {
    struct zone_state **at = &shard->buckets[hash & shard->mask];
    while (*at && ((*at)->hash != hash || !str_eq(str_make((*at)->key, (*at)->key_len), key)))
        at = &(*at)->next;
    return at;
}

static void state_remove(const struct zone *zone, struct shard *shard, struct zone_state *state) {
    struct zone_state **at = &shard->buckets[state->hash & shard->mask];
    while (*at != state)
        at = &(*at)->next;
    *at = state->next;
    list_remove(&state->node);
    shard->bytes -= state_bytes(zone, state->key_len);
    mem_free(state);
}

static struct zone_state *state_add(const struct zone *zone, struct shard *shard, struct zone_state **place,
                                    uint64_t hash, struct str key) {
    uint64_t bytes = state_bytes(zone, key.len);
    struct zone_state *state =
        bytes <= shard->max_bytes - shard->bytes ? mem_alloc(sizeof *state + key.len) : NULL;
    if (!state)
        return NULL;
    *state = (struct zone_state){.hash = hash, .key_len = (uint32_t)key.len};
    memcpy(state->key, key.ptr, key.len);
    *place = state;
    list_prepend(&shard->used, &state->node);
    shard->bytes += bytes;
    return state;
}

/* ---- requests ---- */

static uint64_t excess_now(const struct zone_state *state, uint64_t rate, uint64_t now_ms, uint64_t more) {
    /* Loops look at the clock at different moments: another one may have been here a little later. */
    uint64_t ms = now_ms > state->last_ms ? now_ms - state->last_ms : 0;
    uint64_t filled = state->excess + more, drained;
    if (__builtin_mul_overflow(rate, ms, &drained))
        return 0;
    drained /= 1000;
    return filled > drained ? filled - drained : 0;
}

static void state_count(struct zone_state *state, uint64_t excess, uint64_t now_ms) {
    state->excess = excess;
    if (now_ms > state->last_ms)
        state->last_ms = now_ms;
}

/* Makes room: one or two states that stand for nothing any more; with `by_force` first the oldest whatever it
 * stands for. */
static void states_expire(const struct zone *zone, struct shard *shard, uint64_t rate, uint64_t now_ms,
                          bool by_force) {
    for (int i = by_force ? 0 : 1; i < 3 && !list_is_empty(&shard->used); i++) {
        struct zone_state *oldest = LIST_OF(shard->used.prev, struct zone_state, node);
        if (oldest->count)
            return;
        bool is_stale = now_ms >= oldest->last_ms + STALE_MS && excess_now(oldest, rate, now_ms, 0) == 0;
        if (i > 0 && !is_stale)
            return;
        state_remove(zone, shard, oldest);
    }
}

static struct zone_state *request_state_add(const struct zone *zone, struct shard *shard, uint64_t hash,
                                            struct str key, uint64_t rate, uint64_t now_ms) {
    states_expire(zone, shard, rate, now_ms, false);
    struct zone_state *state = state_add(zone, shard, state_place(shard, hash, key), hash, key);
    if (state)
        return state;
    states_expire(zone, shard, rate, now_ms, true);
    return state_add(zone, shard, state_place(shard, hash, key), hash, key);
}

static enum zone_answer request_count(const struct zone *zone, struct shard *shard, uint64_t hash,
                                      struct str key, const struct request_limit *limit, uint64_t now_ms,
                                      bool accounts, uint64_t *excess, struct zone_state **found) {
    struct zone_state *state = *state_place(shard, hash, key);
    *excess = 0;
    if (state) {
        list_remove(&state->node);
        list_prepend(&shard->used, &state->node);
        *excess = excess_now(state, limit->zone->rate, now_ms, 1000);
        if (*excess > limit->burst)
            return ZONE_REFUSES;
    } else {
        state = request_state_add(zone, shard, hash, key, limit->zone->rate, now_ms);
        if (!state)
            return ZONE_IS_FULL;
        if (accounts)
            state->last_ms = now_ms;
    }
    if (accounts) {
        state_count(state, *excess, now_ms);
        return ZONE_PASSES;
    }
    state->count++;
    *found = state;
    return ZONE_PINNED;
}

enum zone_answer zone_request(struct zone *zone, struct str key, const struct request_limit *limit,
                              uint64_t now_ms, bool accounts, uint64_t *excess, struct zone_state **state) {
    uint64_t hash = hash_str(key, zone->seed);
    struct shard *shard = shard_of(zone, hash);
    pthread_mutex_lock(&shard->lock);
    enum zone_answer answer = request_count(zone, shard, hash, key, limit, now_ms, accounts, excess, state);
    pthread_mutex_unlock(&shard->lock);
    return answer;
}

uint64_t zone_account(struct zone *zone, struct zone_state *state, uint64_t rate, uint64_t now_ms) {
    struct shard *shard = shard_of(zone, state->hash);
    pthread_mutex_lock(&shard->lock);
    uint64_t excess = excess_now(state, rate, now_ms, 1000);
    state_count(state, excess, now_ms);
    state->count--;
    pthread_mutex_unlock(&shard->lock);
    return excess;
}

void zone_unpin(struct zone *zone, struct zone_state *state) {
    struct shard *shard = shard_of(zone, state->hash);
    pthread_mutex_lock(&shard->lock);
    state->count--;
    pthread_mutex_unlock(&shard->lock);
}

/* ---- connections ---- */

static enum zone_answer connection_count(const struct zone *zone, struct shard *shard, uint64_t hash,
                                         struct str key, unsigned most, struct zone_state **found) {
    struct zone_state **place = state_place(shard, hash, key);
    struct zone_state *state = *place ? *place : state_add(zone, shard, place, hash, key);
    if (!state)
        return ZONE_IS_FULL;
    if (state->count >= most)
        return ZONE_REFUSES;
    state->count++;
    *found = state;
    return ZONE_PINNED;
}

enum zone_answer zone_enter(struct zone *zone, struct str key, unsigned most, struct zone_state **state) {
    uint64_t hash = hash_str(key, zone->seed);
    struct shard *shard = shard_of(zone, hash);
    pthread_mutex_lock(&shard->lock);
    enum zone_answer answer = connection_count(zone, shard, hash, key, most, state);
    pthread_mutex_unlock(&shard->lock);
    return answer;
}

void zone_leave(struct zone *zone, struct zone_state *state) {
    struct shard *shard = shard_of(zone, state->hash);
    pthread_mutex_lock(&shard->lock);
    if (--state->count == 0)
        state_remove(zone, shard, state);
    pthread_mutex_unlock(&shard->lock);
}

/* ---- zones ---- */

static void shard_fini(const struct zone *zone, struct shard *shard) {
    while (!list_is_empty(&shard->used))
        state_remove(zone, shard, LIST_OF(shard->used.next, struct zone_state, node));
    mem_free(shard->buckets);
    pthread_mutex_destroy(&shard->lock);
}

static bool shard_init(struct shard *shard, uint64_t max_bytes) {
    size_t buckets = BUCKETS_MIN;
    while (buckets < max_bytes / BUCKET_BYTES)
        buckets *= 2;
    shard->mask = buckets - 1;
    shard->max_bytes = max_bytes;
    shard->buckets = mem_zero(buckets, sizeof *shard->buckets);
    list_init(&shard->used);
    pthread_mutex_init(&shard->lock, NULL);
    return shard->buckets != NULL;
}

struct zone *zone_new(const struct limit_zone *wanted) {
    struct zone *zone = mem_zero(1, sizeof *zone + wanted->key_text.len);
    if (!zone)
        return NULL;
    atomic_init(&zone->references, 1);
    zone->kind = wanted->kind;
    zone->bytes = wanted->bytes;
    random_fill(&zone->seed, sizeof zone->seed);
    zone->key_len = wanted->key_text.len;
    memcpy(zone->key, wanted->key_text.ptr, wanted->key_text.len);
    unsigned count = wanted->bytes < SHARDED_MIN_BYTES ? 1 : SHARDS;
    bool is_whole = true;
    for (; zone->shard_count < count; zone->shard_count++)
        is_whole &= shard_init(&zone->shards[zone->shard_count], wanted->bytes / count);
    if (is_whole)
        return zone;
    zone_drop(zone);
    return NULL;
}

void zone_take(struct zone *zone) {
    atomic_fetch_add_explicit(&zone->references, 1, memory_order_relaxed);
}

void zone_drop(struct zone *zone) {
    if (!zone || atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < zone->shard_count; i++)
        shard_fini(zone, &zone->shards[i]);
    mem_free(zone);
}

bool zone_fits(const struct zone *zone, const struct limit_zone *wanted) {
    return zone->kind == wanted->kind && zone->bytes == wanted->bytes;
}

struct str zone_key_text(const struct zone *zone) {
    return str_make(zone->key, zone->key_len);
}
