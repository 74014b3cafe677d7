#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

static _Thread_local uint64_t calls_left = UINT64_MAX;

static int is_refused(void) {
    if (__builtin_expect(calls_left == UINT64_MAX, 1))
        return 0;
    if (calls_left == 0)
        return 1;
    calls_left--;
    return 0;
}

void *mem_alloc(size_t size) {
    return is_refused() ? NULL : malloc(size ? size : 1);
}

void *mem_zero(size_t count, size_t size) {
    return is_refused() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *mem_resize(void *block, size_t size) {
    return is_refused() ? NULL : realloc(block, size ? size : 1);
}

void *mem_aligned(size_t alignment, size_t size) {
    size_t padded;
    if (is_refused() || __builtin_add_overflow(size, alignment - 1, &padded))
        return NULL;
    return aligned_alloc(alignment, padded & ~(alignment - 1));
}

void mem_free(void *block) {
    free(block);
}

static char *pages_map(size_t size) {
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void *mem_block(size_t size) {
    char *pages = is_refused() ? NULL : pages_map(size);
    if (!pages || ((uintptr_t)pages & (size - 1)) == 0)
        return pages;
    munmap(pages, size); /* not aligned by luck: twice as much has an aligned half in it */
    pages = pages_map(size * 2);
    if (!pages)
        return NULL;
    size_t before = (size - ((uintptr_t)pages & (size - 1))) & (size - 1);
    if (before)
        munmap(pages, before);
    munmap(pages + before + size, size - before);
    return pages + before;
}

void mem_block_free(void *block, size_t size) {
    if (block)
        munmap(block, size);
}

void mem_fail_after(uint64_t count) {
    calls_left = count;
}

void mem_fail_never(void) {
    calls_left = UINT64_MAX;
}
