#include "base/builder.h"
#include "codec/h1_body.h"
#include "fuzz.h"

/* Bodies. The first byte chooses framing and length; the rest is the stream. */

struct outcome {
    struct builder data, trailer;
    enum codec_result result;
    size_t left;
};

static void outcome_init(struct outcome *outcome, size_t size) {
    outcome->data = builder_make(mem_alloc(size), size);
    outcome->trailer = builder_make(mem_alloc(size), size);
    outcome->result = CODEC_MORE;
}

static void outcome_fini(struct outcome *outcome) {
    mem_free(outcome->data.ptr);
    mem_free(outcome->trailer.ptr);
}

static void feed(struct outcome *outcome, struct h1_body *body, struct str bytes) {
    struct str copy = fuzz_copy(bytes), input = copy, slice;
    enum h1_slice_kind kind;
    do {
        size_t before = input.len;
        outcome->result = h1_body_read(body, &input, &slice, &kind);
        FUZZ_CHECK(slice.len <= before && input.len <= before);
        FUZZ_CHECK(!slice.len || (slice.ptr >= copy.ptr && slice.ptr + slice.len <= copy.ptr + copy.len));
        FUZZ_CHECK(outcome->result != CODEC_BAD || slice.len == 0);
        FUZZ_CHECK(outcome->result != CODEC_MORE || before == 0 || input.len < before);
        FUZZ_CHECK(body->is_complete == (outcome->result == CODEC_DONE));
        builder_str(kind == H1_SLICE_DATA ? &outcome->data : &outcome->trailer, slice);
    } while (outcome->result == CODEC_MORE && input.len);
    outcome->left = input.len;
    fuzz_drop(copy);
}

/* Reads in steps of the given size, the first up to `first`. */
static void read_all(struct outcome *outcome, const struct h1_head *head, struct str stream, size_t first,
                     size_t step) {
    struct h1_body body;
    outcome_init(outcome, stream.len);
    h1_body_init(&body, head);
    size_t at = 0;
    do {
        size_t len = at == 0 && first ? first : step;
        struct str part = str_head(str_from(stream, at), len);
        feed(outcome, &body, part);
        at += part.len;
    } while (outcome->result == CODEC_MORE && at < stream.len);
    outcome->left += stream.len - at;
    FUZZ_CHECK(!outcome->data.overflow && !outcome->trailer.overflow);
}

static void check_same(const struct outcome *whole, const struct h1_head *head, struct str stream, size_t first,
                       size_t step) {
    struct outcome other;
    read_all(&other, head, stream, first, step);
    FUZZ_CHECK(other.result == whole->result);
    FUZZ_CHECK(str_eq(builder_view(&other.data), builder_view(&whole->data)));
    FUZZ_CHECK(str_eq(builder_view(&other.trailer), builder_view(&whole->trailer)));
    FUZZ_CHECK(other.result != CODEC_DONE || other.left == whole->left);
    outcome_fini(&other);
}

/* Chunks without extensions and trailers, read the obvious way; false for anything else. */
static bool reference(struct str stream, struct builder *data, size_t *left) {
    for (;;) {
        uint64_t size = 0;
        size_t digits = 0;
        for (;
             digits < stream.len && strchr("0123456789abcdefABCDEF", stream.ptr[digits]) && stream.ptr[digits];
             digits++) {
            const char *at = strchr("00112233445566778899aAbBcCdDeEfF", stream.ptr[digits]);
            size = size * 16 + (uint64_t)(at - "00112233445566778899aAbBcCdDeEfF") / 2;
            if (size > UINT32_MAX || digits > 200)
                return false;
        }
        stream = str_from(stream, digits);
        if (digits == 0 || !str_starts(stream, STR("\r\n")))
            return false;
        stream = str_from(stream, 2);
        if (stream.len < size + 2 || !str_starts(str_from(stream, size), STR("\r\n")))
            return false;
        builder_str(data, str_head(stream, size));
        stream = str_from(stream, size + 2);
        *left = stream.len;
        if (size == 0)
            return true;
    }
}

static void check_reference(const struct outcome *whole, struct str stream) {
    struct builder data = builder_make(mem_alloc(stream.len), stream.len);
    size_t left;
    if (reference(stream, &data, &left)) {
        FUZZ_CHECK(whole->result == CODEC_DONE && whole->left == left && whole->trailer.len == 0);
        FUZZ_CHECK(str_eq(builder_view(&data), builder_view(&whole->data)));
    }
    mem_free(data.ptr);
}

/* The stream written as chunks of `step` bytes reads as itself. */
static void check_written(struct str stream, size_t step) {
    const struct h1_head head = {.framing = H1_CHUNKED};
    size_t room = stream.len * (H1_CHUNK_HEAD_MAX + 3) + 16;
    struct builder out = builder_make(mem_alloc(room), room);
    struct outcome outcome;
    for (size_t at = 0; at < stream.len; at += step) {
        char start[H1_CHUNK_HEAD_MAX];
        struct str part = str_head(str_from(stream, at), step);
        builder_bytes(&out, start, h1_chunk_head(start, part.len));
        builder_str(&out, part);
        builder_str(&out, STR("\r\n"));
    }
    builder_str(&out, STR("0\r\n\r\nx"));
    FUZZ_CHECK(!out.overflow);
    read_all(&outcome, &head, builder_view(&out), fuzz_cut(stream, 9), out.len);
    FUZZ_CHECK(outcome.result == CODEC_DONE && outcome.left == 1 && outcome.trailer.len == 0);
    FUZZ_CHECK(str_eq(builder_view(&outcome.data), stream));
    outcome_fini(&outcome);
    mem_free(out.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str stream = str_make((const char *)data, size);
    uint8_t choice = fuzz_byte(&stream);
    enum h1_framing framing = choice & 0xc0 ? (enum h1_framing)(choice >> 6) : H1_CHUNKED;
    const struct h1_head head = {.framing = (uint8_t)framing, .content_length = choice & 0x3f};
    struct outcome whole;
    read_all(&whole, &head, stream, 0, stream.len + 1);
    for (unsigned turn = 0; turn < 4; turn++)
        check_same(&whole, &head, stream, fuzz_cut(stream, turn), 1 + fuzz_cut(stream, turn + 4));
    if (size < 4096)
        check_same(&whole, &head, stream, 0, 1);
    if (framing == H1_CHUNKED)
        check_reference(&whole, stream);
    if (framing == H1_LENGTH)
        FUZZ_CHECK(whole.data.len == (stream.len < head.content_length ? stream.len : head.content_length));
    check_written(stream, 1 + (choice & 0x3f));
    outcome_fini(&whole);
    return 0;
}
