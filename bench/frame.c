#include "frame.h"

#include <string.h>

size_t frame_head(uint8_t *out, uint8_t first, size_t payload, bool masked, uint32_t key) {
    size_t at = 2, bytes = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
    uint8_t mark = masked ? 0x80 : 0;
    out[0] = first;
    out[1] = (uint8_t)(mark | (bytes == 0 ? payload : bytes == 2 ? 126 : 127));
    for (size_t i = bytes; i-- > 0;)
        out[at++] = (uint8_t)(payload >> (8 * i));
    if (masked) {
        memcpy(out + at, &key, 4);
        at += 4;
    }
    return at;
}

bool frame_read(const uint8_t *data, size_t len, struct frame *out) {
    if (len < 2)
        return false;
    size_t bytes = (data[1] & 127) == 126 ? 2 : (data[1] & 127) == 127 ? 8 : 0;
    out->first = data[0];
    out->masked = data[1] & 0x80;
    out->head = 2 + bytes + (out->masked ? 4 : 0);
    if (len < out->head)
        return false;
    out->payload = bytes ? 0 : data[1] & 127;
    for (size_t i = 0; i < bytes; i++)
        out->payload = out->payload << 8 | data[2 + i];
    out->key = 0;
    if (out->masked)
        memcpy(&out->key, data + 2 + bytes, 4);
    return true;
}

void frame_mask(uint8_t *out, const uint8_t *in, size_t len, uint32_t key) {
    uint64_t wide = (uint64_t)key << 32 | key;
    size_t at = 0;
    for (; at + 8 <= len; at += 8) {
        uint64_t word;
        memcpy(&word, in + at, 8);
        word ^= wide;
        memcpy(out + at, &word, 8);
    }
    uint8_t bytes[4];
    memcpy(bytes, &key, 4);
    for (; at < len; at++)
        out[at] = in[at] ^ bytes[at & 3];
}
