#ifndef TEST_EDGE_H
#define TEST_EDGE_H

#include "../unit.h"

#include <sys/mman.h>

/* Inputs that end where readable memory ends: one byte too far is a fault at once. */

enum { EDGE_SIZE = 1 << 18 };

/* A copy of the bytes before an unreadable page. It lives until the next call. */
static inline struct str edge_place(struct str bytes) {
    static char *area;
    if (!area) {
        area = mmap(NULL, EDGE_SIZE + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(area != MAP_FAILED);
        assert_int_equal(mprotect(area + EDGE_SIZE, 4096, PROT_NONE), 0);
    }
    assert_true(bytes.len <= EDGE_SIZE);
    char *at = area + EDGE_SIZE - bytes.len;
    if (bytes.len)
        memcpy(at, bytes.ptr, bytes.len);
    return str_make(at, bytes.len);
}

#endif
