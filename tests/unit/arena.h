#ifndef UNIT_ARENA_H
#define UNIT_ARENA_H

#include "unit.h"

#include "base/arena.h"

/* One arena for the tests of a file: as the setup and teardown of each or of their group. */
static struct arena_pool pool;
static struct arena arena;

static inline int arena_begin(void **state) {
    (void)state;
    arena_pool_init(&pool, 0, 1 << 24);
    arena_init(&arena, &pool);
    return 0;
}

static inline int arena_end(void **state) {
    (void)state;
    arena_fini(&arena);
    arena_pool_fini(&pool);
    return 0;
}

#endif
