#include "edge.h"

#include "codec/ws.h"

static void test_accept(void **state) {
    (void)state;
    char accept[WS_ACCEPT_LEN];
    /* RFC 6455 1.3 */
    assert_true(ws_accept_make(STR("dGhlIHNhbXBsZSBub25jZQ=="), accept));
    assert_str(str_make(accept, sizeof accept), STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_false(ws_accept_make(STR("dGhlIHNhbXBsZSBub25jZQ="), accept));
    assert_false(ws_accept_make(STR(""), accept));
}

static void test_keys(void **state) {
    (void)state;
    assert_true(ws_is_key(edge_place(STR("dGhlIHNhbXBsZSBub25jZQ=="))));
    assert_true(ws_is_key(STR("+/+/+/+/+/+/+/+/+/+/+g==")));
    assert_true(ws_is_key(STR("AZaz09AZaz09AZaz09AZaz==")));
    static const char *const wrong[] = {
        "",
        "=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZQ=A",
        "dGhlIHNhbXBsZSBub25jZQA=",
        "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBs-SBub25jZQ==",
        "dGhlIHNhbXBs SBub25jZQ==",
        " GhlIHNhbXBsZSBub25jZQ==",
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(ws_is_key(edge_place(str_of(wrong[i]))));
}

static const uint64_t lengths[] = {
    0,          1,          125,        126,        127,         65535,       65536,         65537,
    0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x100000001, INT64_MAX - 1, INT64_MAX,
};

static void test_round_trip(void **state) {
    (void)state;
    static const uint8_t ops[] = {WS_CONTINUATION, WS_TEXT, WS_BINARY, WS_CLOSE, WS_PING, WS_PONG};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (unsigned k = 0; k < sizeof ops * 4 * 8; k++) {
            struct ws_frame frame = {.is_final = k & 1,
                                     .is_masked = k & 2,
                                     .reserved = k >> 2 & 7,
                                     .op = ops[k / 32],
                                     .mask = {1, 2, 3, (uint8_t)(k & 2 ? 4 : 0)},
                                     .payload_len = lengths[i]};
            struct ws_frame read;
            char bytes[WS_HEAD_MAX];
            if (!frame.is_masked)
                memset(frame.mask, 0, 4);
            size_t len = ws_frame_build(bytes, &frame);
            frame.head_len = (uint8_t)len;
            bool is_right = frame.op < WS_CLOSE || (frame.is_final && frame.payload_len <= 125);
            for (size_t cut = 0; cut <= len; cut++) {
                struct str input = edge_place(str_make(bytes, cut));
                enum codec_result result = ws_frame_parse(&read, &input);
                if (!is_right && cut > 1)
                    assert_int_equal(result, CODEC_BAD);
                else if (is_right)
                    assert_int_equal(result, cut < len ? CODEC_MORE : CODEC_DONE);
                assert_int_equal(input.len, result == CODEC_DONE ? 0 : cut);
            }
            if (!is_right)
                continue;
            assert_true(read.is_final == frame.is_final && read.is_masked == frame.is_masked &&
                        read.reserved == frame.reserved && read.op == frame.op &&
                        read.head_len == frame.head_len && read.payload_len == frame.payload_len);
            assert_memory_equal(read.mask, frame.mask, 4);
        }
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x83\x00", 1},         {"\x87\x00", 1}, /* reserved opcodes, known at the first byte */
        {"\x8b\x00", 1},         {"\x8f\x00", 1},
        {"\x08\x00", 1},         {"\x09\x00", 1}, /* control frames in fragments */
        {"\x88\x7e", 2},         {"\x89\x7f", 2}, /* control frames above 125 */
        {"\x8a\xfe", 2},         {"\x82\x7e\x00\x7d", 4},
        {"\x82\x7e\x00\x00", 4}, {"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10},
        {"\x82\x7f\x80", 3},     {"\x82\xff\xff", 3},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ws_frame frame;
        struct ws_walk walk = {0};
        struct str input = edge_place(str_make(rows[i].bytes, rows[i].len));
        assert_int_equal(ws_frame_parse(&frame, &input), CODEC_BAD);
        input = edge_place(str_make(rows[i].bytes, rows[i].len - 1));
        assert_int_equal(ws_frame_parse(&frame, &input), CODEC_MORE);
        assert_false(ws_walk_feed(&walk, edge_place(str_make(rows[i].bytes, rows[i].len))));
        assert_true(walk.is_broken);
        assert_false(ws_walk_feed(&walk, STR("")));
    }
}

static void test_mask(void **state) {
    (void)state;
    static const uint8_t mask[4] = {0x11, 0x22, 0x44, 0x88};
    for (size_t len = 0; len < 40; len++)
        for (uint64_t offset = 0; offset < 9; offset++) {
            char bytes[40] = {0};
            ws_mask(bytes, len, mask, offset);
            for (size_t i = 0; i < sizeof bytes; i++)
                assert_int_equal((uint8_t)bytes[i], i < len ? mask[(i + offset) % 4] : 0);
        }
    char bytes[4] = {0};
    ws_mask(bytes, 4, mask, UINT64_MAX);
    assert_memory_equal(bytes, "\x88\x11\x22\x44", 4);
}

static void test_walk(void **state) {
    (void)state;
    /* text of 2; ping of 0; masked binary of 3; fragment of 126; final of 0 */
    static char stream[256];
    size_t ends[6] = {0}, len = 0;
    static const struct ws_frame frames[] = {
        {.is_final = true, .op = WS_TEXT, .payload_len = 2},
        {.is_final = true, .op = WS_PING},
        {.is_final = true, .is_masked = true, .op = WS_BINARY, .payload_len = 3},
        {.op = WS_TEXT, .payload_len = 126},
        {.is_final = true, .op = WS_CONTINUATION},
    };
    for (unsigned i = 0; i < 5; i++) {
        len += ws_frame_build(stream + len, &frames[i]) + frames[i].payload_len;
        ends[i + 1] = len;
    }
    for (size_t first = 0; first <= len; first++)
        for (size_t second = first; second <= len; second++) {
            struct ws_walk walk = {0};
            size_t cuts[] = {0, first, second, len};
            for (unsigned i = 0; i < 3; i++) {
                bool is_end = false;
                for (unsigned k = 0; k < 6; k++)
                    is_end = is_end || ends[k] == cuts[i + 1];
                struct str part = str_make(stream + cuts[i], cuts[i + 1] - cuts[i]);
                assert_int_equal(ws_walk_feed(&walk, edge_place(part)), is_end);
                assert_false(walk.is_broken);
            }
            assert_int_equal(walk.op, WS_CONTINUATION);
        }
    struct ws_walk walk = {0};
    assert_true(ws_walk_feed(&walk, str_make(stream, ends[2])) && walk.op == WS_PING);
    assert_true(sizeof walk <= 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),  cmocka_unit_test(test_keys), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_mask), cmocka_unit_test(test_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
