/* SHA1() looks its algorithm up and allocates, each time, which made up a third of a handshake's work; the
 * three calls behind it do not, though OpenSSL would rather have them used no more. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "codec/ws.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

static bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

bool ws_is_key(struct str key) {
    if (key.len != WS_KEY_LEN || key.ptr[22] != '=' || key.ptr[23] != '=')
        return false;
    for (unsigned i = 0; i < 22; i++)
        if (!is_base64(key.ptr[i]))
            return false;
    return true;
}

bool ws_accept_make(struct str key, char accept[WS_ACCEPT_LEN]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char text[WS_KEY_LEN + sizeof guid - 1], digest[SHA_DIGEST_LENGTH], encoded[WS_ACCEPT_LEN + 1];
    SHA_CTX sha;
    if (key.len != WS_KEY_LEN)
        return false;
    memcpy(text, key.ptr, WS_KEY_LEN);
    memcpy(text + WS_KEY_LEN, guid, sizeof guid - 1);
    if (!SHA1_Init(&sha) || !SHA1_Update(&sha, text, sizeof text) || !SHA1_Final(digest, &sha))
        return false;
    if (EVP_EncodeBlock(encoded, digest, sizeof digest) != WS_ACCEPT_LEN)
        return false;
    memcpy(accept, encoded, WS_ACCEPT_LEN);
    return true;
}

static uint64_t number_read(const char *at, unsigned len) {
    uint64_t value = 0;
    for (unsigned i = 0; i < len; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static void number_write(char *at, uint64_t value, unsigned len) {
    while (len--) {
        at[len] = (char)(value & 0xff);
        value >>= 8;
    }
}

/* The first two bytes, as far as they are there: is what they say allowed? RFC 6455 5.2 and 5.5. */
static bool is_start_right(struct str input) {
    unsigned char first = (unsigned char)input.ptr[0];
    bool is_control = first & 8;
    if ((first & 15) > WS_PONG || ((first & 15) > WS_BINARY && (first & 15) < WS_CLOSE))
        return false;
    if (is_control && !(first & 0x80))
        return false;
    return !is_control || input.len < 2 || ((unsigned char)input.ptr[1] & 0x7f) <= 125;
}

/* A length of `bytes` bytes in its shortest form, and no sign bit: judged as early as its bytes are there. */
static bool is_length_right(uint64_t value, unsigned bytes, unsigned seen) {
    if (bytes == 8 && seen && value >> (8 * seen - 1) & 1)
        return false;
    if (seen < bytes)
        return true;
    return bytes == 0 || (bytes == 2 ? value > 125 : value > UINT16_MAX);
}

enum codec_result ws_frame_parse(struct ws_frame *frame, struct str *input) {
    const char *at = input->ptr;
    if (input->len == 0)
        return CODEC_MORE;
    if (!is_start_right(*input))
        return CODEC_BAD;
    if (input->len < 2)
        return CODEC_MORE;
    unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];
    unsigned short_len = second & 0x7f;
    unsigned length_bytes = short_len == 127 ? 8 : short_len == 126 ? 2 : 0;
    unsigned seen = input->len - 2 < length_bytes ? (unsigned)(input->len - 2) : length_bytes;
    uint64_t len = length_bytes ? number_read(at + 2, seen) : short_len;
    if (!is_length_right(len, length_bytes, seen))
        return CODEC_BAD;
    bool is_masked = second & 0x80;
    unsigned head_len = 2 + length_bytes + (is_masked ? 4 : 0);
    if (input->len < head_len)
        return CODEC_MORE;
    *frame = (struct ws_frame){.is_final = first & 0x80,
                               .is_masked = is_masked,
                               .reserved = first >> 4 & 7,
                               .op = first & 15,
                               .head_len = (uint8_t)head_len,
                               .payload_len = len};
    if (is_masked)
        memcpy(frame->mask, at + 2 + length_bytes, 4);
    *input = str_make(at + head_len, input->len - head_len);
    return CODEC_DONE;
}

size_t ws_frame_build(char out[WS_HEAD_MAX], const struct ws_frame *frame) {
    unsigned length_bytes = frame->payload_len > UINT16_MAX ? 8 : frame->payload_len > 125 ? 2 : 0;
    unsigned short_len = length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : (unsigned)frame->payload_len;
    size_t len = 2;
    out[0] = (char)((frame->is_final ? 0x80 : 0) | (frame->reserved & 7) << 4 | (frame->op & 15));
    out[1] = (char)((frame->is_masked ? 0x80 : 0) | (int)short_len);
    number_write(out + len, frame->payload_len, length_bytes);
    len += length_bytes;
    if (frame->is_masked) {
        memcpy(out + len, frame->mask, 4);
        len += 4;
    }
    return len;
}

void ws_mask(char *bytes, size_t len, const uint8_t mask[4], uint64_t offset) {
    uint8_t turned[8];
    uint64_t wide, word;
    for (unsigned i = 0; i < 8; i++)
        turned[i] = mask[(offset + i) & 3];
    memcpy(&wide, turned, sizeof wide);
    size_t i = 0;
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        word ^= wide;
        memcpy(bytes + i, &word, sizeof word);
    }
    for (; i < len; i++)
        bytes[i] = (char)((unsigned char)bytes[i] ^ turned[i & 7]);
}

/* Reads the next frame head, through the held bytes when it was cut; MORE keeps what there is. */
static enum codec_result walk_head(struct ws_walk *walk, struct str *bytes, struct ws_frame *frame) {
    if (walk->held == 0) {
        struct str rest = *bytes;
        enum codec_result result = ws_frame_parse(frame, &rest);
        *bytes = rest;
        if (result != CODEC_MORE)
            return result;
    }
    while (bytes->len && walk->held < WS_HEAD_MAX) {
        walk->head[walk->held++] = *bytes->ptr;
        *bytes = str_make(bytes->ptr + 1, bytes->len - 1);
        struct str head = str_make(walk->head, walk->held);
        enum codec_result result = ws_frame_parse(frame, &head);
        if (result != CODEC_MORE)
            return result;
    }
    return CODEC_MORE;
}

bool ws_walk_feed(struct ws_walk *walk, struct str bytes) {
    while (!walk->is_broken) {
        uint64_t step = walk->left < bytes.len ? walk->left : bytes.len;
        walk->left -= step;
        bytes = str_make(bytes.ptr + step, bytes.len - (size_t)step);
        if (bytes.len == 0)
            return walk->left == 0 && walk->held == 0;
        struct ws_frame frame;
        enum codec_result result = walk_head(walk, &bytes, &frame);
        if (result == CODEC_MORE)
            return false;
        walk->is_broken = result == CODEC_BAD;
        if (result == CODEC_DONE) {
            walk->held = 0;
            walk->left = frame.payload_len;
            walk->op = frame.op;
        }
    }
    return false;
}
