#ifndef CODEC_WS_H
#define CODEC_WS_H

#include "base/str.h"
#include "codec/result.h"

/* WebSocket, RFC 6455. */

enum { WS_ACCEPT_LEN = 28, WS_KEY_LEN = 24, WS_HEAD_MAX = 14 };

/* base64 of 16 bytes, RFC 6455 4.1: 22 letters and "==". */
bool ws_is_key(struct str key);
/* Sec-WebSocket-Accept for a Sec-WebSocket-Key (4.2.2), by OpenSSL's SHA-1. False when OpenSSL fails. */
bool ws_accept_make(struct str key, char accept[WS_ACCEPT_LEN]);

enum ws_op { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* A frame's head, 5.2. */
struct ws_frame {
    bool is_final, is_masked;
    uint8_t reserved; /* RSV1 to RSV3 as bits 2 to 0 */
    uint8_t op;       /* enum ws_op, or a number that is reserved */
    uint8_t mask[4];
    uint8_t head_len;
    uint64_t payload_len;
};

/* Reads a frame head from the front of *input and cuts it off. BAD: reserved opcode, a control frame that is
 * fragmented or above 125 bytes, a length not in its shortest form or above 2^63-1. */
enum codec_result ws_frame_parse(struct ws_frame *frame, struct str *input);
/* Writes the head; its length. */
size_t ws_frame_build(char out[WS_HEAD_MAX], const struct ws_frame *frame);
/* XORs len bytes in place with the mask, `offset` bytes into the payload. */
void ws_mask(char *bytes, size_t len, const uint8_t mask[4], uint64_t offset);

/* Follows frame boundaries in a stream that is passed on as it is: 32 bytes of state. */
struct ws_walk {
    uint64_t left; /* of the payload we are in */
    uint8_t held;  /* head bytes seen of a head that was cut */
    char head[WS_HEAD_MAX];
    uint8_t op;     /* of the last frame whose head was read */
    bool is_broken; /* BAD once: no boundary is known any more */
};

/* Takes the stream's next bytes. True when they end exactly at a frame boundary. */
bool ws_walk_feed(struct ws_walk *walk, struct str bytes);

#endif
