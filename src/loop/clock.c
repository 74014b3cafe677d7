#include "loop/clock.h"

#include <time.h>

static struct timespec moment(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return now;
}

uint64_t clock_mono_ms(void) {
    struct timespec now = moment(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_mono_us(void) {
    struct timespec now = moment(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_wall_ms(void) {
    struct timespec now = moment(CLOCK_REALTIME);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
