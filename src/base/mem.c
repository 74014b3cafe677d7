#include "base/mem.h"

#include <stdlib.h>

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

void mem_fail_after(uint64_t count) {
    calls_left = count;
}

void mem_fail_never(void) {
    calls_left = UINT64_MAX;
}
