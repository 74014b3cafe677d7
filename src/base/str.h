#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes that somebody else owns; never NUL-terminated by contract, never freed. */
struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf's "%.*s". Lengths above INT_MAX do not occur: every input here is bounded far below. */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_make(const char *ptr, size_t len) {
    return (struct str){ptr, len};
}

/* View of a C string; NULL gives the empty view. */
static inline struct str str_of(const char *text) {
    return text ? (struct str){text, strlen(text)} : (struct str){"", 0};
}

static inline bool str_is_empty(struct str s) {
    return s.len == 0;
}

static inline bool str_eq(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The tail of s from `from`; empty when from is past the end. */
static inline struct str str_from(struct str s, size_t from) {
    return from < s.len ? (struct str){s.ptr + from, s.len - from} : (struct str){"", 0};
}

/* The first `len` bytes of s, or all of it when it is shorter. */
static inline struct str str_head(struct str s, size_t len) {
    return (struct str){s.ptr, len < s.len ? len : s.len};
}

static inline char str_lower_char(char c) {
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

#define STR_NONE SIZE_MAX

/* Are the first a.len bytes of b those of a, in any ASCII letter case? */
bool str_is_like(struct str a, const char *b);
/* ASCII case-insensitive equality. */
static inline bool str_eq_nocase(struct str a, struct str b) {
    return a.len == b.len && str_is_like(a, b.ptr);
}
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* <0, 0, >0 as memcmp, a shorter string before a longer one it begins. */
int str_compare(struct str a, struct str b);
/* Position of the first c, or STR_NONE. */
size_t str_find_char(struct str s, char c);
/* Position of the first `needle`, or STR_NONE. An empty needle is found at 0. */
size_t str_find(struct str s, struct str needle);
/* s without spaces and tabs at both ends (RFC 9110 OWS). */
struct str str_trim(struct str s);
/* Cuts *rest at the first `separator`: returns what stands before it and leaves what stands behind;
 * without a separator returns all and leaves *rest empty with ptr NULL, which ends the iteration:
 *   for (struct str rest = s, part; str_split(&rest, ',', &part);) ... */
bool str_split(struct str *rest, char separator, struct str *part);
/* Decimal digits only (no sign, no space, at least one); false on overflow or anything else. */
bool str_to_u64(struct str s, uint64_t *value);
/* Levenshtein distance, transposition counting one, both cut at 63 bytes; for "did you mean". */
unsigned str_distance(struct str a, struct str b);

#endif
