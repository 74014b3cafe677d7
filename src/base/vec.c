#include "base/vec.h"

void *vec_add(struct arena *arena, void **items, size_t *count, size_t *room, size_t size) {
    if (*count == *room) {
        size_t wider = *room ? *room * 2 : 4;
        char *grown = arena_zero(arena, wider, size);
        if (!grown)
            return NULL;
        if (*count)
            memcpy(grown, *items, *count * size);
        *items = grown;
        *room = wider;
    }
    return (char *)*items + (*count)++ * size;
}
