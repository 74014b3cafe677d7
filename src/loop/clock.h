#ifndef LOOP_CLOCK_H
#define LOOP_CLOCK_H

#include <stdint.h>

/* The only clock. Implemented for Linux in clock.c, and by the simulator under tests/sim. */

/* Milliseconds since some moment before the process began; never steps back. */
uint64_t clock_mono_ms(void);
/* The same in microseconds, for measuring latency. */
uint64_t clock_mono_us(void);
/* Milliseconds since 1970-01-01 UTC; may step. */
uint64_t clock_wall_ms(void);

#endif
