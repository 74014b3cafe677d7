#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

/* Memory that is given back all at once. An arena takes pages from a pool, which keeps some for the
 * next one; one pool belongs to one thread. Nothing in an arena is freed singly. */

enum { ARENA_PAGE = 4096 };

struct arena_page;

struct arena_pool {
    struct arena_page *spare; /* standard pages kept for reuse */
    size_t spare_count, spare_max;
    size_t bytes_out, max_bytes; /* bytes in arenas now, and the budget for them */
};

struct arena {
    struct arena_page *pages; /* newest first */
    char *at, *end;
    struct arena_pool *pool;
};

/* Keeps up to spare_max pages between uses, and hands out at most max_bytes at once. */
void arena_pool_init(struct arena_pool *pool, size_t spare_max, size_t max_bytes);
void arena_pool_fini(struct arena_pool *pool);

/* An arena without pages: costs nothing until its first allocation. The pool outlives it. */
void arena_init(struct arena *arena, struct arena_pool *pool);
/* Gives every page back; the arena may be used again. */
void arena_fini(struct arena *arena);

void *arena_grow(struct arena *arena, size_t size);

/* `size` bytes aligned to 8, uninitialised; NULL only when memory or the pool's budget is at its end: a size of
 * 0 gives a pointer too. */
static inline void *arena_alloc(struct arena *arena, size_t size) {
    size_t rounded = (size + !size + 7) & ~(size_t)7;
    if (__builtin_expect(rounded < size || rounded > (size_t)(arena->end - arena->at), 0))
        return arena_grow(arena, size);
    void *block = arena->at;
    arena->at += rounded;
    return block;
}

/* The same, zeroed. */
void *arena_zero(struct arena *arena, size_t count, size_t size);
/* A copy of s in the arena, followed by a NUL that its length does not count; ptr is NULL without memory. */
struct str arena_copy(struct arena *arena, struct str s);

#endif
