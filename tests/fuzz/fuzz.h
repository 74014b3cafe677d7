#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* What every fuzz target includes. A target is one file, fuzz_NAME.c, with this function; it is linked with
 * everything but main(), runs under libFuzzer (make fuzz) and over its corpus (make fuzz-replay). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the run has touched so far is no news to the fuzzer: for what is the same in each run, and large. */
void fuzz_forget(void);

/* An oracle: what must hold for every input. */
#define FUZZ_CHECK(condition)                                                       \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* A copy in a block of exactly that size, so that reading past it is seen. Given back by fuzz_drop. */
static inline struct str fuzz_copy(struct str bytes) {
    char *copy = mem_alloc(bytes.len);
    FUZZ_CHECK(copy);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return str_make(copy, bytes.len);
}

static inline void fuzz_drop(struct str copy) {
    mem_free((void *)(uintptr_t)copy.ptr);
}

/* A place to cut `len` bytes, 0 to len, that follows from the bytes themselves: the same in each run. */
static inline size_t fuzz_cut(struct str bytes, unsigned turn) {
    uint64_t sum = 0xcbf29ce484222325u + turn;
    for (size_t i = 0; i < bytes.len; i++)
        sum = (sum ^ (unsigned char)bytes.ptr[i]) * 0x100000001b3u;
    sum ^= sum >> 29;
    sum *= 0xbf58476d1ce4e5b9u;
    return (size_t)((sum >> 32) % (bytes.len + 1));
}

/* Takes one byte off the front, 0 when there is none. */
static inline uint8_t fuzz_byte(struct str *input) {
    uint8_t byte = input->len ? (uint8_t)input->ptr[0] : 0;
    *input = str_from(*input, 1);
    return byte;
}

#endif
