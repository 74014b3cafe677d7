#ifndef CODEC_H1_BODY_H
#define CODEC_H1_BODY_H

#include "codec/h1_head.h"

/* Reading a message body by its framing, RFC 9112 sections 6 and 7, byte stream in, payload slices out. */

struct h1_body {
    uint8_t framing; /* enum h1_framing */
    uint8_t state;   /* of the chunk grammar */
    bool is_complete;
    uint16_t line_len;    /* of the chunk-size line so far, bounded */
    uint16_t trailer_len; /* bytes of trailer section so far, bounded by H1_TRAILER_MAX */
    uint64_t remaining;   /* of the length or of the chunk */
};

enum { H1_TRAILER_MAX = 8192, H1_CHUNK_LINE_MAX = 256 };

enum h1_slice_kind { H1_SLICE_DATA, H1_SLICE_TRAILER };

/* Begins the body behind a parsed head. A body without bytes is complete at once. */
void h1_body_init(struct h1_body *body, const struct h1_head *head);

/* Takes bytes from *input and gives at most one slice of payload, a view into it:
 *   DONE  the body is complete; *input holds what comes behind it. The slice may still be filled.
 *   MORE  go on: with the rest of *input while it is not empty, else with more bytes
 *   BAD   chunk grammar broken: size missing or above 2^63-1, no CRLF behind a chunk, bare LF, line or trailer
 * too long. Chunk extensions are checked and dropped. Trailer lines come whole in content but in any cut, as
 * H1_SLICE_TRAILER with their CRLFs, without the final empty line. An UNTIL_CLOSE body is never DONE here: see
 * h1_body_end. */
enum codec_result h1_body_read(struct h1_body *body, struct str *input, struct str *slice,
                               enum h1_slice_kind *kind);

/* The stream has ended: true when the body was complete or ends that way. */
bool h1_body_end(struct h1_body *body);

enum { H1_CHUNK_HEAD_MAX = 18 };
/* Writes "SIZE\r\n" for a chunk of `len` > 0 bytes into out; its length. The chunk is followed by "\r\n", the
 * last by "0\r\n", trailers and "\r\n". */
size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], size_t len);

#endif
