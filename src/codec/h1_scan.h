#ifndef CODEC_H1_SCAN_H
#define CODEC_H1_SCAN_H

#include "base/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Finding the first byte that ends or breaks a part of a head, 16 bytes a step. Each function looks at
 * [at, end) only, never past it, and gives `end` when all of it may stand there. Private to the h1 files. */

/* Non-zero for the bytes of a token, RFC 9110 5.6.2; H1_TOKEN_ODD for those that names of fields do not use. */
enum { H1_TOKEN_USUAL = 1, H1_TOKEN_ODD = 2 };
extern const uint8_t h1_token_bytes[256];

static inline bool h1_ends_value(char c) {
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static inline bool h1_ends_target(char c) {
    unsigned char byte = (unsigned char)c;
    return byte <= 0x20 || byte == 0x7f || c == '#';
}

#ifdef __SSE2__
static inline __m128i h1_load(const char *at) {
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* All ones where low <= byte <= low + span. */
static inline __m128i h1_between(__m128i bytes, char low, char span) {
    __m128i from_low = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(from_low, _mm_set1_epi8(span)), from_low);
}

/* A bit for each of the 16 bytes that satisfies. */
static inline unsigned h1_bits(__m128i satisfied) {
    return (unsigned)_mm_movemask_epi8(satisfied);
}
#endif

/* End of a field name: the first byte that is not a token's. Names are letters, digits and '-' nearly always;
 * the other token bytes go one by one, and *kinds gathers what they are. */
static inline const char *h1_scan_kinds(const char *at, const char *end, uint8_t *kinds) {
#ifdef __SSE2__
    while (end - at >= 16) {
        __m128i bytes = h1_load(at);
        __m128i letters = h1_between(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
        __m128i others = _mm_or_si128(h1_between(bytes, '0', 9), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')));
        unsigned stops = h1_bits(_mm_or_si128(letters, others)) ^ 0xffff;
        if (stops) {
            at += __builtin_ctz(stops);
            break;
        }
        at += 16;
    }
#endif
    for (uint8_t kind; at < end && (kind = h1_token_bytes[(unsigned char)*at]) != 0; at++)
        *kinds |= kind;
    return at;
}

static inline const char *h1_scan_name(const char *at, const char *end) {
    uint8_t kinds = 0;
    return h1_scan_kinds(at, end, &kinds);
}

/* End of a field value or reason phrase: the first control other than tab. */
static inline const char *h1_scan_value(const char *at, const char *end) {
#ifdef __SSE2__
    while (end - at >= 16) {
        __m128i bytes = h1_load(at);
        __m128i controls = h1_between(bytes, 0, 0x1f);
        __m128i tabs = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
        __m128i deletes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
        unsigned stops = h1_bits(_mm_or_si128(_mm_andnot_si128(tabs, controls), deletes));
        if (stops)
            return at + __builtin_ctz(stops);
        at += 16;
    }
#endif
    while (at < end && !h1_ends_value(*at))
        at++;
    return at;
}

/* End of a request target, or of the part of it before `also` ('#' when nothing more is asked): the first byte
 * that is a control, a space, DEL or '#'. Letters beyond ASCII stand there as browsers' users typed them. */
static inline const char *h1_scan_target(const char *at, const char *end, char also) {
#ifdef __SSE2__
    while (end - at >= 16) {
        __m128i bytes = h1_load(at);
        __m128i controls = _mm_or_si128(h1_between(bytes, 0, 0x20), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
        __m128i marks =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(also)));
        unsigned stops = h1_bits(_mm_or_si128(marks, controls));
        if (stops)
            return at + __builtin_ctz(stops);
        at += 16;
    }
#endif
    while (at < end && !h1_ends_target(*at) && *at != also)
        at++;
    return at;
}

#endif
