#include "edge.h"

#include "base/builder.h"
#include "codec/h1_body.h"

/* Bodies, whole and at every pair of cuts. */

struct outcome {
    enum codec_result result;
    char memory[20000];
    struct builder data, trailer;
    size_t left; /* bytes behind the body, of all that was given */
};

static void outcome_init(struct outcome *outcome) {
    outcome->result = CODEC_MORE;
    outcome->data = builder_make(outcome->memory, sizeof outcome->memory / 2);
    outcome->trailer = builder_make(outcome->memory + sizeof outcome->memory / 2, sizeof outcome->memory / 2);
}

static void feed(struct h1_body *body, struct str bytes, struct outcome *outcome) {
    struct str input = edge_place(bytes), slice;
    enum h1_slice_kind kind;
    do {
        size_t before = input.len;
        outcome->result = h1_body_read(body, &input, &slice, &kind);
        builder_str(kind == H1_SLICE_DATA ? &outcome->data : &outcome->trailer, slice);
        assert_true(outcome->result != CODEC_MORE || before == 0 || input.len < before);
    } while (outcome->result == CODEC_MORE && input.len);
    outcome->left = input.len;
}

static void read_cut(struct outcome *outcome, const struct h1_head *head, struct str text, size_t first,
                     size_t second) {
    struct h1_body body;
    size_t cuts[] = {0, first, second, text.len};
    outcome_init(outcome);
    h1_body_init(&body, head);
    if (body.is_complete)
        outcome->result = CODEC_DONE;
    outcome->left = text.len;
    for (unsigned i = 0; i < 3 && outcome->result == CODEC_MORE; i++) {
        feed(&body, str_make(text.ptr + cuts[i], cuts[i + 1] - cuts[i]), outcome);
        outcome->left += text.len - cuts[i + 1];
    }
    assert_int_equal(body.is_complete, outcome->result == CODEC_DONE);
}

/* Reads at all cuts; gives the outcome of the whole. */
static void read_all(struct outcome *outcome, const struct h1_head *head, struct str text) {
    static struct outcome cut;
    read_cut(outcome, head, text, text.len, text.len);
    for (size_t i = 0; i <= text.len; i++)
        for (size_t j = i; j <= text.len; j += text.len > 100 ? 97 : 1) {
            read_cut(&cut, head, text, i, j);
            assert_int_equal(cut.result, outcome->result);
            assert_str(builder_view(&cut.data), builder_view(&outcome->data));
            assert_str(builder_view(&cut.trailer), builder_view(&outcome->trailer));
            assert_true(outcome->result == CODEC_BAD || cut.left == outcome->left);
        }
}

static void test_none_and_length(void **state) {
    (void)state;
    static struct outcome outcome;
    struct h1_head head = {.framing = H1_NO_BODY};
    read_all(&outcome, &head, STR("next"));
    assert_true(outcome.result == CODEC_DONE && outcome.left == 4);
    head = (struct h1_head){.framing = H1_LENGTH, .content_length = 0};
    read_all(&outcome, &head, STR("next"));
    assert_true(outcome.result == CODEC_DONE && outcome.left == 4);
    head.content_length = 5;
    read_all(&outcome, &head, STR("hellonext"));
    assert_true(outcome.result == CODEC_DONE && outcome.left == 4);
    assert_str(builder_view(&outcome.data), STR("hello"));
    head.content_length = (uint64_t)INT64_MAX;
    read_all(&outcome, &head, STR("hellonext"));
    assert_true(outcome.result == CODEC_MORE && outcome.left == 0);
}

static void test_ends(void **state) {
    (void)state;
    struct h1_head head = {.framing = H1_UNTIL_CLOSE};
    struct str input = STR("all"), slice;
    enum h1_slice_kind kind;
    struct h1_body body;
    h1_body_init(&body, &head);
    assert_int_equal(h1_body_read(&body, &input, &slice, &kind), CODEC_MORE);
    assert_str(slice, STR("all"));
    assert_int_equal(input.len, 0);
    assert_false(body.is_complete);
    assert_true(h1_body_end(&body) && body.is_complete);
    input = STR("more");
    assert_int_equal(h1_body_read(&body, &input, &slice, &kind), CODEC_DONE);
    assert_true(slice.len == 0 && input.len == 4);
    head.framing = H1_CHUNKED;
    h1_body_init(&body, &head);
    assert_false(h1_body_end(&body));
    head.framing = H1_NO_BODY;
    h1_body_init(&body, &head);
    assert_true(h1_body_end(&body));
}

static const struct chunked {
    const char *text, *data, *trailer, *left; /* left NULL: BAD */
} chunked[] = {
    {"0\r\n\r\n", "", "", ""},
    {"0\r\n\r\nGET /", "", "", "GET /"},
    {"5\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
    {"5\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n\r\n", "hello0123456789", "", "\r\n"},
    {"00000000000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
    {"1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "\r\n", "", ""},
    {"1;a ;b\r\nx\r\n0\r\n\r\n", "x", "", ""},
    {"19\r\n0123456789012345678901234\r\n0\r\n\r\n", "0123456789012345678901234", "", ""},
    {"0\r\nA: b\r\nC:\xff\r\n\r\nx", "", "A: b\r\nC:\xff\r\n", "x"},
    {"1\r\nx\r\n0\r\nA:\r\n\r\n", "x", "A:\r\n", ""},
    {"1;a\r\nx\r\n0;b=c;d=\"e \\\" ;\"\r\n\r\n", "x", "", ""},
    {"1 ; a = b ; c\r\nx\r\n0\t;\td\t=\t\"\xff\"\t;e\r\n\r\n", "x", "", ""},
    {"1\r\nx\r\n0;a=\"\\\r\"\r\n\r\n", "x", "", NULL},
    {"1\r\nxy\r\n0\r\n\r\n", "x", "", NULL},
    {"1\r\nx\n0\r\n\r\n", "x", "", NULL},
    {"1\r\nx\r\r\n0\r\n\r\n", "x", "", NULL},
    {"1\r\nx0\r\n\r\n", "x", "", NULL},
    {"1\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1\rx\r\n0\r\n\r\n", "", "", NULL},
    {"\r\n1\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1\r\nx\r\n\r\n0\r\n\r\n", "x", "", NULL},
    {" 1\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1 \r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"0x1\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"+1\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"-1\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"g\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {";a\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a=\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a b\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a\rx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a=\"b\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;a=\"b\"c\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"1;\x01\r\nx\r\n0\r\n\r\n", "", "", NULL},
    {"0\r\n A: b\r\n\r\n", "", "", NULL},
    {"0\r\nA: b\n\r\n", "", "A: b", NULL},
    {"0\r\nA: b\rc\r\n\r\n", "", "A: b\r", NULL},
    {"0\r\nA : b\r\n\r\n", "", "A", NULL},
    {"0\r\nA\r\n\r\n", "", "A", NULL},
    {"0\r\n: b\r\n\r\n", "", "", NULL},
    {"0\r\nA: \x01\r\n\r\n", "", "A: ", NULL},
    {"0\r\n\rX", "", "", NULL},
    {"0\r\n\n", "", "", NULL},
    {"8000000000000000\r\n", "", "", NULL},
    {"8000000000000001\r\n", "", "", NULL},
    {"ffffffffffffffff\r\n", "", "", NULL},
    {"10000000000000000\r\n", "", "", NULL},
    {"10000000000000001\r\nx\r\n", "", "", NULL},
    {"fffffffffffffffff\r\n", "", "", NULL},
    {"ffffffffffffffffffffffffffffffff1\r\n", "", "", NULL},
};

static void test_chunked(void **state) {
    (void)state;
    static struct outcome outcome;
    const struct h1_head head = {.framing = H1_CHUNKED};
    for (size_t i = 0; i < sizeof chunked / sizeof chunked[0]; i++) {
        const struct chunked *row = &chunked[i];
        read_all(&outcome, &head, str_of(row->text));
        if (outcome.result != (row->left ? CODEC_DONE : CODEC_BAD))
            fail_msg("%s: %d", row->text, outcome.result);
        assert_str(builder_view(&outcome.data), str_of(row->data));
        assert_str(builder_view(&outcome.trailer), str_of(row->trailer));
        if (row->left)
            assert_int_equal(outcome.left, strlen(row->left));
        if (!row->left) {
            /* and it stays so */
            struct h1_body body;
            h1_body_init(&body, &head);
            feed(&body, str_of(row->text), &outcome);
            feed(&body, STR("0\r\n\r\n"), &outcome);
            assert_int_equal(outcome.result, CODEC_BAD);
        }
    }
}

static void test_sizes(void **state) {
    (void)state;
    static const uint64_t sizes[] = {
        0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x100000001, INT64_MAX - 1, INT64_MAX,
    };
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char text[32];
        const struct h1_head head = {.framing = H1_CHUNKED};
        struct h1_body body;
        enum h1_slice_kind kind;
        size_t len = h1_chunk_head(text, sizes[i]);
        text[len++] = 'x';
        struct str input = str_make(text, len), slice;
        h1_body_init(&body, &head);
        assert_int_equal(h1_body_read(&body, &input, &slice, &kind), CODEC_MORE);
        assert_int_equal(slice.len, 1);
        assert_int_equal(body.remaining, sizes[i] - 1);
    }
}

static void test_chunk_head(void **state) {
    (void)state;
    char text[H1_CHUNK_HEAD_MAX];
    static const struct {
        size_t len;
        const char *text;
    } rows[] = {{1, "1\r\n"},
                {15, "f\r\n"},
                {16, "10\r\n"},
                {0xabcdef, "abcdef\r\n"},
                {SIZE_MAX, "ffffffffffffffff\r\n"}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_str(str_make(text, h1_chunk_head(text, rows[i].len)), str_of(rows[i].text));
}

/* The chunk line and the trailer section at their bounds and one above. */
static void test_bounds(void **state) {
    (void)state;
    static struct outcome outcome;
    static char text[10000];
    const struct h1_head head = {.framing = H1_CHUNKED};
    for (unsigned extra = 0; extra < 2; extra++) {
        struct builder b = builder_make(text, sizeof text);
        builder_str(&b, STR("0;"));
        while (b.len < H1_CHUNK_LINE_MAX - 2 + extra)
            builder_char(&b, 'a');
        builder_str(&b, STR("\r\n\r\n"));
        read_all(&outcome, &head, builder_view(&b));
        assert_int_equal(outcome.result, extra ? CODEC_BAD : CODEC_DONE);
        b = builder_make(text, sizeof text);
        builder_str(&b, STR("0\r\na:"));
        while (b.len < 3 + H1_TRAILER_MAX - 2 + extra)
            builder_char(&b, 'a');
        builder_str(&b, STR("\r\n\r\n"));
        read_cut(&outcome, &head, builder_view(&b), 5, 4000);
        assert_int_equal(outcome.result, extra ? CODEC_BAD : CODEC_DONE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_and_length), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_chunked),         cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_chunk_head),      cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
