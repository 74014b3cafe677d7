#ifndef BASE_BUILDER_H
#define BASE_BUILDER_H

#include "base/str.h"

/* Text built into the caller's memory. What does not fit sets `overflow`, which sticks: callers append
 * freely and ask once at the end. Nothing is measured first; nothing is written past the capacity. */
struct builder {
    char *ptr;
    size_t len;
    size_t capacity;
    bool overflow;
};

static inline struct builder builder_make(char *memory, size_t capacity) {
    return (struct builder){memory, 0, capacity, false};
}

static inline struct str builder_view(const struct builder *b) {
    return (struct str){b->ptr, b->len};
}

static inline void builder_bytes(struct builder *b, const char *ptr, size_t len) {
    if (__builtin_expect(len > b->capacity - b->len, 0)) {
        b->overflow = true;
        return;
    }
    if (len)
        memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
}

static inline void builder_str(struct builder *b, struct str s) {
    builder_bytes(b, s.ptr, s.len);
}

static inline void builder_char(struct builder *b, char c) {
    builder_bytes(b, &c, 1);
}

void builder_u64(struct builder *b, uint64_t value);
/* Lower-case hexadecimal without leading zeroes. */
void builder_hex(struct builder *b, uint64_t value);
/* 1234 as "1.234": milliseconds as seconds. */
void builder_thousandths(struct builder *b, uint64_t value);
/* As printf. What does not fit is left out whole; the room must also hold a NUL, which is not counted. */
void builder_format(struct builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The escaper of all logs: bytes below 0x20, from 0x7f up, '"' and '\\' become \xHH. As much as fits. */
void builder_escaped(struct builder *b, struct str s);
/* Would builder_escaped leave it as it is? */
bool builder_is_plain(struct str s);

#endif
