#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* A number that one thread counts and any other may read at any time. It costs what a plain number costs: there
 * is no other writer whom an addition could meet. */
struct counter {
    atomic_uint_least64_t value;
};

static inline uint64_t counter_read(const struct counter *counter) {
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

static inline void counter_set(struct counter *counter, uint64_t value) {
    atomic_store_explicit(&counter->value, value, memory_order_relaxed);
}

static inline void counter_add(struct counter *counter, uint64_t value) {
    counter_set(counter, counter_read(counter) + value);
}

static inline void counter_sub(struct counter *counter, uint64_t value) {
    counter_set(counter, counter_read(counter) - value);
}

#endif
