#include "scene.h"

/* Each deadline, from the state that it bounds. */

static void test_client_sends_no_head(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_client();
    scene_expect_end_between(client, SCENE_HEAD_S - 0.2, SCENE_HEAD_S + 0.2);
    scene_end();
}

static void test_client_sends_head_byte_by_byte(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_client();
    const char *text = SCENE_GET;
    /* Bytes do not move the head's deadline. */
    for (int i = 0; i < SCENE_HEAD_S - 1; i++) {
        scene_send_bytes(client, text + i, 1);
        scene_wait_ms(1000);
    }
    scene_expect_end_between(client, 0.5, 1.5); /* without a word, as nginx */
    scene_end();
}

static void test_client_sends_no_body(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
    struct scene_peer *backend = scene_asked(1, "POST", "/");
    scene_expect(backend, "half");
    scene_wait_ms(3000);
    scene_send(client, "more");
    scene_expect(backend, "more");
    scene_expect_end_between(client, SCENE_BODY_S - 0.2, SCENE_BODY_S + 0.2);
    scene_expect_end(backend);
    scene_end();
}

static void test_connect(void **state) {
    (void)state;
    scene_begin(1);
    scene_node(1, SERVICE_HOLE);
    struct scene_peer *client = scene_ask(SCENE_GET);
    scene_expect_answer_between(client, 504, SCENE_CONNECT_S - 0.2, SCENE_CONNECT_S + 0.2);
    scene_end();
}

static void test_connect_then_next_server(void **state) {
    (void)state;
    scene_begin(2);
    scene_node(1, SERVICE_HOLE);
    struct scene_peer *client = scene_ask(SCENE_GET);
    scene_wait_ms(SCENE_CONNECT_S * 1000 - 500);
    struct scene_peer *backend = scene_asked(2, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    scene_end();
}

static void test_backend_takes_nothing(void **state) {
    static char bytes[400000];
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n");
    scene_send_bytes(client, bytes, sizeof bytes);
    struct scene_peer *backend = scene_backend(1);
    backend->wire.is_stalled = true;
    scene_expect_state("SEND");
    scene_expect_answer_between(client, 504, SCENE_SEND_S - 0.2, SCENE_SEND_S + 0.3);
    scene_end();
}

static void test_backend_does_not_answer(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_expect_answer_between(client, 504, SCENE_READ_S - 0.2, SCENE_READ_S + 0.2);
    scene_expect_end(backend);
    scene_end();
}

static void test_backend_stops_in_its_answer(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    scene_expect_answer_with(client, 200, "half");
    scene_expect_end_between(client, SCENE_READ_S - 0.2, SCENE_READ_S + 0.2);
    scene_expect_end(backend);
    scene_end();
}

static void test_bytes_move_the_answer_deadline(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    scene_expect_answer(client, 200);
    for (int i = 0; i < 5; i++) {
        scene_wait_ms(SCENE_READ_S * 1000 - 1000);
        scene_send(backend, "x");
        scene_expect(client, "x");
    }
    scene_expect_state("");
    scene_end();
}

static void test_client_takes_nothing(void **state) {
    static char bytes[400000];
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    client->wire.is_stalled = true;
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n");
    scene_send_bytes(backend, bytes, sizeof bytes);
    scene_expect_end_between(backend, SCENE_CLIENT_SEND_S - 0.2, SCENE_CLIENT_SEND_S + 0.3);
    scene_expect_state("");
    scene_end();
}

static void test_client_idle_between_requests(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer_with(client, 200, "hello");
    scene_expect_end_between(client, SCENE_KEEPALIVE_S - 0.2, SCENE_KEEPALIVE_S + 0.2);
    scene_end();
}

static void test_backend_idle(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    scene_expect_end_between(backend, SCENE_BACK_IDLE_S - 0.3, SCENE_BACK_IDLE_S + 0.3);
    scene_end();
}

static void test_tunnel_idle(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    for (int i = 0; i < 3; i++) {
        scene_wait_ms(SCENE_READ_S * 1000 - 1000);
        scene_send(i & 1 ? client : backend, "x");
        scene_expect(i & 1 ? backend : client, "x");
    }
    scene_expect_end_between(client, SCENE_READ_S - 0.2, SCENE_READ_S + 0.2);
    scene_expect_end(backend);
    scene_end();
}

static void test_half_closed_tunnel(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_with(1, "location /chat { proxy_pass http://nodes; proxy_read_timeout 100s; }", "");
    scene_tunnel(&client, &backend);
    scene_finish(client);
    scene_expect_end(backend);
    scene_expect_end_between(client, 29, 31);
    scene_end();
}

static void test_handshake_goes_to_the_next_server(void **state) {
    (void)state;
    scene_begin(2);
    struct scene_peer *client = scene_ask(SCENE_HANDSHAKE);
    scene_asked(1, "GET", "/chat");
    scene_wait_ms(SCENE_HANDSHAKE_S * 1000 - 500);
    scene_expect_nothing(client, 1);
    struct scene_peer *backend = scene_asked(2, "GET", "/chat");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    scene_end();
}

static void test_the_last_server_of_a_handshake_has_time(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_HANDSHAKE);
    struct scene_peer *backend = scene_asked(1, "GET", "/chat");
    scene_wait_ms(SCENE_READ_S * 1000 - 500);
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    scene_end();
}

static void test_lingering_ends(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET / HTTP/1.1\r\nNo host\r\n\r\n");
    scene_expect_whole_answer(client, 400);
    scene_expect_end(client);
    for (int i = 0; i < 3; i++) {
        scene_send(client, "more and more");
        scene_wait_ms(1000);
    }
    scene_wait_ms(31000);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

static void test_client_vanishes_without_a_word(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_with(1, "location /chat { proxy_pass http://nodes; proxy_read_timeout 1h; }", "");
    scene_tunnel(&client, &backend);
    wire_vanish(&client->wire);
    scene_expect_end_between(backend, 20, 45);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

int scenes_of_timeouts(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_sends_no_head),
        cmocka_unit_test(test_client_sends_head_byte_by_byte),
        cmocka_unit_test(test_client_sends_no_body),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_connect_then_next_server),
        cmocka_unit_test(test_backend_takes_nothing),
        cmocka_unit_test(test_backend_does_not_answer),
        cmocka_unit_test(test_backend_stops_in_its_answer),
        cmocka_unit_test(test_bytes_move_the_answer_deadline),
        cmocka_unit_test(test_client_takes_nothing),
        cmocka_unit_test(test_client_idle_between_requests),
        cmocka_unit_test(test_backend_idle),
        cmocka_unit_test(test_tunnel_idle),
        cmocka_unit_test(test_half_closed_tunnel),
        cmocka_unit_test(test_handshake_goes_to_the_next_server),
        cmocka_unit_test(test_the_last_server_of_a_handshake_has_time),
        cmocka_unit_test(test_lingering_ends),
        cmocka_unit_test(test_client_vanishes_without_a_word),
    };
    return cmocka_run_group_tests_name("timeouts", tests, NULL, NULL);
}
