#include "base/slab.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

enum { BLOCK_BYTES = 65536 };

struct slab_block { /* aligned to BLOCK_BYTES, so that an object finds it by its address */
    struct list node;
    void *free; /* each free object's first word points to the next; of an empty block: the next empty block */
    size_t live, untouched;
};

enum { BLOCK_HEAD = 64 }; /* so that objects of whole cache lines begin at one */
_Static_assert(sizeof(struct slab_block) <= BLOCK_HEAD, "the head of a block");

void slab_init(struct slab *slab, size_t object_bytes) {
    slab_init_partly(slab, object_bytes, object_bytes);
}

void slab_init_partly(struct slab *slab, size_t object_bytes, size_t cleared_bytes) {
    size_t size = (object_bytes + 15) & ~(size_t)15;
    *slab = (struct slab){.object_bytes = size,
                          .objects_a_block = (BLOCK_BYTES - BLOCK_HEAD) / size,
                          .cleared_bytes = cleared_bytes};
    CHECK(slab->objects_a_block >= 4, "object of %zu bytes", object_bytes);
    list_init(&slab->blocks);
}

static struct slab_block *empty_take(struct slab *slab) {
    struct slab_block *block = slab->empty;
    if (!block)
        return NULL;
    slab->empty = block->free;
    slab->empty_count--;
    if (slab->empty_least > slab->empty_count)
        slab->empty_least = slab->empty_count;
    return block;
}

void slab_trim(struct slab *slab) {
    for (size_t unneeded = slab->empty_least; unneeded > 1; unneeded--)
        mem_block_free(empty_take(slab), BLOCK_BYTES);
    slab->empty_least = slab->empty_count;
}

void slab_fini(struct slab *slab) {
    CHECK(slab->live == 0, "%zu objects of %zu bytes live", slab->live, slab->object_bytes);
    while (slab->empty)
        mem_block_free(empty_take(slab), BLOCK_BYTES);
}

#ifdef __SANITIZE_ADDRESS__

void *slab_new(struct slab *slab) {
    char *object = mem_alloc(slab->object_bytes);
    if (!object)
        return NULL;
    slab->live++;
    memset(object + slab->cleared_bytes, 0xa5,
           slab->object_bytes - slab->cleared_bytes); /* whoever reads it fails */
    return memset(object, 0, slab->cleared_bytes);
}

void slab_free(struct slab *slab, void *object) {
    slab->live -= object != NULL;
    mem_free(object);
}

#else

static struct slab_block *block_new(struct slab *slab) {
    struct slab_block *block = empty_take(slab);
    if (!block)
        block = mem_block(BLOCK_BYTES);
    if (!block)
        return NULL;
    *block = (struct slab_block){.untouched = slab->objects_a_block};
    list_append(&slab->blocks, &block->node);
    return block;
}

void *slab_new(struct slab *slab) {
    struct slab_block *block =
        list_is_empty(&slab->blocks) ? block_new(slab) : LIST_OF(slab->blocks.next, struct slab_block, node);
    if (!block)
        return NULL;
    void *object = block->free;
    if (object)
        memcpy(&block->free, object, sizeof block->free);
    else
        object = (char *)block + BLOCK_HEAD + (slab->objects_a_block - block->untouched--) * slab->object_bytes;
    block->live++;
    slab->live++;
    if (block->live == slab->objects_a_block)
        list_remove(&block->node);
    return memset(object, 0, slab->cleared_bytes);
}

void slab_free(struct slab *slab, void *object) {
    if (!object)
        return;
    struct slab_block *block = (struct slab_block *)((uintptr_t)object & ~(uintptr_t)(BLOCK_BYTES - 1));
    if (block->live == slab->objects_a_block)
        list_append(&slab->blocks, &block->node);
    memcpy(object, &block->free, sizeof block->free);
    block->free = object;
    block->live--;
    slab->live--;
    if (block->live)
        return;
    list_remove(&block->node);
    block->free = slab->empty;
    slab->empty = block;
    slab->empty_count++;
}

#endif
