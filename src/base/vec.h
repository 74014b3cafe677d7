#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

/* A growing array in an arena: VEC(struct thing) things = {0}; struct thing *t = VEC_ADD(&things, arena); */
#define VEC(type)           \
    struct {                \
        type *items;        \
        size_t count, room; \
    }

/* A new, zeroed last element, or NULL without memory. Pointers to elements die with the next addition. */
#define VEC_ADD(vec, arena)                                                                          \
    ((__typeof__((vec)->items))vec_add((arena), (void **)&(vec)->items, &(vec)->count, &(vec)->room, \
                                       sizeof *(vec)->items))

void *vec_add(struct arena *arena, void **items, size_t *count, size_t *room, size_t size);

#endif
