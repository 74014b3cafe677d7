#include "scene.h"

/* Each row of the exchange's table, on the way that all goes well. */

static void test_route_to_answer(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer_with(client, 200, "hello");
    scene_expect_state("");
    scene_expect_no_backend(1);
    scene_end();
}

static void test_answer_with_a_file(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET /files/a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_whole_answer(client, 200);
    assert_string_equal(scene_field("content-length"), "5000");
    scene_send(client, "HEAD /files/a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer(client, 200);
    scene_expect_nothing(client, 100);
    scene_send(client, "GET /files/none HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_whole_answer(client, 404);
    scene_end();
}

static void test_pick_connect_send_await_relay_done(void **state) {
    (void)state;
    scene_begin(1);
    scene_node(1, SERVICE_HOLE);
    struct scene_peer *client = scene_ask(SCENE_GET);
    scene_expect_state("CONNECT");
    scene_close(client);
    scene_expect_state("");
    scene_node(1, SERVICE_OPEN);
    client = scene_ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    struct scene_peer *backend = scene_asked(1, "POST", "/x");
    assert_string_equal(scene_field("content-length"), "10");
    scene_expect(backend, "01234");
    scene_expect_state("SEND");
    scene_send(client, "56789");
    scene_expect(backend, "56789");
    scene_expect_state("AWAIT");
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    scene_expect_answer_with(client, 200, "ab");
    scene_expect_state("RELAY");
    scene_send(backend, "cd");
    scene_expect(client, "cd");
    scene_expect_state("");
    scene_expect_counts(1, 0, 1);
    scene_end();
}

static void test_tunnel(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    scene_expect_state("");
    scene_send(client, "up");
    scene_expect(backend, "up");
    scene_send(backend, "down");
    scene_expect(client, "down");
    scene_expect_counts(0, 1, 0);
    scene_end();
}

static void test_answer_by_ourselves(void **state) {
    (void)state;
    scene_begin(1);
    scene_node(1, SERVICE_REFUSE);
    struct scene_peer *client = scene_ask(SCENE_GET);
    scene_expect_whole_answer(client, 502);
    scene_expect_state("");
    scene_expect_counts(1, 0, 0);
    scene_end();
}

static void test_keepalive_on_both_sides(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_GET);
    struct scene_peer *backend = scene_backend(1);
    for (int i = 0; i < 5; i++) {
        scene_expect_request(backend, "GET", "/");
        scene_answer_ok(backend, client);
        scene_expect_counts(1, 0, 1);
        scene_send(client, SCENE_GET);
    }
    scene_expect_no_backend(1);
    scene_end();
}

static void test_pipelined_requests_keep_their_order(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                                          "GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/1");
    scene_expect_nothing(backend, 200);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
    scene_expect_request(backend, "GET", "/2");
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
    scene_expect_answer_with(client, 200, "one");
    scene_expect_answer_with(client, 200, "two");
    scene_expect_answer_with(client, 200, "hello");
    scene_end();
}

static void test_next_server_when_one_refuses(void **state) {
    (void)state;
    scene_begin(2);
    scene_node(1, SERVICE_REFUSE);
    struct scene_peer *client = scene_ask(SCENE_GET);
    struct scene_peer *backend = scene_asked(2, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    scene_end();
}

static void test_next_server_by_status(void **state) {
    (void)state;
    scene_begin_with(2, "proxy_next_upstream error timeout http_500;", "");
    struct scene_peer *client = scene_ask(SCENE_GET);
    struct scene_peer *first = scene_asked(1, "GET", "/");
    scene_send(first, "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno");
    struct scene_peer *second = scene_asked(2, "GET", "/");
    scene_send(second, "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nlast");
    scene_expect_answer_with(client, 500, "last"); /* the last one's answer is the answer */
    scene_end();
}

static void answer_here(struct scene_peer *client, unsigned node) {
    struct scene_peer *backend = scene_asked(node, "GET", "/");
    scene_send(backend, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhere");
    scene_expect_answer_with(client, 200, "here");
    scene_close(backend);
}

/* A 404 sends the request on, but the server that gave it stays in service: round robin comes back to it. */
static void test_not_found_is_no_failure(void **state) {
    (void)state;
    scene_begin_with(2, "proxy_next_upstream error timeout http_404;", "");
    struct scene_peer *client = scene_ask(SCENE_GET);
    struct scene_peer *first = scene_asked(1, "GET", "/");
    scene_send(first, "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno");
    answer_here(client, 2);
    scene_send(client, SCENE_GET);
    answer_here(client, 2);
    scene_send(client, SCENE_GET);
    answer_here(client, 1);
    scene_end();
}

static void test_post_is_not_sent_twice(void **state) {
    (void)state;
    scene_begin(2);
    struct scene_peer *client = scene_ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "POST", "/x");
    scene_close(backend);
    scene_expect_whole_answer(client, 502);
    scene_expect_no_backend(2);
    scene_end();
}

int scenes_of_states(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_route_to_answer),
        cmocka_unit_test(test_answer_with_a_file),
        cmocka_unit_test(test_pick_connect_send_await_relay_done),
        cmocka_unit_test(test_tunnel),
        cmocka_unit_test(test_answer_by_ourselves),
        cmocka_unit_test(test_keepalive_on_both_sides),
        cmocka_unit_test(test_pipelined_requests_keep_their_order),
        cmocka_unit_test(test_next_server_when_one_refuses),
        cmocka_unit_test(test_next_server_by_status),
        cmocka_unit_test(test_not_found_is_no_failure),
        cmocka_unit_test(test_post_is_not_sent_twice),
    };
    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
