#include "port.h"

#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* base/mem.h with a count of what is out: the system's allocator cannot tell exactly. */

static struct port_memory now;
static uint64_t calls_left = UINT64_MAX;

struct port_memory port_memory(void) {
    return now;
}

static int is_refused(void) {
    now.calls++;
    if (calls_left == UINT64_MAX)
        return 0;
    if (calls_left == 0)
        return 1;
    calls_left--;
    return 0;
}

static void *counted(void *block) {
    if (!block)
        return NULL;
    now.blocks++;
    now.bytes += malloc_usable_size(block);
    if (now.bytes > now.most_bytes)
        now.most_bytes = now.bytes;
    return block;
}

static void uncounted(void *block) {
    now.blocks--;
    now.bytes -= malloc_usable_size(block);
}

void *mem_alloc(size_t size) {
    return is_refused() ? NULL : counted(malloc(size ? size : 1));
}

void *mem_zero(size_t count, size_t size) {
    return is_refused() ? NULL : counted(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *block, size_t size) {
    if (is_refused())
        return NULL;
    size_t old = block ? malloc_usable_size(block) : 0;
    void *grown = realloc(block, size ? size : 1);
    if (!grown)
        return NULL;
    if (block) {
        now.blocks--;
        now.bytes -= old;
    }
    return counted(grown);
}

void *mem_aligned(size_t alignment, size_t size) {
    return is_refused() ? NULL : counted(aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1)));
}

void mem_free(void *block) {
    if (!block)
        return;
    uncounted(block);
    free(block);
}

void *mem_block(size_t size) {
    void *block = mem_aligned(size, size);
    return block ? memset(block, 0, size) : NULL;
}

void mem_block_free(void *block, size_t size) {
    (void)size;
    mem_free(block);
}

void mem_fail_after(uint64_t count) {
    calls_left = count;
}

void mem_fail_never(void) {
    calls_left = UINT64_MAX;
}
