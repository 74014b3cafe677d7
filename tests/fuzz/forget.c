#include "fuzz.h"

/* Compiled without coverage: the compiler has these names for itself in what it is to count. There are none
 * when a corpus is replayed. */
extern char __start___sancov_cntrs[] __attribute__((weak)), __stop___sancov_cntrs[] __attribute__((weak));

void fuzz_forget(void) {
    if (__start___sancov_cntrs)
        memset(__start___sancov_cntrs, 0, (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs));
}
