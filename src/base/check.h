#ifndef BASE_CHECK_H
#define BASE_CHECK_H

/* CHECK is for bugs alone: a false condition is a defect of hawser, never of its input. It stays on
 * in release, prints the place and the given text (objects, states), and aborts the process. */
#define CHECK(condition, ...)                                          \
    do {                                                               \
        if (__builtin_expect(!(condition), 0))                         \
            check_failed(__FILE__, __LINE__, #condition, __VA_ARGS__); \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

#endif
