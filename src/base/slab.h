#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/list.h"

#include <stdint.h>

/* Objects of one size for one thread. Blocks of 64 KiB are taken from the system as needed; those whose objects
 * are all free are kept for the next wave and given back by slab_trim. Under AddressSanitizer each object is
 * its own heap block. */
struct slab {
    struct list blocks; /* those with a free object */
    size_t object_bytes, objects_a_block;
    size_t cleared_bytes;            /* of each object, from its beginning */
    size_t live;                     /* objects handed out now */
    void *empty;                     /* the wholly free blocks, the last one to become so first */
    size_t empty_count, empty_least; /* now; since the last trim */
};

void slab_init(struct slab *slab, size_t object_bytes);
/* The same for objects that end in what is always written before it is read: only the bytes before that are
 * zeroed. */
void slab_init_partly(struct slab *slab, size_t object_bytes, size_t cleared_bytes);
/* Gives all blocks back; every object must have been freed. */
void slab_fini(struct slab *slab);
/* A zeroed object, aligned to 16 bytes; NULL without memory. */
void *slab_new(struct slab *slab);
/* NULL is allowed. */
void slab_free(struct slab *slab, void *object);
/* Gives back the empty blocks that nobody has needed since the last call: for the owner to call at intervals.
 * One is always kept. */
void slab_trim(struct slab *slab);

#endif
