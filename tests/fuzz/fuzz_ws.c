#include "codec/ws.h"
#include "fuzz.h"

/* WebSocket frames: the input as a stream of frames; as a key; as bytes under a mask. */

/* Where the frame at the front ends; MORE when it ends behind the stream. Its head written anew is the same. */
static enum codec_result frame_take(struct str *stream) {
    struct str before = *stream;
    struct ws_frame frame;
    char head[WS_HEAD_MAX];
    enum codec_result result = ws_frame_parse(&frame, stream);
    if (result != CODEC_DONE) {
        FUZZ_CHECK(stream->ptr == before.ptr && stream->len == before.len);
        return result;
    }
    FUZZ_CHECK(before.len - stream->len == frame.head_len && frame.head_len <= WS_HEAD_MAX);
    FUZZ_CHECK(frame.payload_len <= INT64_MAX);
    FUZZ_CHECK(str_eq(str_make(head, ws_frame_build(head, &frame)), str_head(before, frame.head_len)));
    if (frame.payload_len > stream->len)
        return CODEC_MORE;
    *stream = str_from(*stream, (size_t)frame.payload_len);
    return CODEC_DONE;
}

/* Does the stream end at a boundary, and is it broken? */
static bool reference(struct str stream, bool *is_broken) {
    enum codec_result result = CODEC_DONE;
    while (stream.len && result == CODEC_DONE)
        result = frame_take(&stream);
    *is_broken = result == CODEC_BAD;
    return result == CODEC_DONE;
}

static void check_walk(struct str stream, size_t first, size_t step) {
    struct ws_walk walk = {0};
    bool is_broken, is_end = true;
    for (size_t at = 0; at < stream.len;) {
        struct str part = str_head(str_from(stream, at), at == 0 && first ? first : step);
        struct str copy = fuzz_copy(part);
        is_end = ws_walk_feed(&walk, copy);
        fuzz_drop(copy);
        at += part.len;
    }
    FUZZ_CHECK(is_end == reference(stream, &is_broken) && walk.is_broken == is_broken);
}

static void check_prefixes(struct str stream) {
    struct ws_frame frame;
    struct str whole = stream;
    enum codec_result verdict = ws_frame_parse(&frame, &whole);
    bool was_bad = false;
    for (size_t len = 0; len <= WS_HEAD_MAX && len <= stream.len; len++) {
        struct str copy = fuzz_copy(str_head(stream, len)), input = copy;
        enum codec_result result = ws_frame_parse(&frame, &input);
        FUZZ_CHECK(result == CODEC_MORE || result == verdict);
        FUZZ_CHECK(!was_bad || result == CODEC_BAD);
        was_bad = result == CODEC_BAD;
        fuzz_drop(copy);
    }
}

static void check_mask(struct str input) {
    uint8_t mask[4];
    for (unsigned i = 0; i < 4; i++)
        mask[i] = fuzz_byte(&input);
    uint64_t offset = fuzz_byte(&input);
    struct str copy = fuzz_copy(input);
    char *bytes = (char *)(uintptr_t)copy.ptr;
    size_t cut = fuzz_cut(input, 1);
    ws_mask(bytes, cut, mask, offset);
    ws_mask(bytes + cut, copy.len - cut, mask, offset + cut);
    for (size_t i = 0; i < copy.len; i++)
        FUZZ_CHECK((uint8_t)copy.ptr[i] == ((uint8_t)input.ptr[i] ^ mask[(i + offset) % 4]));
    ws_mask(bytes, copy.len, mask, offset);
    FUZZ_CHECK(str_eq(copy, input));
    fuzz_drop(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str stream = str_make((const char *)data, size);
    char accept[WS_ACCEPT_LEN];
    check_walk(stream, 0, stream.len + 1);
    check_walk(stream, 0, 1);
    for (unsigned turn = 0; turn < 4; turn++)
        check_walk(stream, fuzz_cut(stream, turn), 1 + fuzz_cut(stream, turn + 4));
    check_prefixes(stream);
    check_mask(stream);
    FUZZ_CHECK(!ws_is_key(stream) || ws_accept_make(stream, accept));
    return 0;
}
