#include "loop/random.h"

#include "base/check.h"

#include <errno.h>
#include <sys/random.h>

void random_fill(void *bytes, size_t len) {
    char *at = bytes;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        CHECK(got > 0 || errno == EINTR, "getrandom: errno %d", errno);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/* SplitMix64: a counter with an odd step, each value mixed by itself. */
uint64_t random_u64(void) {
    static _Thread_local uint64_t counter;
    static _Thread_local int is_seeded;
    if (!is_seeded) {
        random_fill(&counter, sizeof counter);
        is_seeded = 1;
    }
    counter += 0x9e3779b97f4a7c15u;
    uint64_t value = counter;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}
