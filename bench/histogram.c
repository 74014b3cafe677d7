#include "histogram.h"

#include <string.h>

static unsigned slot_of(uint64_t ns) {
    if (ns < 32)
        return (unsigned)ns;
    unsigned octave = 63 - (unsigned)__builtin_clzll(ns);
    return (octave - 4) * 32 + (unsigned)(ns >> (octave - 5) & 31);
}

static uint64_t middle_of(unsigned slot) {
    if (slot < 32)
        return slot;
    unsigned octave = slot / 32 + 4;
    uint64_t width = (uint64_t)1 << (octave - 5);
    return (32 + slot % 32) * width + width / 2;
}

void histogram_add(struct histogram *h, uint64_t ns) {
    h->slot[slot_of(ns)]++;
    h->count++;
    if (ns > h->max)
        h->max = ns;
}

uint64_t histogram_quantile(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_SLOTS; i++) {
        seen += h->slot[i];
        if (seen > wanted)
            return middle_of(i) < h->max ? middle_of(i) : h->max;
    }
    return h->max;
}

void histogram_reset(struct histogram *h) {
    memset(h, 0, sizeof *h);
}
