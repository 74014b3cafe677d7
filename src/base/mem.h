#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* The heap. The only file that calls malloc; everybody else gets memory here or from an arena or slab. */

/* Uninitialised memory, or NULL. A size of 0 gives a unique pointer. */
void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));
/* Zeroed memory for `count` objects of `size` bytes, or NULL, also on overflow of the product. */
void *mem_zero(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* As realloc; on NULL the old block stays. */
void *mem_resize(void *block, size_t size) __attribute__((warn_unused_result));
/* A block of `size` bytes aligned to `alignment`, a power of two; given back with mem_free. */
void *mem_aligned(size_t alignment, size_t size) __attribute__((malloc, warn_unused_result));
void mem_free(void *block);
/* `size` bytes, a power of two of at least a page, aligned to their own size and zeroed, straight from the
 * system and back to it: for what comes and goes in bulk, so that a burst leaves nothing behind. */
void *mem_block(size_t size) __attribute__((malloc, warn_unused_result));
void mem_block_free(void *block, size_t size);

/* For tests: the call after `count` more successful ones on this thread gives NULL, and so do all that
 * follow until mem_fail_never. */
void mem_fail_after(uint64_t count);
void mem_fail_never(void);

#endif
