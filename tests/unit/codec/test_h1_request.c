#include "edge.h"

#include "base/builder.h"
#include "codec/h1_head.h"

/* Request heads: each input is read whole and at every cut, always before an unreadable page, and must give the
 * same either way. */

static const char *const faults[] = {"none",    "syntax", "framing", "host",
                                     "version", "coding", "count",   "method"};

static void head_same(const struct h1_head *a, const struct h1_head *b) {
    struct h1_head x = *a, y = *b;
    x.base = y.base = NULL;
    x.scanned = y.scanned = 0;
    assert_memory_equal(&x, &y, offsetof(struct h1_head, fields) + x.field_count * sizeof(struct h1_field));
}

/* Reads `first` bytes, then all of them, from another place. */
static enum codec_result parse_cut(struct h1_head *head, struct str input, size_t first) {
    memset(head, 0, sizeof *head);
    h1_head_init(head);
    enum codec_result result = h1_request_parse(head, edge_place(str_head(input, first)).ptr, first);
    if (result != CODEC_MORE || first == input.len)
        return result;
    assert_true(head->parsed <= first && head->scanned <= first);
    return h1_request_parse(head, edge_place(input).ptr, input.len);
}

/* The verdict on the whole, after checking that no cut changes it. The head's base is `input`. */
static enum codec_result parse(struct h1_head *head, struct str input) {
    struct h1_head cut;
    enum codec_result verdict = parse_cut(head, input, input.len);
    for (size_t i = 0; i < input.len; i++) {
        assert_int_equal(parse_cut(&cut, input, i), verdict);
        if (verdict != CODEC_MORE)
            head_same(&cut, head);
    }
    h1_head_init(&cut);
    for (size_t i = 0; i <= input.len; i++) {
        enum codec_result result = h1_request_parse(&cut, edge_place(str_head(input, i)).ptr, i);
        if (result == CODEC_MORE)
            continue;
        assert_int_equal(result, verdict);
        head_same(&cut, head);
        break;
    }
    head->base = input.ptr;
    return verdict;
}

static void value_is(const struct h1_head *head, enum h1_field_id id, const char *value) {
    assert_true(str_eq(h1_head_value(head, id), str_of(value)));
}

static void at_is(const struct h1_head *head, uint32_t at, uint32_t len, const char *text) {
    assert_true(str_eq(str_make(head->base + at, len), str_of(text)));
}

#define POLL                                                                                                  \
    "GET /socket.io/?EIO=4&transport=polling&t=Oabc123&sid=lv_VI97HAXpY6yYWAAAC HTTP/1.1\r\n"                 \
    "Host: chat.example.com:8080\r\n"                                                                         \
    "Connection: keep-alive\r\n"                                                                              \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0\r\n" \
    "Accept: */*\r\n"                                                                                         \
    "Referer: http://chat.example.com:8080/\r\n"                                                              \
    "ACCEPT-ENCODING:gzip, deflate\t \r\n"                                                                    \
    "X_odd!#$%&'*+-.^`|~: \t\r\n"                                                                             \
    "Cookie: a=b; c=\xc3\xa9\r\n"                                                                             \
    "Cookie: d=e\r\n\r\n"

static void test_polling(void **state) {
    (void)state;
    struct h1_head head;
    struct str input = STR(POLL);
    assert_int_equal(parse(&head, input), CODEC_DONE);
    assert_int_equal(head.len, input.len);
    assert_int_equal(head.method, H1_GET);
    assert_int_equal(head.minor, 1);
    assert_int_equal(head.field_count, 9);
    assert_int_equal(head.framing, H1_NO_BODY);
    assert_true(head.is_keepalive && !head.is_upgrade && !head.expects_continue);
    at_is(&head, head.path_at, head.path_len, "/socket.io/");
    at_is(&head, head.query_at, head.query_len, "EIO=4&transport=polling&t=Oabc123&sid=lv_VI97HAXpY6yYWAAAC");
    assert_int_equal(head.authority_at, 0);
    value_is(&head, H1_HOST, "chat.example.com:8080");
    value_is(&head, H1_ACCEPT_ENCODING, "gzip, deflate");
    value_is(&head, H1_COOKIE, "a=b; c=\xc3\xa9");
    assert_int_equal(head.fields[head.first[H1_COOKIE] - 1].next, 9);
    assert_true(str_eq(h1_field_value(&head, h1_head_find(&head, STR("accept"))), STR("*/*")));
    assert_int_equal(h1_head_find(&head, STR("X_odd!#$%&'*+-.^`|~"))->value_len, 0);
    assert_ptr_equal(h1_head_find(&head, STR("HOST")), &head.fields[0]);
    assert_null(h1_head_find(&head, STR("absent")));
    assert_null(h1_head_find(&head, STR("upgrade")));
    assert_null(h1_head_find(&head, STR("")));
}

static void test_pipelined(void **state) {
    (void)state;
    struct h1_head head;
    assert_int_equal(parse(&head, STR("GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n")), CODEC_DONE);
    assert_ptr_equal(h1_head_find(&head, STR("a")), &head.fields[0]);
    assert_int_equal(parse(&head, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT\n\n\n")), CODEC_DONE);
    assert_int_equal(head.len, 27);
}

static const struct target {
    const char *target, *path, *query, *authority;
} targets[] = {
    {"/", "/", NULL, NULL},
    {"/?", "/", "", NULL},
    {"/a?b?c=/d", "/a", "b?c=/d", NULL},
    {"//a//..", "//a//..", NULL, NULL},
    {"/a|{}\"<>\\^`%zz", "/a|{}\"<>\\^`%zz", NULL, NULL},
    {"http://h", "", NULL, "h"},
    {"HTTP://h:80/", "/", NULL, "h:80"},
    {"https://[::1]:8080/a/b?c", "/a/b", "c", "[::1]:8080"},
    {"hTTpS://h?q=/x", "", "q=/x", "h"},
    {"http://*:/?b]", "/", "b]", "*:"},
    {"http://h/?http://i/", "/", "http://i/", "h"},
    {"/012345678901234567890123456789012345678901234567890123456789?0123456789012345678901234567890",
     "/012345678901234567890123456789012345678901234567890123456789", "0123456789012345678901234567890", NULL},
};

static void test_targets(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char text[256];
        struct h1_head head;
        struct builder b = builder_make(text, sizeof text);
        builder_format(&b, "GET %s HTTP/1.1\r\nHost: other\r\n\r\n", targets[i].target);
        assert_int_equal(parse(&head, builder_view(&b)), CODEC_DONE);
        at_is(&head, head.target_at, head.target_len, targets[i].target);
        at_is(&head, head.path_at, head.path_len, targets[i].path);
        assert_int_equal(head.query_at != 0, targets[i].query != NULL);
        at_is(&head, head.query_at, head.query_len, targets[i].query ? targets[i].query : "");
        assert_int_equal(head.authority_at != 0, targets[i].authority != NULL);
        at_is(&head, head.authority_at, head.authority_len, targets[i].authority ? targets[i].authority : "");
    }
}

static void test_methods(void **state) {
    (void)state;
    static const char *const names[] = {"",       "GET",     "HEAD",  "POST",    "PUT",
                                        "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"};
    static const char *const others[] = {
        "get", "Get", "GOT", "X", "HEAP", "M-SEARCH", "PRI", "!#$%&'*+-.^_`|~", "DELETES"};
    struct h1_head head;
    char text[128];
    for (unsigned i = 1; i < sizeof names / sizeof names[0]; i++) {
        struct builder b = builder_make(text, sizeof text);
        builder_format(&b, "%s / HTTP/1.1\r\nHost: h\r\n\r\n", names[i]);
        assert_int_equal(parse(&head, builder_view(&b)), i == H1_CONNECT ? CODEC_BAD : CODEC_DONE);
        assert_int_equal(head.method, i);
    }
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct builder b = builder_make(text, sizeof text);
        builder_format(&b, "%s / HTTP/1.1\r\nHost: h\r\n\r\n", others[i]);
        assert_int_equal(parse(&head, builder_view(&b)), CODEC_DONE);
        assert_int_equal(head.method, H1_METHOD_OTHER);
        assert_true(str_eq(h1_head_method(&head), str_of(others[i])));
    }
}

#define H "Host: h\r\n"
#define START "GET / HTTP/1.1\r\n" H

/* Fields behind the start above, and what the head shows. */
static const struct flags {
    const char *fields;
    enum h1_framing framing;
    uint64_t length;
    bool keepalive, upgrade, trailers, expects;
} flags[] = {
    {"", H1_NO_BODY, 0, true, false, false, false},
    {"Content-Length: 0\r\n", H1_LENGTH, 0, true, false, false, false},
    {"Content-Length: 00012\r\n", H1_LENGTH, 12, true, false, false, false},
    {"content-length:2147483647\r\n", H1_LENGTH, 2147483647, true, false, false, false},
    {"content-length:2147483648\r\n", H1_LENGTH, 2147483648, true, false, false, false},
    {"content-length:4294967295\r\n", H1_LENGTH, 4294967295, true, false, false, false},
    {"content-length:4294967296\r\n", H1_LENGTH, 4294967296, true, false, false, false},
    {"content-length:4294967297\r\n", H1_LENGTH, 4294967297, true, false, false, false},
    {"Content-Length: 9223372036854775807\r\n", H1_LENGTH, INT64_MAX, true, false, false, false},
    {"Transfer-Encoding: Chunked \r\n", H1_CHUNKED, 0, true, false, false, false},
    {"Connection: close\r\n", H1_NO_BODY, 0, false, false, false, false},
    {"Connection: x, CLOSE ,keep-alive\r\n", H1_NO_BODY, 0, false, false, false, false},
    {"Connection: closed\r\n", H1_NO_BODY, 0, true, false, false, false},
    {"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", H1_NO_BODY, 0, true, true, false, false},
    {"Upgrade: websocket\r\nConnection: a\r\nConnection:upgrade\r\n", H1_NO_BODY, 0, true, true, false, false},
    {"Upgrade: websocket\r\n", H1_NO_BODY, 0, true, false, false, false},
    {"Connection: Upgrade\r\n", H1_NO_BODY, 0, true, false, false, false},
    {"Connection: \"a, upgrade\"\r\nUpgrade: websocket\r\n", H1_NO_BODY, 0, true, false, false, false},
    {"TE: deflate, trailers\r\n", H1_NO_BODY, 0, true, false, true, false},
    {"TE: trailersx\r\nExpect: 100-Continue\r\n", H1_NO_BODY, 0, true, false, false, true},
};

static void test_flags(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char text[256];
        struct h1_head head;
        struct builder b = builder_make(text, sizeof text);
        builder_format(&b, START "%s\r\n", flags[i].fields);
        assert_int_equal(parse(&head, builder_view(&b)), CODEC_DONE);
        assert_int_equal(head.framing, flags[i].framing);
        assert_int_equal(head.content_length, flags[i].length);
        assert_int_equal(head.is_keepalive, flags[i].keepalive);
        assert_int_equal(head.is_upgrade, flags[i].upgrade);
        assert_int_equal(h1_head_lists(&head, H1_TE, STR("trailers")), flags[i].trailers);
        assert_int_equal(head.expects_continue, flags[i].expects);
    }
}

/* Where the first line ends by LF alone, others may, with a CR before it or without. */
static void test_bare_lf(void **state) {
    (void)state;
    static const char *const texts[] = {"GET /\xe4 HTTP/1.1\nHost: h\nA: b \n\n",
                                        "GET /\xe4 HTTP/1.1\nHost: h\r\nA: b\r\n\n",
                                        "GET /\xe4 HTTP/1.1\nHost: h\nA: b\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct h1_head head;
        assert_int_equal(parse(&head, str_of(texts[i])), CODEC_DONE);
        assert_int_equal(head.len, strlen(texts[i]));
        assert_int_equal(head.field_count, 2);
        assert_true(str_eq(h1_field_value(&head, &head.fields[1]), STR("b")));
        assert_true(str_eq(h1_head_line(&head), STR("GET /\xe4 HTTP/1.1")));
    }
}

/* Names that are odd are taken out, and what is known stays where it is found. */
static void test_odd_names(void **state) {
    (void)state;
    static const char text[] =
        "GET / HTTP/1.1\r\nx.a: 1\r\nHost: h\r\nx_b: 2\r\nX-C: 3\r\nCookie: c\r\n~: 4\r\n"
        "Cookie: d\r\n\r\n";
    for (int takes = 0; takes < 2; takes++) {
        struct h1_head head;
        assert_int_equal(parse(&head, str_of(text)), CODEC_DONE);
        assert_true(h1_head_drop_odd(&head, takes));
        assert_int_equal(head.field_count, 4 + takes);
        assert_false(h1_head_has_one(&head, H1_COOKIE));
        assert_true(h1_head_lists(&head, H1_COOKIE, STR("d"))); /* the second is found behind the first */
        assert_true(str_eq(h1_head_value(&head, H1_HOST), STR("h")));
        assert_true(str_eq(h1_head_value(&head, H1_COOKIE), STR("c")));
        assert_true((h1_head_find(&head, STR("x_b")) != NULL) == takes);
        assert_null(h1_head_find(&head, STR("x.a")));
    }
    struct h1_head head;
    assert_int_equal(parse(&head, STR("GET / HTTP/1.1\r\nHost: h\r\nX-C: 3\r\n\r\n")), CODEC_DONE);
    assert_false(h1_head_drop_odd(&head, false));
    assert_int_equal(head.field_count, 2);
}

static void test_old_version(void **state) {
    (void)state;
    struct h1_head head;
    assert_int_equal(parse(&head, STR("GET / HTTP/1.0\r\n\r\n")), CODEC_DONE);
    assert_true(head.minor == 0 && !head.is_keepalive);
    assert_int_equal(
        parse(&head, STR("GET / HTTP/1.0\r\nConnection: Keep-Alive, upgrade\r\nUpgrade: websocket\r\n"
                         "Expect: 100-continue\r\n\r\n")),
        CODEC_DONE);
    assert_true(head.is_keepalive && !head.is_upgrade && !head.expects_continue);
}

/* What must be refused, why, and how many bytes of it are enough to know. */
static const struct refused {
    const char *text;
    uint8_t len; /* 0: as a C string */
    enum h1_fault fault;
    int known_at;
} refused[] = {
    /* line ends */
    {"GET / HTTP/1.1\n\n", 0, H1_FAULT_HOST, 16},
    {"GET / HTTP/1.1\nA: b\rC: d\n", 0, H1_FAULT_SYNTAX, 21},
    {"GET / HTTP/1.1\nA: b\r\r\n", 0, H1_FAULT_SYNTAX, 21},
    {"GET / HTTP/1.1\r\r\n", 0, H1_FAULT_SYNTAX, 16},
    {"GET / HTTP/1.1\rHost: h\r\n", 0, H1_FAULT_SYNTAX, 16},
    {"\r\nGET / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 1},
    {"\nGET / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 1},
    {START "A: b\nC: d\r\n\r\n", 0, H1_FAULT_SYNTAX, 30},
    {START "A: b\rC: d\r\n\r\n", 0, H1_FAULT_SYNTAX, 31},
    {START "A: b\r\r\n\r\n", 0, H1_FAULT_SYNTAX, 31},
    {START "A: b\r\n\n", 0, H1_FAULT_SYNTAX, 32},
    {START "A: b\r\n\rX", 0, H1_FAULT_SYNTAX, 33},
    {START "A: b\r\n\r\r\n", 0, H1_FAULT_SYNTAX, 33},
    {START "A\r\n\r\n", 0, H1_FAULT_SYNTAX, 27},
    {START "A\n", 0, H1_FAULT_SYNTAX, 27},
    /* controls */
    {"GET / HTTP/1.1\r\nHost: h\r\nA: \0b\r\n\r\n", 34, H1_FAULT_SYNTAX, 29},
    {"GET / HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n", 34, H1_FAULT_SYNTAX, 27},
    {"GET /\0 HTTP/1.1\r\n", 17, H1_FAULT_SYNTAX, 6},
    {START "A: b\x01\r\n\r\n", 0, H1_FAULT_SYNTAX, 30},
    {START "A: b\x1f\r\n\r\n", 0, H1_FAULT_SYNTAX, 30},
    {START "A: b\x7f\r\n\r\n", 0, H1_FAULT_SYNTAX, 30},
    {START "A: b\x0b\r\n\r\n", 0, H1_FAULT_SYNTAX, 30},
    {START "A: 0123456789012345678901234567890123456789\x0c\r\n\r\n", 0, H1_FAULT_SYNTAX, 69},
    {"GET /\x7f HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 6},
    /* names */
    {START " A: b\r\n\r\n", 0, H1_FAULT_SYNTAX, 26},
    {START "A: b\r\n c\r\n\r\n", 0, H1_FAULT_SYNTAX, 32},
    {START "A: b\r\n\tc\r\n\r\n", 0, H1_FAULT_SYNTAX, 32},
    {"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 0, H1_FAULT_SYNTAX, 17},
    {START "A : b\r\n\r\n", 0, H1_FAULT_SYNTAX, 27},
    {START "A\t: b\r\n\r\n", 0, H1_FAULT_SYNTAX, 27},
    {START ": b\r\n\r\n", 0, H1_FAULT_SYNTAX, 26},
    {START "A(: b\r\n\r\n", 0, H1_FAULT_SYNTAX, 27},
    {START "A\x80: b\r\n\r\n", 0, H1_FAULT_SYNTAX, 27},
    {START "Transfer-Encoding : chunked\r\n\r\n", 0, H1_FAULT_SYNTAX, 43},
    {START "Content-Length\x0b: 5\r\n\r\n", 0, H1_FAULT_SYNTAX, 40},
    /* request line */
    {"GET  / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 5},
    {"GET / HTTP/1.1 \r\n", 0, H1_FAULT_SYNTAX, 15},
    {"GET /  HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 7},
    {"GET\t/ HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 4},
    {"GET /\tHTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 6},
    {" GET / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 1},
    {"G@T / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 2},
    {"G\xc3T / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 2},
    {"GET: / HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 4},
    {"GET /\r\n", 0, H1_FAULT_SYNTAX, 6},
    {"GET\r\n", 0, H1_FAULT_SYNTAX, 4},
    {"GET / \r\n", 0, H1_FAULT_SYNTAX, 7},
    {"GET /a b HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 8},
    {"GET /a#b HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 7},
    {"GET /a?b#c HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 9},
    {"GET # HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 5},
    {"GET a HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 5},
    {"GET ?a HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 5},
    {"GET * HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 16},
    {"OPTIONS *x HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 10},
    {"OPTIONS *?x HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 10},
    {"GET ftp://h/ HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 5},
    {"GET httpx://h/ HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 9},
    {"GET httpss://h/ HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 10},
    {"GET http:/h/ HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 11},
    {"GET http:///a HTTP/1.1\r\n", 0, H1_FAULT_HOST, 24},
    {"GET http://u@h/a HTTP/1.1\r\n", 0, H1_FAULT_HOST, 27},
    {"GET http://h:x/a HTTP/1.1\r\n", 0, H1_FAULT_HOST, 27},
    {"GET http://h#f HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 13},
    {"CONNECT h:443 HTTP/1.1\r\n", 0, H1_FAULT_METHOD, 8},
    {"GET h:443 HTTP/1.1\r\n", 0, H1_FAULT_SYNTAX, 6},
    /* versions */
    {"GET / HTTP/1.2\r\n", 0, H1_FAULT_VERSION, 14},
    {"GET / HTTP/1.9\r\n", 0, H1_FAULT_VERSION, 14},
    {"GET / HTTP/2.0\r\n", 0, H1_FAULT_VERSION, 12},
    {"GET / HTTP/0.9\r\n", 0, H1_FAULT_VERSION, 12},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, H1_FAULT_VERSION, 12},
    {"GET / HTTP/1.10\r\n", 0, H1_FAULT_SYNTAX, 15},
    {"GET / HTTP/01.1\r\n", 0, H1_FAULT_VERSION, 12},
    {"GET / HTTP/11\r\n", 0, H1_FAULT_SYNTAX, 13},
    {"GET / http/1.1\r\n", 0, H1_FAULT_SYNTAX, 7},
    {"GET / HTTP/1,1\r\n", 0, H1_FAULT_SYNTAX, 13},
    {"GET / HTTP/1.x\r\n", 0, H1_FAULT_SYNTAX, 14},
    {"GET / HTTP /1.1\r\n", 0, H1_FAULT_SYNTAX, 11},
    /* Host */
    {"GET / HTTP/1.1\r\n\r\n", 0, H1_FAULT_HOST, 18},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, H1_FAULT_HOST, 23},
    {"GET http://h/ HTTP/1.1\r\nA: b\r\n\r\n", 0, H1_FAULT_HOST, 32},
    {START H "\r\n", 0, H1_FAULT_HOST, 34},
    {START "hOST: i\r\n\r\n", 0, H1_FAULT_HOST, 34},
    {"GET / HTTP/1.0\r\n" H H "\r\n", 0, H1_FAULT_HOST, 34},
    {"GET / HTTP/1.1\r\nHost: h, i\r\n\r\n", 0, H1_FAULT_HOST, 28},
    {"GET / HTTP/1.1\r\nHost: h i\r\n\r\n", 0, H1_FAULT_HOST, 27},
    {"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 0, H1_FAULT_HOST, 27},
    {"GET / HTTP/1.1\r\nHost: h/a\r\n\r\n", 0, H1_FAULT_HOST, 27},
    {"GET / HTTP/1.1\r\nHost: h\x80\r\n\r\n", 0, H1_FAULT_HOST, 26},
    {"GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n", 0, H1_FAULT_HOST, 31},
    /* framing */
    {START "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0, H1_FAULT_FRAMING, 72},
    {START "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 0, H1_FAULT_FRAMING, 72},
    {START "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 0, H1_FAULT_FRAMING, 63},
    {START "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 0, H1_FAULT_FRAMING, 63},
    {START "Content-Length: 5, 5\r\n\r\n", 0, H1_FAULT_FRAMING, 47},
    {START "Content-Length: +5\r\n\r\n", 0, H1_FAULT_FRAMING, 45},
    {START "Content-Length: -5\r\n\r\n", 0, H1_FAULT_FRAMING, 45},
    {START "Content-Length: 5 0\r\n\r\n", 0, H1_FAULT_FRAMING, 46},
    {START "Content-Length: 0x5\r\n\r\n", 0, H1_FAULT_FRAMING, 46},
    {START "Content-Length: 5.0\r\n\r\n", 0, H1_FAULT_FRAMING, 46},
    {START "Content-Length:\r\n\r\n", 0, H1_FAULT_FRAMING, 42},
    {START "Content-Length: \xc2\xb2\r\n\r\n", 0, H1_FAULT_FRAMING, 45},
    {START "Content-Length: 9223372036854775808\r\n\r\n", 0, H1_FAULT_FRAMING, 62},
    {START "Content-Length: 18446744073709551615\r\n\r\n", 0, H1_FAULT_FRAMING, 63},
    {START "Content-Length: 18446744073709551616\r\n\r\n", 0, H1_FAULT_FRAMING, 63},
    {START "Content-Length: 18446744073709551621\r\n\r\n", 0, H1_FAULT_FRAMING, 63},
    {START "Content-Length: 99999999999999999999999999999999\r\n\r\n", 0, H1_FAULT_FRAMING, 75},
    {START "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0, H1_FAULT_FRAMING, 81},
    {START "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 0, H1_FAULT_FRAMING, 82},
    {START "Transfer-Encoding: a\r\nTransfer-Encoding: b\r\n\r\n", 0, H1_FAULT_FRAMING, 69},
    {START "Expect: a\r\nEXPECT: b\r\n\r\n", 0, H1_FAULT_SYNTAX, 47},
    {START "Transfer-Encoding: gzip, chunked\r\n\r\n", 0, H1_FAULT_CODING, 61},
    {START "Transfer-Encoding: chunked, chunked\r\n\r\n", 0, H1_FAULT_CODING, 64},
    {START "Transfer-Encoding: chunked, identity\r\n\r\n", 0, H1_FAULT_CODING, 65},
    {START "Transfer-Encoding: chunked,\r\n\r\n", 0, H1_FAULT_CODING, 56},
    {START "Transfer-Encoding: ,chunked\r\n\r\n", 0, H1_FAULT_CODING, 56},
    {START "Transfer-Encoding: xchunked\r\n\r\n", 0, H1_FAULT_CODING, 56},
    {START "Transfer-Encoding: chunked;a=b\r\n\r\n", 0, H1_FAULT_CODING, 59},
    {START "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, H1_FAULT_CODING, 57},
    {START "Transfer-Encoding: chun ked\r\n\r\n", 0, H1_FAULT_CODING, 56},
    {START "Transfer-Encoding: identity\r\n\r\n", 0, H1_FAULT_CODING, 56},
    {START "Transfer-Encoding:\r\n\r\n", 0, H1_FAULT_CODING, 47},
    {START "Transfer-Encoding: \x0b"
           "chunked\r\n\r\n",
     0, H1_FAULT_SYNTAX, 45},
    {START "Transfer-Encoding:\xa0"
           "chunked\r\n\r\n",
     0, H1_FAULT_CODING, 55},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 0, H1_FAULT_FRAMING, 45},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct h1_head head, early;
        struct str text = refused[i].len ? str_make(refused[i].text, refused[i].len) : str_of(refused[i].text);
        enum codec_result result = parse(&head, text);
        size_t known = 0;
        while (known <= text.len && parse_cut(&early, text, text.len) == CODEC_BAD) {
            h1_head_init(&early);
            if (h1_request_parse(&early, edge_place(str_head(text, known)).ptr, known) == CODEC_BAD)
                break;
            known++;
        }
        if (result != CODEC_BAD || head.fault != refused[i].fault || (int)known != refused[i].known_at)
            fail_msg("row %zu: \"%.*s\": result %d, fault %s (asked %s), known after %zu (asked %d)", i,
                     STR_ARG(text), result, faults[head.fault], faults[refused[i].fault], known,
                     refused[i].known_at);
    }
}

/* Where the fault is: the byte itself, the name that is one too many, the value, or the empty line. */
static void test_fault_places(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint32_t at;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", 16},
        {"GET / HTTP/2.0\r\n", 11},
        {"GET http://u@h/ HTTP/1.1\r\n", 11},
        {"GET * HTTP/1.1\r\n", 4},
        {"CONNECT h:1 HTTP/1.1\r\n", 0},
        {START H, 25},
        {START "A: b\rc", 29},
        {START "A: b\nc", 29},
        {START "Content-Length: x\r\n", 41},
        {START "Content-Length: 1\r\nContent-Length: 1\r\n", 44},
        {START "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 44},
        {START "Transfer-Encoding: gzip\r\n\r\n", 44},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 16},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct h1_head head;
        assert_int_equal(parse(&head, str_of(rows[i].text)), CODEC_BAD);
        assert_int_equal(head.fault_at, rows[i].at);
    }
}

static void test_field_count(void **state) {
    (void)state;
    char text[4096];
    struct h1_head head;
    for (unsigned extra = 0; extra < 2; extra++) {
        struct builder b = builder_make(text, sizeof text);
        builder_str(&b, STR(START));
        for (unsigned i = 1; i < H1_FIELDS_MAX + extra; i++)
            builder_format(&b, "%s: %u\r\n", i % 2 ? "Via" : "X-B", i);
        builder_str(&b, STR("\r\n"));
        assert_int_equal(parse(&head, builder_view(&b)), extra ? CODEC_BAD : CODEC_DONE);
        assert_int_equal(head.fault, extra ? H1_FAULT_FIELD_COUNT : H1_FAULT_NONE);
        unsigned count = 0;
        for (unsigned n = head.first[H1_VIA]; n; n = head.fields[n - 1].next)
            count++;
        assert_int_equal(count, H1_FIELDS_MAX / 2);
    }
}

/* A method and a name of 65535 bytes, and one more. */
static void test_long_tokens(void **state) {
    (void)state;
    static char text[1 << 17];
    for (unsigned kind = 0; kind < 2; kind++)
        for (size_t len = UINT16_MAX; len <= UINT16_MAX + 1; len++) {
            struct h1_head head;
            struct builder b = builder_make(text, sizeof text);
            builder_str(&b, kind ? STR(START) : STR(""));
            for (size_t i = 0; i < len; i++)
                builder_char(&b, 'A');
            builder_str(&b, kind ? STR(":\r\n\r\n") : STR(" / HTTP/1.1\r\n" H "\r\n"));
            struct str input = edge_place(builder_view(&b));
            h1_head_init(&head);
            assert_int_equal(h1_request_parse(&head, input.ptr, input.len),
                             len > UINT16_MAX ? CODEC_BAD : CODEC_DONE);
        }
}

/* A name or a value of each length around the 16-byte steps, with one wrong byte in each place. */
static void test_scan_edges(void **state) {
    (void)state;
    static const char wrong[] = {'\0', '\n', 0x1f, 0x7f, ' '};
    char text[160];
    struct h1_head head;
    for (size_t len = 1; len < 70; len++)
        for (size_t i = 0; i <= len; i++)
            for (size_t kind = 0; kind < 2 * sizeof wrong - 1; kind++) {
                bool is_value = kind >= sizeof wrong;
                struct builder b = builder_make(text, sizeof text);
                builder_str(&b, STR(START));
                builder_str(&b, is_value ? STR("a:") : STR(""));
                size_t start = b.len;
                for (size_t k = 0; k < len; k++)
                    builder_char(&b, "aZ0-x"[k % 5]);
                if (i < len)
                    text[start + i] = wrong[kind % sizeof wrong];
                builder_str(&b, is_value ? STR("\r\n\r\n") : STR(":\r\n\r\n"));
                struct str input = edge_place(builder_view(&b));
                h1_head_init(&head);
                assert_int_equal(h1_request_parse(&head, input.ptr, input.len),
                                 i < len ? CODEC_BAD : CODEC_DONE);
                if (i < len)
                    assert_int_equal(head.fault_at, start + i);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_polling),      cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_targets),      cmocka_unit_test(test_methods),
        cmocka_unit_test(test_flags),        cmocka_unit_test(test_bare_lf),
        cmocka_unit_test(test_odd_names),    cmocka_unit_test(test_old_version),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_fault_places), cmocka_unit_test(test_scan_edges),
        cmocka_unit_test(test_long_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
