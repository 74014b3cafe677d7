#include "base/hash.h"

/* Multiply-and-fold over eight bytes at a time: the high and low half of a 128-bit product. */
static uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static const uint64_t ODD_A = 0x9e3779b97f4a7c15u, ODD_B = 0xd6e8feb86659fd93u;

static uint64_t word(const char *at, size_t len) {
    uint64_t value = 0;
    memcpy(&value, at, len);
    return value;
}

uint64_t hash_str(struct str s, uint64_t seed) {
    uint64_t state = seed ^ ODD_A;
    for (; s.len > 8; s = str_from(s, 8))
        state = fold(state ^ word(s.ptr, 8), ODD_B);
    if (s.len)
        state = fold(state ^ word(s.ptr, s.len), ODD_B);
    return fold(state ^ s.len, ODD_A);
}

uint64_t hash_str_nocase(struct str s, uint64_t seed) {
    uint64_t state = seed ^ ODD_B;
    for (size_t i = 0; i < s.len; i++)
        state = fold(state ^ (uint64_t)(unsigned char)str_lower_char(s.ptr[i]), ODD_B);
    return fold(state ^ s.len, ODD_A);
}

uint32_t hash_murmur2(struct str s) {
    enum { SHIFT = 24 };
    const uint32_t factor = 0x5bd1e995;
    uint32_t state = (uint32_t)s.len;
    for (; s.len >= 4; s = str_from(s, 4)) {
        uint32_t part = (uint32_t)word(s.ptr, 4) * factor;
        part ^= part >> SHIFT;
        state = state * factor ^ part * factor;
    }
    if (s.len)
        state = (state ^ (uint32_t)word(s.ptr, s.len)) * factor;
    state = (state ^ state >> 13) * factor;
    return state ^ state >> 15;
}
