#ifndef LOOP_RANDOM_H
#define LOOP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The only source of randomness. Implemented in random.c, and by the simulator under tests/sim. */

/* Fills `bytes` from the kernel's generator; unpredictable. */
void random_fill(void *bytes, size_t len);
/* Fast and predictable, for balancing and jitter only; each thread has its own sequence. */
uint64_t random_u64(void);

#endif
