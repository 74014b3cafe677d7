#include "scene.h"

/* Bodies of every framing, and what is ambiguous never reaches a backend. */

static void test_chunked_both_ways(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client =
        scene_ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n");
    struct scene_peer *backend = scene_asked(1, "POST", "/");
    assert_string_equal(scene_field("transfer-encoding"), "chunked");
    scene_expect(backend, "3\r\nabc\r\n");
    scene_send(client, "0\r\nX-Tail: 1\r\n\r\n");
    scene_expect(backend, "0\r\nX-Tail: 1\r\n\r\n");
    scene_send(backend, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    scene_expect_answer_with(client, 200, "2\r\nhi\r\n0\r\n\r\n");
    scene_expect_counts(1, 0, 1);
    scene_end();
}

static void test_http_1_0_client(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/");
    scene_send(backend, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    scene_expect_answer(client, 200);
    assert_string_equal(scene_field("transfer-encoding"), "");
    scene_expect(client, "hi");
    scene_expect_end(client);
    scene_end();
}

static void test_head_has_no_body(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" SCENE_GET);
    struct scene_peer *backend = scene_asked(1, "HEAD", "/");
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    scene_expect_request(backend, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    assert_string_equal(scene_field("content-length"), "100");
    scene_expect_answer_with(client, 200, "ok");
    scene_end();
}

static void test_answers_without_a_body(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_GET SCENE_GET SCENE_GET);
    struct scene_peer *backend = scene_asked(1, "GET", "/");
    scene_send(backend, "HTTP/1.1 204 None\r\n\r\n");
    scene_expect_request(backend, "GET", "/");
    scene_send(backend, "HTTP/1.1 304 Same\r\nContent-Length: 7\r\n\r\n");
    scene_expect_request(backend, "GET", "/");
    scene_send(backend, "HTTP/1.1 103 Soon\r\nLink: </a>\r\n\r\n"
                        "HTTP/1.1 102 Later\nLink: </b>\nContent-Length: 9\n\n" SCENE_OK);
    scene_expect_answer(client, 204);
    scene_expect_answer(client, 304);
    scene_expect(client, "HTTP/1.1 103 Soon\r\nLink: </a>\r\n\r\n"
                         "HTTP/1.1 102 Later\r\nLink: </b>\r\n\r\n");
    scene_expect_answer_with(client, 200, "ok");
    scene_end();
}

static void test_early_hints(void **state) {
    (void)state;
    scene_begin_with(1, "early_hints 0 $arg_hints; proxy_hide_header X-Secret;", "");
    struct scene_peer *client = scene_ask("GET /?hints=0 HTTP/1.1\r\nHost: a\r\n\r\n"
                                          "GET /?hints=yes HTTP/1.1\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/?hints=0");
    scene_send(backend, "HTTP/1.1 103 Soon\r\nLink: </a>\r\n\r\n" SCENE_OK);
    scene_expect_request(backend, "GET", "/?hints=yes");
    scene_send(backend, "HTTP/1.1 103 Soon\r\nX-Secret: 1\r\nLink: </b>\r\nServer: node\r\n\r\n" SCENE_OK);
    scene_expect_answer_with(client, 200, "ok");
    scene_expect(client, "HTTP/1.1 103 Soon\r\nLink: </b>\r\n\r\n");
    scene_expect_answer_with(client, 200, "ok");
    scene_end();
}

static void test_expect_100_continue(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client =
        scene_ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    scene_expect_answer(client, 100);
    scene_send(client, "body");
    struct scene_peer *backend = scene_asked(1, "POST", "/");
    scene_expect(backend, "body");
    scene_send(backend, "HTTP/1.1 100 Continue\r\n\r\n" SCENE_OK);
    scene_expect_answer_with(client, 200, "ok");
    scene_end();
}

/* The rest of a 100 goes out when there is room again. */
static void test_100_continue_that_is_sent_in_parts(void **state) {
    (void)state;
    scene_begin(1);
    world.weather.window_min = world.weather.window_max = 10;
    struct scene_peer *client =
        scene_ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    scene_expect_answer(client, 100);
    scene_close(client);
    scene_end();
}

static void refused(const char *request) {
    scene_begin(1);
    struct scene_peer *client = scene_client();
    scene_send(client, "%sGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", request);
    scene_expect_answer(client, 400);
    uint64_t len = 0;
    if (str_to_u64(str_of(scene_field("content-length")), &len))
        scene_expect_bytes(client, (size_t)len);
    assert_string_equal(scene_field("connection"), "close");
    scene_expect_end(client);
    scene_expect_no_backend(1);
    scene_end();
}

static void test_ambiguous_requests(void **state) {
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd");
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd");
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabcd");
    refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n");
    refused("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n");
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    refused("GET / HTTP/1.1\r\n\r\n");
    refused("GET / HTTP/1.1\r\nHost: a\n\r\n");
    refused("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n");
}

/* What the client has encoded ends no request line, whatever way it takes through variables. */
static void target_of_variables(const char *target) {
    scene_begin_with(1,
                     "location ~ ^/any(?<rest>[^?]*)$ { proxy_pass http://nodes$rest; }\n"
                     "location /args { set $args a=$uri; proxy_pass http://nodes; }\n"
                     "location /under { set $args a=$uri; proxy_pass http://nodes/under; }",
                     "");
    struct scene_peer *client = scene_client();
    scene_send(client, "GET %s%%20HTTP/1.1%%0d%%0aX:%%20b HTTP/1.1\r\nHost: a\r\n\r\n", target);
}

static void test_targets_of_variables(void **state) {
    (void)state;
    target_of_variables("/any/a");
    scene_asked(1, "GET", "/a%20HTTP/1.1%0D%0AX:%20b");
    scene_end();
    target_of_variables("/args");
    scene_expect_request(scene_backend(1), "GET",
                         "/args%20HTTP/1.1%0D%0AX:%20b?a=/args%20HTTP/1.1%0D%0AX:%20b");
    scene_end();
    target_of_variables("/under");
    scene_expect_request(scene_backend(1), "GET",
                         "/under%20HTTP/1.1%0D%0AX:%20b?a=/under%20HTTP/1.1%0D%0AX:%20b");
    scene_end();
}

/* Nor does it end a line of a head on its way back. */
static void test_fields_of_variables(void **state) {
    (void)state;
    scene_begin_with(
        1,
        "server_tokens $uri;\n"
        "location /under { proxy_pass http://nodes; proxy_redirect / $uri; proxy_cookie_path / $uri; }",
        "");
    struct scene_peer *client = scene_client();
    scene_send(client, "GET /under%%0d%%0aX:%%01b HTTP/1.1\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/under%0d%0aX:%01b");
    scene_send(backend, "HTTP/1.1 302 Found\r\nLocation: /\r\nRefresh: 3; url=/\r\nSet-Cookie: a=b; path=/\r\n"
                        "Content-Length: 0\r\n\r\n");
    scene_expect_answer(client, 302);
    assert_string_equal(scene_field("X"), "");
    assert_string_equal(scene_field("Refresh"), "3; url=/under  X: b");
    assert_string_equal(scene_field("Set-Cookie"), "a=b; path=/under  X: b");
    scene_end();
}

/* A broken body ends both sides, and what stands behind it is not read. */
static void broken_body(const char *body) {
    scene_begin(1);
    struct scene_peer *client = scene_ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "POST", "/");
    scene_send(client, "%sGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", body);
    scene_expect_whole_answer(client, 400);
    scene_expect_end(client);
    scene_wait_ms(50);
    assert_true(backend->wire.has_end || backend->wire.is_broken);
    assert_int_equal(str_find(wire_view(&backend->wire), STR("smuggled")), STR_NONE);
    scene_expect_no_backend(1);
    scene_end();
}

static void test_broken_chunks(void **state) {
    (void)state;
    broken_body("zz\r\n");
    broken_body("2\r\nabc\r\n");
    broken_body("2\nab\r\n0\r\n\r\n");
    broken_body("10000000000000000\r\n");
    broken_body("-1\r\n");
}

static void invalid_answer(const char *answer) {
    struct scene_peer *client, *backend;
    scene_begin_get(&client, &backend);
    scene_send(backend, "%s", answer);
    scene_expect_whole_answer(client, 502);
    scene_expect_end(backend);
    scene_expect_counts(1, 0, 0);
    scene_end();
}

static void test_invalid_answers(void **state) {
    (void)state;
    invalid_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcd");
    invalid_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd");
    invalid_answer("HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n");
    invalid_answer("hello\r\n\r\n");
}

int scenes_of_framing(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunked_both_ways),
        cmocka_unit_test(test_http_1_0_client),
        cmocka_unit_test(test_early_hints),
        cmocka_unit_test(test_head_has_no_body),
        cmocka_unit_test(test_answers_without_a_body),
        cmocka_unit_test(test_expect_100_continue),
        cmocka_unit_test(test_100_continue_that_is_sent_in_parts),
        cmocka_unit_test(test_ambiguous_requests),
        cmocka_unit_test(test_targets_of_variables),
        cmocka_unit_test(test_fields_of_variables),
        cmocka_unit_test(test_broken_chunks),
        cmocka_unit_test(test_invalid_answers),
    };
    return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
