#include "edge.h"

#include "base/builder.h"
#include "codec/h1_grammar.h"
#include "codec/h1_head.h"
#include "codec/h1_scan.h"

/* Response heads, whole and at every cut, before an unreadable page; and what both kinds of head share. */

static enum codec_result parse(struct h1_head *head, struct str input, enum h1_method method) {
    h1_head_init(head);
    enum codec_result verdict = h1_response_parse(head, edge_place(input).ptr, input.len, method);
    for (size_t i = 0; i < input.len; i++) {
        struct h1_head cut;
        h1_head_init(&cut);
        enum codec_result result = h1_response_parse(&cut, edge_place(str_head(input, i)).ptr, i, method);
        if (result == CODEC_MORE)
            result = h1_response_parse(&cut, edge_place(input).ptr, input.len, method);
        assert_int_equal(result, verdict);
        if (verdict == CODEC_MORE)
            continue;
        cut.base = head->base;
        cut.scanned = head->scanned;
        assert_memory_equal(&cut, head, offsetof(struct h1_head, fields));
        assert_memory_equal(cut.fields, head->fields, head->field_count * sizeof head->fields[0]);
    }
    head->base = input.ptr;
    return verdict;
}

static const struct answer {
    const char *text;
    enum h1_method method;
    unsigned status;
    const char *reason;
    enum h1_framing framing;
    uint64_t length;
    bool keepalive;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", H1_GET, 200, "OK", H1_LENGTH, 5, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", H1_GET, 200, "OK", H1_LENGTH, 0, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", H1_HEAD, 200, "OK", H1_NO_BODY, 5, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_GET, 200, "OK", H1_CHUNKED, 0, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_HEAD, 200, "OK", H1_NO_BODY, 0, true},
    {"HTTP/1.1 200 OK\r\n\r\n", H1_GET, 200, "OK", H1_UNTIL_CLOSE, 0, false},
    {"HTTP/1.1 200\r\n\r\n", H1_GET, 200, "", H1_UNTIL_CLOSE, 0, false},
    {"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", H1_GET, 200, "", H1_LENGTH, 1, true},
    {"HTTP/1.1 404 N\xc3\xb6t \tfound\r\nContent-Length: 1\r\n\r\n", H1_GET, 404, "N\xc3\xb6t \tfound",
     H1_LENGTH, 1, true},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", H1_GET, 200, "OK", H1_LENGTH, 1, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", H1_GET, 200, "OK", H1_LENGTH, 1,
     true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n", H1_GET, 200, "OK", H1_LENGTH, 1,
     false},
    {"HTTP/1.1 100 Continue\r\n\r\n", H1_POST, 100, "Continue", H1_NO_BODY, 0, true},
    {"HTTP/1.1 204 No Content\r\n\r\n", H1_GET, 204, "No Content", H1_NO_BODY, 0, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", H1_GET, 204, "No Content", H1_NO_BODY, 0, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", H1_GET, 204, "No Content", H1_NO_BODY, 7, false},
    {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", H1_GET, 204, "No Content", H1_NO_BODY, 0,
     false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", H1_GET, 304, "Not Modified", H1_NO_BODY, 7,
     true},
    {"HTTP/1.1 999 x\r\nHost: a\r\nHost: b, c\r\n\r\n", H1_GET, 999, "x", H1_UNTIL_CLOSE, 0, false},
};

static void test_answers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct h1_head head;
        const struct answer *answer = &answers[i];
        assert_int_equal(parse(&head, str_of(answer->text), answer->method), CODEC_DONE);
        assert_int_equal(head.len, strlen(answer->text));
        assert_int_equal(head.status, answer->status);
        assert_str(str_make(head.base + head.reason_at, head.reason_len), str_of(answer->reason));
        assert_int_equal(head.framing, answer->framing);
        assert_int_equal(head.content_length, answer->length);
        assert_int_equal(head.is_keepalive, answer->keepalive);
    }
}

static void test_switching(void **state) {
    (void)state;
    struct h1_head head;
    struct str input = STR("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi");
    assert_int_equal(parse(&head, input, H1_GET), CODEC_DONE);
    assert_true(head.is_upgrade && head.framing == H1_NO_BODY && head.len == input.len - 4);
    assert_str(h1_head_value(&head, H1_SEC_WEBSOCKET_ACCEPT), STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

static const struct refused {
    const char *text;
    enum h1_fault fault;
} refused[] = {
    {"HTTP/1.1 200 OK\r\nA: b\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\rA: b\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 O\x01K\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 20\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 2000 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 099 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1  200 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.2 200 OK\r\n\r\n", H1_FAULT_VERSION},
    {"HTTP/2 200 OK\r\n\r\n", H1_FAULT_VERSION},
    {"ICY 200 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"http/1.1 200 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\r\n A: b\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\r\nA\r\n\r\n", H1_FAULT_SYNTAX},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", H1_FAULT_FRAMING},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", H1_FAULT_CODING},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", H1_FAULT_CODING},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", H1_FAULT_FRAMING},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct h1_head head;
        enum codec_result result = parse(&head, str_of(refused[i].text), H1_GET);
        if (result != CODEC_BAD || head.fault != refused[i].fault)
            fail_msg("%s: result %d, fault %d", refused[i].text, result, head.fault);
    }
}

static void test_known_names(void **state) {
    (void)state;
    static const char *const names[] = {
        [0] = "",
#define H1_FIELD(id, name) [H1_##id] = name,
#include "codec/h1_field.def"
#undef H1_FIELD
    };
    for (unsigned id = 1; id < H1_FIELD_IDS; id++) {
        char name[64];
        size_t len = strlen(names[id]);
        assert_true(len < sizeof name - 1);
        for (unsigned i = 0; i <= len; i++)
            name[i] = (char)(i % 2 && names[id][i] >= 'a' ? names[id][i] - 32 : names[id][i]);
        assert_int_equal(h1_field_find(edge_place(str_make(names[id], len))), id);
        assert_int_equal(h1_field_find(edge_place(str_make(name, len))), id);
        assert_int_equal(h1_field_find(str_make(name, len - 1)), H1_OTHER);
        for (unsigned i = 0; i < len; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                memcpy(name, names[id], len);
                name[i] = (char)(name[i] ^ 1 << bit);
                bool is_same = str_eq_nocase(str_make(name, len), str_of(names[id]));
                assert_int_equal(h1_field_find(edge_place(str_make(name, len))), is_same ? id : H1_OTHER);
            }
    }
    assert_int_equal(h1_field_find(STR("")), H1_OTHER);
}

static void test_lists(void **state) {
    (void)state;
    struct h1_head head;
    struct str input = STR(
        "HTTP/1.1 200 OK\r\nVary:\r\nVary: ,, a ,\tb\r\nVary: \"c, d\\\", e\",f\r\nVary: g h, i;q=1,\r\n\r\n");
    assert_int_equal(parse(&head, input, H1_GET), CODEC_DONE);
    static const char *const in[] = {"a", "A", "b", "f", "g h", "i;q=1", "\"c, d\\\", e\""};
    static const char *const out[] = {"c", "d", "e", "g", "h", "i", "", ",", "aa", "\"c"};
    for (unsigned i = 0; i < sizeof in / sizeof in[0]; i++)
        assert_true(h1_head_lists(&head, H1_VARY, str_of(in[i])));
    for (unsigned i = 0; i < sizeof out / sizeof out[0]; i++)
        assert_false(h1_head_lists(&head, H1_VARY, str_of(out[i])));
    assert_false(h1_head_lists(&head, H1_TE, STR("a")));
}

static void test_hop_by_hop(void **state) {
    (void)state;
    struct h1_head head;
    struct str input =
        STR("HTTP/1.1 200 OK\r\nConnection: close, X-Mine, host, content-length\r\nHost: h\r\n"
            "Content-Length: 0\r\nx-mine: 1\r\nX-Yours: 2\r\nKeep-Alive: 3\r\nProxy-Connection: 4\r\n"
            "TE: 5\r\nTrailer: 6\r\nUpgrade: 7\r\nCookie: x-yours\r\n\r\n");
    static const bool wanted[] = {true, false, false, true, false, true, true, true, true, true, false};
    assert_int_equal(parse(&head, input, H1_GET), CODEC_DONE);
    assert_int_equal(head.field_count, sizeof wanted);
    for (unsigned i = 0; i < head.field_count; i++)
        assert_int_equal(h1_field_is_hop_by_hop(&head, &head.fields[i]), wanted[i]);
}

static const char *const right_hosts[] = {
    "h",
    "h:",
    "h:0",
    "h:65535",
    "a.b-c_d~",
    "127.0.0.1:80",
    "%41b",
    "a!$&'()*+,;=",
    "[::]",
    "[::1]:8080",
    "[1::]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7::]",
    "[::2:3:4:5:6:7:8]",
    "[fe80::ABCD]",
    "[::ffff:1.2.3.4]",
    "[::0.10.0.255]",
    "[1:2:3:4:5:6:1.2.3.4]",
    "[1::1.2.3.4]",
    "[1:2:3:4:5::1.2.3.4]",
    "[v1.a]",
    "[vF0.~!$&'()*+,;=-._:]:80",
    "a.",
    ".a",
};
static const char *const wrong_hosts[] = {
    "",
    ":80",
    "h:65536",
    "h:99999999999999999999",
    "h:-1",
    "h:8a",
    "h:80:",
    "h h",
    "u@h",
    "h/",
    "h?",
    "h#",
    "h\\",
    "%",
    "%4",
    "%4g",
    "h\"",
    "h<",
    "h^",
    "\x80",
    "h\x7f",
    "[",
    "]",
    "[]",
    "[:]",
    "[1]",
    "[::1",
    "::1",
    "[::1]x",
    "[::1]80",
    "[:::]",
    "[1:2:3:4:5:6:7:8:9]",
    "[1:2:3:4:5:6:7]",
    "[::1::]",
    "[1:]",
    "[:1:2:3:4:5:6:7]",
    "[12345::]",
    "[g::]",
    "[::1%25eth0]",
    "[v1.]",
    "[v.a]",
    "[v1a]",
    "[v1.a/]",
    ".",
    ".:80",
    "a..b",
    "a..",
    "[1.2.3.4]",
    "[::1.2.3]",
    "[::1.2.3.256]",
    "[::01.2.3.4]",
    "[::1.2.3.4.5]",
    "[::1.2.3.]",
    "[1:2:3:4:5:6:7:1.2.3.4]",
    "[::1.2.3.4:5]",
    "[1:2:3:4:5:6:7:8::]",
    "[::1]:x",
    "[1:2:3:4:5:6:7:8:]",
    "[::1:]",
    "[1:2:3:4:5:6::1.2.3.4]",
};

static void test_hosts(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof right_hosts / sizeof right_hosts[0]; i++)
        if (!h1_is_host(edge_place(str_of(right_hosts[i]))))
            fail_msg("refused: %s", right_hosts[i]);
    for (unsigned i = 0; i < sizeof wrong_hosts / sizeof wrong_hosts[0]; i++)
        if (h1_is_host(edge_place(str_of(wrong_hosts[i]))))
            fail_msg("taken: %s", wrong_hosts[i]);
}

static bool is_field_value(struct str s) {
    return !s.len || h1_scan_value(s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

static void test_bytes(void **state) {
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c, text[] = "0123456789abcdefghij";
        bool is_token = c && c < 128 &&
                        (strchr("!#$%&'*+-.^_`|~", (int)c) || (c >= '0' && c <= '9') ||
                         ((c | 32) >= 'a' && (c | 32) <= 'z'));
        bool is_value = c == '\t' || (c >= 32 && c != 127);
        assert_int_equal(h1_is_token(edge_place(str_make(&byte, 1))), is_token);
        assert_int_equal(is_field_value(edge_place(str_make(&byte, 1))), is_value);
        for (unsigned i = 0; i < 20; i++) {
            memcpy(text, "0123456789abcdefghij", 20);
            text[i] = byte;
            assert_int_equal(h1_is_token(edge_place(str_make(text, 20))), is_token);
            assert_int_equal(is_field_value(edge_place(str_make(text, 20))), is_value);
        }
    }
    assert_false(h1_is_token(STR("")));
    assert_true(is_field_value(STR("")));
    assert_string_equal(h1_reason(200), "OK");
    assert_string_equal(h1_reason(504), "Gateway Time-out");
    assert_string_equal(h1_reason(299), "");
    assert_string_equal(h1_reason(512), "");
    assert_string_equal(h1_reason(UINT32_MAX), "");
    assert_string_equal(h1_reason(0), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_switching), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_known_names), cmocka_unit_test(test_lists),     cmocka_unit_test(test_hop_by_hop),
        cmocka_unit_test(test_hosts),       cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
