#include "upstream/sid.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "loop/random.h"

#include <pthread.h>

/* An entry is in the chain of its bucket, and while nobody pins it also in its shard's list of idle ones, the
 * longest idle first: what is to be forgotten for its age or for room is at that list's head. */

enum {
    SHARDS_MAX = 256,
    SHARD_ENTRIES_LEAST =
        64, /* fewer shards for a small table, so that the longest idle is nearly the whole's */
    SID_BYTES_MAX = 512,
    BUCKETS_LEAST = 8,
    SWEEP_MAX = SHARDS_MAX * 32, /* entries looked at for all shards */
    LINE = 64
};

struct sid {
    struct sid *next; /* in the bucket */
    struct list idle; /* in no list while pinned */
    struct peer *peer;
    uint64_t hash;
    uint64_t seen_ms; /* learned or last unpinned */
    uint32_t idle_ms;
    uint32_t epoch; /* the peer's when it was learned */
    uint32_t pins;
    uint16_t len;
    bool is_over;   /* to be dropped with its last pin */
    bool is_ending; /* stays for late requests only */
    char text[];
};

/* Everything but `count` is read and written with the lock held. */
struct shard {
    _Alignas(LINE) pthread_mutex_t lock;
    struct sid **buckets; /* NULL while the shard is empty */
    size_t bucket_count;  /* a power of two */
    atomic_size_t count;
    struct list idle;
};

struct sid_table {
    atomic_uint references;
    uint64_t seed;
    size_t shard_count, shard_max; /* entries a shard */
    struct shard shards[];
};

struct sid_table *sid_table_new(size_t max_entries, bool is_exact) {
    size_t count = is_exact ? 1 : SHARDS_MAX;
    while (count > 1 && max_entries / count < SHARD_ENTRIES_LEAST)
        count /= 2;
    struct sid_table *table = mem_aligned(LINE, sizeof *table + count * sizeof(struct shard));
    if (!table)
        return NULL;
    memset(table, 0, sizeof *table + count * sizeof(struct shard));
    atomic_init(&table->references, 1);
    random_fill(&table->seed, sizeof table->seed);
    table->shard_max = max_entries > count ? (max_entries + count - 1) / count : 1;
    for (; table->shard_count < count; table->shard_count++) {
        struct shard *shard = &table->shards[table->shard_count];
        list_init(&shard->idle);
        if (pthread_mutex_init(&shard->lock, NULL)) {
            sid_table_drop(table);
            return NULL;
        }
    }
    return table;
}

/* ---- a shard: what follows is called with its lock held ---- */

static struct sid **place_of(const struct shard *shard, uint64_t hash) {
    return &shard->buckets[hash & (shard->bucket_count - 1)];
}

/* Makes room for the entries or gives it back. Without memory the chains only grow longer, unless there are
 * none at all. */
static bool buckets_resize(struct shard *shard, size_t bucket_count) {
    struct sid **old = shard->buckets;
    size_t old_count = shard->bucket_count;
    struct sid **buckets = mem_zero(bucket_count, sizeof(struct sid *));
    if (!buckets)
        return old != NULL;
    shard->buckets = buckets;
    shard->bucket_count = bucket_count;
    for (size_t i = 0; i < old_count; i++)
        for (struct sid *entry = old[i], *next; entry; entry = next) {
            next = entry->next;
            struct sid **place = place_of(shard, entry->hash);
            entry->next = *place;
            *place = entry;
        }
    mem_free(old);
    return true;
}

static void count_set(struct shard *shard, size_t count) {
    atomic_store_explicit(&shard->count, count, memory_order_relaxed);
}

static size_t count_of(const struct shard *shard) {
    return atomic_load_explicit(&shard->count, memory_order_relaxed);
}

static void peer_enter(struct peer *peer) {
    peer_take(peer);
    atomic_fetch_add_explicit(&peer->sids, 1, memory_order_relaxed);
}

static void peer_leave(struct peer *peer) {
    atomic_fetch_sub_explicit(&peer->sids, 1, memory_order_relaxed);
    peer_drop(peer);
}

static void entry_drop(struct shard *shard, struct sid *entry) {
    struct sid **place = place_of(shard, entry->hash);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    list_remove(&entry->idle);
    peer_leave(entry->peer);
    mem_free(entry);
    size_t left = count_of(shard) - 1;
    count_set(shard, left);
    if (!left) {
        mem_free(shard->buckets);
        shard->buckets = NULL;
        shard->bucket_count = 0;
    } else if (shard->bucket_count > BUCKETS_LEAST && left < shard->bucket_count / 8) {
        buckets_resize(shard, shard->bucket_count / 4);
    }
}

static bool is_expired(const struct sid *entry, uint64_t now_ms) {
    return !entry->pins && now_ms > entry->seen_ms && now_ms - entry->seen_ms > entry->idle_ms;
}

/* NULL also for one that has been idle for too long, which goes at once. */
static struct sid *entry_find(struct shard *shard, uint64_t hash, uint64_t upstream_hash, struct str sid,
                              uint64_t now_ms) {
    if (!shard->buckets)
        return NULL;
    struct sid *entry = *place_of(shard, hash);
    while (entry && !(entry->hash == hash && entry->peer->upstream_hash == upstream_hash &&
                      str_eq(str_make(entry->text, entry->len), sid)))
        entry = entry->next;
    if (!entry || !is_expired(entry, now_ms))
        return entry;
    entry_drop(shard, entry);
    return NULL;
}

/* Room for one more; false when all are in use or without memory. */
static bool room_make(struct shard *shard, size_t most, uint64_t now_ms, bool *is_forced) {
    if (count_of(shard) >= most) {
        if (list_is_empty(&shard->idle))
            return false;
        struct sid *oldest = LIST_OF(shard->idle.next, struct sid, idle);
        *is_forced = !is_expired(oldest, now_ms);
        entry_drop(shard, oldest);
    }
    if (!shard->buckets)
        return buckets_resize(shard, BUCKETS_LEAST);
    if (count_of(shard) >= shard->bucket_count)
        return buckets_resize(shard, shard->bucket_count * 2);
    return true;
}

static struct sid *entry_add(struct shard *shard, uint64_t hash, struct str sid, struct peer *peer) {
    struct sid *entry = mem_alloc(sizeof *entry + sid.len);
    if (!entry)
        return NULL;
    struct sid **place = place_of(shard, hash);
    *entry = (struct sid){.next = *place, .hash = hash, .len = (uint16_t)sid.len, .peer = peer};
    memcpy(entry->text, sid.ptr, sid.len);
    *place = entry;
    peer_enter(peer);
    list_append(&shard->idle, &entry->idle);
    count_set(shard, count_of(shard) + 1);
    return entry;
}

/* ---- the table ---- */

void sid_table_take(struct sid_table *table) {
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
}

void sid_table_drop(struct sid_table *table) {
    if (!table || atomic_fetch_sub(&table->references, 1) > 1)
        return;
    for (size_t i = 0; i < table->shard_count; i++) {
        struct shard *shard = &table->shards[i];
        while (!list_is_empty(&shard->idle))
            entry_drop(shard, LIST_OF(shard->idle.next, struct sid, idle));
        CHECK(!count_of(shard), "%zu sessions of shard %zu are pinned", count_of(shard), i);
        mem_free(shard->buckets); /* there though empty when the first entry found no memory */
        pthread_mutex_destroy(&shard->lock);
    }
    mem_free(table);
}

static uint64_t hash_of(const struct sid_table *table, uint64_t upstream_hash, struct str sid) {
    return hash_str(sid, table->seed ^ upstream_hash);
}

/* The shard comes from the high bits, the bucket in it from the low ones. */
static struct shard *shard_lock(struct sid_table *table, uint64_t hash) {
    struct shard *shard = &table->shards[(hash >> 48) & (table->shard_count - 1)];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

static void entry_set(struct sid *entry, struct peer *peer, uint64_t idle_ms, uint64_t now_ms) {
    if (entry->peer != peer) {
        peer_enter(peer);
        peer_leave(entry->peer);
        entry->peer = peer;
    }
    entry->epoch = atomic_load(&peer->epoch);
    entry->idle_ms = idle_ms < UINT32_MAX ? (uint32_t)idle_ms : UINT32_MAX;
    entry->seen_ms = now_ms;
    entry->is_over = entry->is_ending = false;
}

enum sid_learned sid_learn(struct sid_table *table, struct str sid, struct peer *peer, uint64_t idle_ms,
                           uint64_t now_ms) {
    bool is_forced = false;
    if (str_is_empty(sid) || sid.len > SID_BYTES_MAX)
        return SID_NOT_LEARNED;
    uint64_t hash = hash_of(table, peer->upstream_hash, sid);
    struct shard *shard = shard_lock(table, hash);
    struct sid *entry = entry_find(shard, hash, peer->upstream_hash, sid, now_ms);
    if (!entry && room_make(shard, table->shard_max, now_ms, &is_forced))
        entry = entry_add(shard, hash, sid, peer);
    if (entry) {
        entry_set(entry, peer, idle_ms, now_ms);
        if (!entry->pins) {
            list_remove(&entry->idle);
            list_append(&shard->idle, &entry->idle);
        }
    }
    pthread_mutex_unlock(&shard->lock);
    if (!entry)
        return SID_NOT_LEARNED;
    return is_forced ? SID_LEARNED_FOR_ANOTHER : SID_LEARNED;
}

static bool is_lost(const struct sid *entry) {
    struct peer *peer = entry->peer;
    return atomic_load(&peer->epoch) != entry->epoch || atomic_load(&peer->is_dead) || peer_is_gone(peer);
}

enum sid_verdict sid_find(struct sid_table *table, uint64_t upstream_hash, struct str sid, uint64_t now_ms,
                          struct sid **entry, struct peer **peer) {
    *entry = NULL;
    *peer = NULL;
    uint64_t hash = hash_of(table, upstream_hash, sid);
    struct shard *shard = shard_lock(table, hash);
    struct sid *found = entry_find(shard, hash, upstream_hash, sid, now_ms);
    enum sid_verdict verdict = SID_UNKNOWN;
    if (found) {
        verdict = is_lost(found) ? SID_LOST : SID_HERE;
        found->pins++;
        list_remove(&found->idle);
        *entry = found;
        if (verdict == SID_HERE) {
            *peer = found->peer;
            peer_take(found->peer);
        }
    }
    pthread_mutex_unlock(&shard->lock);
    return verdict;
}

void sid_unpin(struct sid_table *table, struct sid *entry, uint64_t now_ms) {
    struct shard *shard = shard_lock(table, entry->hash);
    CHECK(entry->pins, "session %.*s", (int)entry->len, entry->text);
    if (--entry->pins == 0) {
        if (entry->seen_ms < now_ms)
            entry->seen_ms = now_ms;
        if (entry->is_ending)
            list_prepend(&shard->idle, &entry->idle);
        else
            list_append(&shard->idle, &entry->idle);
        if (entry->is_over)
            entry_drop(shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
}

void sid_forget(struct sid_table *table, struct sid *entry) {
    struct shard *shard = shard_lock(table, entry->hash);
    CHECK(entry->pins, "session %.*s", (int)entry->len, entry->text);
    entry->is_over = true;
    pthread_mutex_unlock(&shard->lock);
}

void sid_end(struct sid_table *table, struct sid *entry) {
    struct shard *shard = shard_lock(table, entry->hash);
    CHECK(entry->pins, "session %.*s", (int)entry->len, entry->text);
    entry->is_ending = true;
    if (entry->idle_ms > SID_LINGER_MS)
        entry->idle_ms = SID_LINGER_MS;
    pthread_mutex_unlock(&shard->lock);
}

void sid_sweep(struct sid_table *table, unsigned loop, unsigned loops, uint64_t now_ms) {
    for (size_t i = loop; i < table->shard_count; i += loops) {
        struct shard *shard = &table->shards[i];
        if (!count_of(shard))
            continue;
        pthread_mutex_lock(&shard->lock);
        size_t looked = 0;
        LIST_EACH (&shard->idle, node) {
            struct sid *entry = LIST_OF(node, struct sid, idle);
            if (looked++ == SWEEP_MAX / table->shard_count || now_ms <= entry->seen_ms)
                break;
            if (is_expired(entry, now_ms))
                entry_drop(shard, entry);
        }
        pthread_mutex_unlock(&shard->lock);
    }
}

size_t sid_count(const struct sid_table *table) {
    size_t count = 0;
    for (size_t i = 0; i < table->shard_count; i++)
        count += count_of(&table->shards[i]);
    return count;
}
