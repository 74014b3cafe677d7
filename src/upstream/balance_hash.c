#include "upstream/balance.h"

#include "base/mem.h"

#include <stdlib.h>
#include <zlib.h>

/* ---- hash KEY: the sum of a 15-bit CRC a try, as Cache::Memcached has it ---- */

static uint32_t crc(uint32_t start, struct str s) {
    /* zlib's length is 32 bits wide */
    for (; s.len > UINT32_MAX; s = str_from(s, UINT32_MAX))
        start = (uint32_t)crc32(start, (const Bytef *)s.ptr, UINT32_MAX);
    return s.len ? (uint32_t)crc32(start, (const Bytef *)s.ptr, (uInt)s.len) : start;
}

/* From the second try on the key is hashed with the number of the try before it. */
static uint32_t hash_of_try(struct str key, unsigned rehash) {
    char memory[24];
    struct builder number = builder_make(memory, sizeof memory);
    if (rehash)
        builder_u64(&number, rehash);
    return crc(crc(0, builder_view(&number)), key) >> 16 & 0x7fff;
}

unsigned balance_hash(const struct group *group, struct pick *pick, uint64_t now_ms) {
    if (group->primaries < 2 || str_is_empty(pick->key))
        return BALANCE_NONE;
    for (; pick->misses <= BALANCE_HASHES_MAX; pick->misses++) {
        pick->hash += hash_of_try(pick->key, pick->hashes++);
        unsigned index = balance_by_weight(group, pick->hash % group->total_weight);
        if (balance_may_give(group, pick, index, now_ms))
            return index;
    }
    return BALANCE_NONE;
}

/* ---- hash KEY consistent: the ring of Cache::Memcached::Fast ---- */

enum { POINTS_A_WEIGHT = 160 };

struct point {
    uint32_t hash;
    unsigned member; /* the first one whose server has this name */
};

struct group_ring {
    size_t count;
    unsigned *next; /* of each member: the next with the same name; BALANCE_NONE ends */
    struct point points[];
};

static int point_order(const void *a, const void *b) {
    const struct point *one = a, *two = b;
    if (one->hash != two->hash)
        return one->hash < two->hash ? -1 : 1;
    return one->member < two->member ? -1 : one->member > two->member;
}

/* A server's name as written: host and port of "app01:3000", the path behind "unix:". */
static void name_split(struct str name, struct str *host, struct str *port) {
    *host = name;
    *port = STR("");
    if (str_starts_nocase(name, STR("unix:"))) {
        *host = str_from(name, 5);
        return;
    }
    size_t at = name.len;
    while (at && name.ptr[at - 1] >= '0' && name.ptr[at - 1] <= '9')
        at--;
    if (at && name.ptr[at - 1] == ':') {
        *host = str_head(name, at - 1);
        *port = str_from(name, at);
    }
}

static void points_add(struct group_ring *ring, unsigned index, const struct member *member) {
    struct str host, port;
    name_split(member->server->name, &host, &port);
    uint32_t base = crc(crc(crc(0, host), STR("\0")), port), hash = 0;
    for (size_t i = 0; i < (size_t)member->weight * POINTS_A_WEIGHT; i++) {
        const unsigned char before[4] = {(unsigned char)hash, (unsigned char)(hash >> 8),
                                         (unsigned char)(hash >> 16), (unsigned char)(hash >> 24)};
        hash = (uint32_t)crc32(base, before, sizeof before);
        ring->points[ring->count++] = (struct point){hash, index};
    }
}

/* The first member of the same name, to whose chain this one is added; itself when it is the first. */
static unsigned name_join(const struct group *group, unsigned *next, unsigned index) {
    next[index] = BALANCE_NONE;
    for (unsigned i = 0; i < index; i++) {
        if (!str_eq(group->members[i].server->name, group->members[index].server->name))
            continue;
        unsigned last = i;
        while (next[last] != BALANCE_NONE)
            last = next[last];
        next[last] = index;
        return i;
    }
    return index;
}

struct group_ring *balance_hash_ring(const struct group *group) {
    size_t size;
    if (__builtin_mul_overflow(group->total_weight, POINTS_A_WEIGHT * sizeof(struct point), &size) ||
        __builtin_add_overflow(size, sizeof(struct group_ring), &size))
        return NULL;
    struct group_ring *ring = mem_alloc(size);
    unsigned *next = mem_zero(group->primaries, sizeof *next);
    if (!ring || !next) {
        mem_free(ring);
        mem_free(next);
        return NULL;
    }
    *ring = (struct group_ring){.next = next};
    for (unsigned i = 0; i < group->primaries; i++)
        points_add(ring, name_join(group, next, i), &group->members[i]);
    qsort(ring->points, ring->count, sizeof ring->points[0], point_order);
    size_t kept = 0;
    for (size_t i = 0; i < ring->count; i++)
        if (!kept || ring->points[i].hash != ring->points[kept - 1].hash)
            ring->points[kept++] = ring->points[i];
    ring->count = kept;
    return ring;
}

void balance_hash_ring_free(struct group_ring *ring) {
    if (ring)
        mem_free(ring->next);
    mem_free(ring);
}

/* The first point not below the hash; one past the last when there is none. */
static uint32_t point_find(const struct group_ring *ring, uint32_t hash) {
    size_t low = 0, high = ring->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ring->points[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

unsigned balance_hash_consistent(const struct group *group, struct pick *pick, uint64_t now_ms) {
    if (group->primaries < 2 || str_is_empty(pick->key))
        return BALANCE_NONE;
    const struct group_ring *ring = group->ring;
    if (!pick->hashes++)
        pick->hash = point_find(ring, crc(0, pick->key));
    for (; pick->misses <= BALANCE_HASHES_MAX; pick->misses++, pick->hash++) {
        struct round round = balance_begin(group, pick->loop);
        unsigned index = ring->points[pick->hash % ring->count].member;
        for (; index != BALANCE_NONE; index = ring->next[index])
            if (balance_may_give(group, pick, index, now_ms))
                balance_enter(&round, index);
        if (round.best != BALANCE_NONE)
            return balance_end(&round);
    }
    return BALANCE_NONE;
}
