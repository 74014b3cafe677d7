#include "../unit.h"

#include "upstream/probe_answer.h"

static char body_memory[65536];

struct judged {
    enum probe_verdict verdict;
    unsigned status;
};

static struct judged judge(const struct check *check, const char *answer, bool is_complete) {
    struct judged judged = {.status = 0};
    struct builder body = builder_make(body_memory, sizeof body_memory);
    judged.verdict = probe_answer_judge(check, str_of(answer), is_complete, STR("dGhlIHNhbXBsZSBub25jZQ=="),
                                        &body, &judged.status);
    return judged;
}

static struct status_span ok[] = {{200, 299}};
static const struct match any = {0};
static const struct match fine = {.statuses = {ok, 1, 1}};

static void http_answers(void **state) {
    (void)state;
    struct check get = {.kind = CHECK_HTTP, .request = STR("GET / HTTP/1.0\r\n\r\n"), .good = &fine};
    struct check head = {.kind = CHECK_HTTP, .request = STR("HEAD / HTTP/1.0\r\n\r\n"), .good = &fine};
    assert_int_equal(judge(&get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false).verdict, PROBE_PASSED);
    assert_int_equal(judge(&get, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", false).verdict,
                     PROBE_PASSED);
    assert_int_equal(judge(&get, "HTTP/1.1 500 No\r\n\r\n", false).verdict, PROBE_STATUS);
    assert_int_equal(judge(&get, "HTTP/1.1 500 No\r\n\r\n", false).status, 500);
    assert_int_equal(judge(&get, "HTTP/1.1 200 OK\r\nX: ", false).verdict, PROBE_NONE);
    assert_int_equal(judge(&get, "HTTP/1.1 200 OK\r\nX: ", true).verdict, PROBE_CLOSED);
    assert_int_equal(judge(&get, "", true).verdict, PROBE_CLOSED);
    assert_int_equal(judge(&get, "SSH-2.0-OpenSSH\r\n", false).verdict, PROBE_MALFORMED);
    assert_int_equal(judge(&head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false).verdict, PROBE_PASSED);
}

static void open_packets(void **state) {
    (void)state;
    struct check check = {.kind = CHECK_SOCKETIO,
                          .good = &fine,
                          .uri = STR("/socket.io/?EIO=4&transport=polling"),
                          .host = STR("nodes")};
    assert_int_equal(judge(&check, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n0{\"sid\":", false).verdict,
                     PROBE_NONE);
    assert_int_equal(judge(&check, "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n0{\"sid\":", true).verdict,
                     PROBE_CLOSED);
    assert_int_equal(judge(&check, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false).verdict,
                     PROBE_OPEN_PACKET);
    assert_int_equal(judge(&check,
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n24\r\n0{\"sid\":\"abc\",\"pingInterval\":250000}\r\n0\r\n\r\n",
                           false)
                         .verdict,
                     PROBE_PASSED);
    char memory[1024];
    struct builder out = builder_make(memory, sizeof memory);
    assert_true(probe_goodbye_build(&out, &check, STR("0{\"sid\":\"abc\"}")));
    assert_true(
        str_starts(builder_view(&out), STR("POST /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\n")));
    assert_true(str_ends(builder_view(&out), STR("\r\n\r\n1")));
}

static void handshakes(void **state) {
    (void)state;
    struct check check = {.kind = CHECK_WEBSOCKET, .good = &any, .uri = STR("/live"), .host = STR("nodes")};
    assert_int_equal(judge(&check,
                           "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                           false)
                         .verdict,
                     PROBE_PASSED);
    assert_int_equal(judge(&check,
                           "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: t3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                           false)
                         .verdict,
                     PROBE_ACCEPT);
    assert_int_equal(judge(&check, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", false).verdict,
                     PROBE_STATUS);
}

static void hellos_and_texts(void **state) {
    (void)state;
    char memory[PROBE_REQUEST_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    struct check hello = {.kind = CHECK_SSL_HELLO, .good = &any};
    assert_true(probe_request_build(&out, &hello, STR("")));
    assert_int_equal(out.len, 5 + 0x6d);
    assert_int_equal(judge(&hello, "\x16\x03\x03", false).verdict, PROBE_PASSED);
    assert_int_equal(judge(&hello, "\x15\x03\x03", false).verdict, PROBE_HELLO);
    assert_int_equal(judge(&hello, "\x16", false).verdict, PROBE_NONE);
    assert_int_equal(judge(&hello, "", true).verdict, PROBE_HELLO);
    struct match pong = {.send = STR("PING\r\n"), .expect = STR("PONG")};
    struct check text = {.kind = CHECK_TCP, .good = &pong};
    assert_int_equal(judge(&text, "+PON", false).verdict, PROBE_NONE);
    assert_int_equal(judge(&text, "+PONG\r\n", false).verdict, PROBE_PASSED);
    assert_int_equal(judge(&text, "-ERR\r\n", true).verdict, PROBE_BODY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_answers),
        cmocka_unit_test(open_packets),
        cmocka_unit_test(handshakes),
        cmocka_unit_test(hellos_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
