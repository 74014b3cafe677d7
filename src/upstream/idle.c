#include "upstream/idle.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/slab.h"

#include <errno.h>

/* Connections at rest hang on the shelf of their peer. A shelf stays for a while when its last connection is
 * taken, so that the next request finds it and neither memory nor the peer's count is touched. Shelves are
 * found by their peer's address in memory, but walked only along the pool's list, in the order made. */

enum { BUCKETS = 64, TIDY_MS = 10000 };

/* What counts against one upstream's `keepalive`: the shelves of all its peers. */
struct room {
    struct list node;  /* of the pool */
    struct list rests; /* oldest first */
    uint64_t upstream_hash;
    size_t shelves, count;
};

struct shelf {
    struct list node;  /* of the pool */
    struct list chain; /* of the bucket */
    struct list rests; /* oldest first */
    struct peer *peer; /* a reference is held */
    struct room *room;
    uint64_t kind; /* of its connections: how they are encrypted */
    size_t count;
    bool is_unused; /* had no connection when last tidied, and none was put since */
};

struct rest {
    struct list node; /* of the shelf */
    struct list age;  /* of the room */
    struct timer timer;
    struct idle_pool *pool;
    struct shelf *shelf;
    struct duct *duct;
    uint64_t requests, born_ms;
};

struct idle_pool {
    struct loop *loop;
    struct list shelves, rooms;
    struct list buckets[BUCKETS];
    struct slab rests;
    struct timer tidy; /* armed while there is a shelf */
    size_t count;
};

static void tidy_fire(struct timer *timer);

struct idle_pool *idle_pool_new(struct loop *loop) {
    struct idle_pool *pool = mem_zero(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->loop = loop;
    list_init(&pool->shelves);
    list_init(&pool->rooms);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&pool->buckets[i]);
    slab_init(&pool->rests, sizeof(struct rest));
    timer_init(&pool->tidy, tidy_fire);
    return pool;
}

/* ---- shelves ---- */

static struct list *bucket_of(struct idle_pool *pool, const struct peer *peer) {
    return &pool->buckets[((uintptr_t)peer >> 6) * 0x9e3779b97f4a7c15u >> 58];
}

static struct shelf *shelf_find(struct idle_pool *pool, const struct peer *peer, uint64_t kind) {
    struct list *bucket = bucket_of(pool, peer);
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct shelf *shelf = LIST_OF(node, struct shelf, chain);
        if (shelf->peer == peer && shelf->kind == kind)
            return shelf;
    }
    return NULL;
}

static struct room *room_take(struct idle_pool *pool, uint64_t upstream_hash) {
    struct room *room = NULL;
    LIST_EACH (&pool->rooms, node)
        if (LIST_OF(node, struct room, node)->upstream_hash == upstream_hash)
            room = LIST_OF(node, struct room, node);
    if (!room) {
        room = mem_zero(1, sizeof *room);
        if (!room)
            return NULL;
        room->upstream_hash = upstream_hash;
        list_init(&room->rests);
        list_append(&pool->rooms, &room->node);
    }
    room->shelves++;
    return room;
}

static void room_drop(struct room *room) {
    if (--room->shelves)
        return;
    list_remove(&room->node);
    mem_free(room);
}

static struct shelf *shelf_new(struct idle_pool *pool, struct peer *peer, uint64_t kind) {
    struct shelf *shelf = mem_zero(1, sizeof *shelf);
    struct room *room = shelf ? room_take(pool, peer->upstream_hash) : NULL;
    if (!room) {
        mem_free(shelf);
        return NULL;
    }
    shelf->room = room;
    shelf->peer = peer;
    shelf->kind = kind;
    peer_take(peer);
    list_init(&shelf->rests);
    list_append(&pool->shelves, &shelf->node);
    list_append(bucket_of(pool, peer), &shelf->chain);
    if (!timer_is_armed(&pool->tidy))
        loop_arm(pool->loop, &pool->tidy, TIDY_MS);
    return shelf;
}

static void shelf_free(struct shelf *shelf) {
    list_remove(&shelf->node);
    list_remove(&shelf->chain);
    room_drop(shelf->room);
    peer_drop(shelf->peer);
    mem_free(shelf);
}

/* A shelf goes when it was found empty twice and nothing was put there in between. */
static void tidy_fire(struct timer *timer) {
    struct idle_pool *pool = LIST_OF(timer, struct idle_pool, tidy);
    LIST_EACH (&pool->shelves, node) {
        struct shelf *shelf = LIST_OF(node, struct shelf, node);
        if (shelf->count)
            continue;
        if (shelf->is_unused)
            shelf_free(shelf);
        else
            shelf->is_unused = true;
    }
    if (!list_is_empty(&pool->shelves))
        loop_arm(pool->loop, &pool->tidy, TIDY_MS);
}

/* ---- connections ---- */

/* Gives back the record; the connection is the caller's. */
static struct duct *rest_end(struct rest *rest) {
    struct idle_pool *pool = rest->pool;
    struct duct *duct = rest->duct;
    list_remove(&rest->node);
    list_remove(&rest->age);
    timer_disarm(&rest->timer);
    rest->shelf->count--;
    rest->shelf->room->count--;
    pool->count--;
    slab_free(&pool->rests, rest);
    return duct;
}

static void shelf_clear(struct shelf *shelf) {
    while (!list_is_empty(&shelf->rests))
        duct_close(rest_end(LIST_OF(shelf->rests.next, struct rest, node)));
}

void idle_pool_trim(struct idle_pool *pool) {
    slab_trim(&pool->rests);
}

void idle_pool_free(struct idle_pool *pool) {
    if (!pool)
        return;
    LIST_EACH (&pool->shelves, node) {
        struct shelf *shelf = LIST_OF(node, struct shelf, node);
        shelf_clear(shelf);
        shelf_free(shelf);
    }
    CHECK(pool->count == 0, "%zu idle connections left", pool->count);
    timer_disarm(&pool->tidy);
    slab_fini(&pool->rests);
    mem_free(pool);
}

/* Nothing to be read, not even an end. Costs a call only where the last read may have left something. */
static bool is_quiet(struct duct *duct) {
    char byte;
    return !duct->has_end && (!duct->can_read || duct_recv(duct, &byte, 1) == -EAGAIN);
}

static void rest_ready(struct duct *duct) {
    if (!is_quiet(duct))
        duct_close(rest_end(duct->owner));
}

static void rest_fire(struct timer *timer) {
    duct_close(rest_end(LIST_OF(timer, struct rest, timer)));
}

struct idle_lease idle_take(struct idle_pool *pool, const struct peer *peer, uint64_t kind) {
    struct shelf *shelf = shelf_find(pool, peer, kind);
    if (!shelf || !shelf->count)
        return (struct idle_lease){0};
    struct rest *rest = LIST_OF(shelf->rests.prev, struct rest, node);
    struct idle_lease lease = {.requests = rest->requests, .born_ms = rest->born_ms};
    lease.duct = rest_end(rest);
    return lease;
}

void idle_put(struct idle_pool *pool, struct peer *peer, struct idle_lease lease, uint64_t keep_ms,
              size_t most) {
    struct duct *duct = lease.duct;
    struct shelf *shelf = NULL;
    if (most && keep_ms && is_quiet(duct)) {
        shelf = shelf_find(pool, peer, lease.kind);
        if (!shelf)
            shelf = shelf_new(pool, peer, lease.kind);
    }
    struct rest *rest = shelf ? slab_new(&pool->rests) : NULL;
    if (!rest) {
        duct_close(duct);
        return;
    }
    *rest = (struct rest){
        .pool = pool, .shelf = shelf, .duct = duct, .requests = lease.requests, .born_ms = lease.born_ms};
    timer_init(&rest->timer, rest_fire);
    loop_arm(pool->loop, &rest->timer, keep_ms);
    list_append(&shelf->rests, &rest->node);
    list_append(&shelf->room->rests, &rest->age);
    shelf->is_unused = false;
    shelf->count++;
    shelf->room->count++;
    pool->count++;
    duct_own(duct, rest_ready, rest);
    if (shelf->room->count > most)
        duct_close(rest_end(LIST_OF(shelf->room->rests.next, struct rest, age)));
}

void idle_close_peer(struct idle_pool *pool, const struct peer *peer) {
    struct list *bucket = bucket_of(pool, peer);
    LIST_EACH (bucket, node) {
        struct shelf *shelf = LIST_OF(node, struct shelf, chain);
        if (shelf->peer == peer)
            shelf_clear(shelf);
    }
}

size_t idle_count(const struct idle_pool *pool) {
    return pool->count;
}
