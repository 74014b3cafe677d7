#include "base/arena.h"

#include "base/mem.h"

/* 1: each allocation is a block of its own, so that a sanitizer sees who goes past its end. */
#ifndef ARENA_APART
#define ARENA_APART 0
#endif

struct arena_page {
    struct arena_page *next;
    size_t size; /* of the whole block */
    char bytes[];
};

void arena_pool_init(struct arena_pool *pool, size_t spare_max, size_t max_bytes) {
    *pool = (struct arena_pool){.spare_max = spare_max, .max_bytes = max_bytes};
}

void arena_pool_fini(struct arena_pool *pool) {
    while (pool->spare) {
        struct arena_page *page = pool->spare;
        pool->spare = page->next;
        mem_free(page);
    }
    pool->spare_count = 0;
}

void arena_init(struct arena *arena, struct arena_pool *pool) {
    *arena = (struct arena){.pool = pool};
}

static void page_return(struct arena_pool *pool, struct arena_page *page) {
    pool->bytes_out -= page->size;
    if (page->size == ARENA_PAGE && pool->spare_count < pool->spare_max) {
        page->next = pool->spare;
        pool->spare = page;
        pool->spare_count++;
        return;
    }
    mem_free(page);
}

void arena_fini(struct arena *arena) {
    while (arena->pages) {
        struct arena_page *page = arena->pages;
        arena->pages = page->next;
        page_return(arena->pool, page);
    }
    arena->at = arena->end = NULL;
}

static struct arena_page *page_take(struct arena_pool *pool, size_t size) {
    struct arena_page *page = NULL;
    if (size > pool->max_bytes - pool->bytes_out)
        return NULL;
    if (size == ARENA_PAGE && pool->spare) {
        page = pool->spare;
        pool->spare = page->next;
        pool->spare_count--;
    } else {
        page = mem_alloc(size);
    }
    if (page) {
        page->size = size;
        pool->bytes_out += size;
    }
    return page;
}

void *arena_grow(struct arena *arena, size_t size) {
    enum { HEAD = sizeof(struct arena_page) };
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t rounded = ARENA_APART ? size + !size : (size + !size + 7) & ~(size_t)7;
    bool is_large = ARENA_APART || rounded > (ARENA_PAGE - HEAD) / 2;
    struct arena_page *page = page_take(arena->pool, is_large ? HEAD + rounded : ARENA_PAGE);
    if (!page)
        return NULL;
    if (is_large && arena->pages) { /* keep filling the page in use */
        page->next = arena->pages->next;
        arena->pages->next = page;
        return page->bytes;
    }
    page->next = arena->pages;
    arena->pages = page;
    arena->at = page->bytes + rounded;
    arena->end = (char *)page + page->size;
    return page->bytes;
}

void *arena_zero(struct arena *arena, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *block = arena_alloc(arena, total);
    return block ? memset(block, 0, total) : NULL;
}

struct str arena_copy(struct arena *arena, struct str s) {
    char *copy = s.len < SIZE_MAX ? arena_alloc(arena, s.len + 1) : NULL;
    if (!copy)
        return (struct str){NULL, 0};
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return str_make(copy, s.len);
}
