#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

/* What every unit test includes: cmocka with the headers that it wants before it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#define assert_str(have, want)                                    \
    do {                                                          \
        struct str have_ = (have), want_ = (want);                \
        assert_int_equal(have_.len, want_.len);                   \
        if (want_.len)                                            \
            assert_memory_equal(have_.ptr, want_.ptr, want_.len); \
    } while (0)

#endif
