#ifndef TESTS_UNIT_UPSTREAM_FIXTURE_H
#define TESTS_UNIT_UPSTREAM_FIXTURE_H

#include "../unit.h"

#include "upstream/group.h"

#include <stdio.h>

/* An upstream with servers on literal addresses, as a group for one loop or more. */

enum { FIXTURE_SERVERS = 32 };

struct fixture {
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    struct registry *registry;
    struct upstream upstream;
    struct upstream_server servers[FIXTURE_SERVERS];
    char names[FIXTURE_SERVERS][64];
    struct group *group;
    struct pick pick;
};

static inline void fixture_init(struct fixture *f, enum balance balance) {
    memset(f, 0, sizeof *f);
    arena_pool_init(&f->pool, 4, 1 << 20);
    arena_init(&f->arena, &f->pool);
    diagnostics_init(&f->diagnostics, &f->arena);
    f->registry = registry_new(4);
    assert_non_null(f->registry);
    f->upstream.name = STR("nodes");
    f->upstream.balance = balance;
    f->upstream.servers.items = f->servers;
}

static inline struct upstream_server *fixture_server(struct fixture *f, unsigned weight) {
    size_t index = f->upstream.servers.count++;
    assert_true(index < FIXTURE_SERVERS);
    snprintf(f->names[index], sizeof f->names[index], "127.0.0.1:%zu", 3001 + index);
    f->servers[index] = (struct upstream_server){.name = str_of(f->names[index]),
                                                 .host = STR("127.0.0.1"),
                                                 .port = (uint16_t)(3001 + index),
                                                 .weight = weight,
                                                 .max_fails = 1,
                                                 .fail_timeout_ms = 10000};
    return &f->servers[index];
}

static inline void fixture_begin(struct fixture *f, unsigned loops) {
    f->group = group_new(&f->upstream, f->registry, loops, &f->diagnostics);
    assert_non_null(f->group);
}

/* So many servers of one weight, by turns. */
static inline void fixture_begin_equal(struct fixture *f, unsigned count, unsigned loops) {
    fixture_init(f, BALANCE_ROUND_ROBIN);
    for (unsigned i = 0; i < count; i++)
        fixture_server(f, 1);
    fixture_begin(f, loops);
}

static inline void fixture_fini(struct fixture *f) {
    group_free(f->group);
    registry_free(f->registry);
    arena_fini(&f->arena);
    arena_pool_fini(&f->pool);
}

/* A new request's first member on this loop; NULL when there is none. It is left in f->pick. */
static inline struct member *fixture_pick(struct fixture *f, unsigned loop, uint64_t now_ms) {
    f->pick = (struct pick){.loop = loop};
    return group_pick(f->group, &f->pick, now_ms);
}

static inline int fixture_index(const struct fixture *f, const struct member *member) {
    return member ? (int)(member - f->group->members) : -1;
}

/* The members that `count` requests get, as letters. */
static inline const char *fixture_letters(struct fixture *f, unsigned loop, size_t count, uint64_t now_ms) {
    static char letters[128];
    assert_true(count < sizeof letters);
    for (size_t i = 0; i < count; i++) {
        struct member *member = fixture_pick(f, loop, now_ms);
        letters[i] = (char)(member ? 'a' + fixture_index(f, member) : '-');
    }
    letters[count] = '\0';
    return letters;
}

#endif
