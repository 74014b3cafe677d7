#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* WebSocket frames (RFC 6455 section 5.2), just enough of them to load a proxy. */

#define FRAME_HEAD_MAX 14
enum { FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

struct frame {
    uint8_t first; /* FIN and opcode */
    bool masked;
    uint32_t key; /* as it lies in memory */
    size_t head, payload;
};

/* Writes the head of a frame and returns its length; with `masked`, the key is its last four bytes. */
size_t frame_head(uint8_t *out, uint8_t first, size_t payload, bool masked, uint32_t key);
/* Reads a head; false while it is not there in whole. */
bool frame_read(const uint8_t *data, size_t len, struct frame *out);
/* out = in XOR key, from the first byte of a payload on; out may be in. */
void frame_mask(uint8_t *out, const uint8_t *in, size_t len, uint32_t key);

#endif
