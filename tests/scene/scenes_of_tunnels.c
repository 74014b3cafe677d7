#include "scene.h"

/* When it becomes a tunnel, when it does not, and how it ends. */

static void test_bytes_behind_both_heads(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_HANDSHAKE "early");
    struct scene_peer *backend = scene_asked(1, "GET", "/chat");
    scene_expect_nothing(backend, 500); /* not before the 101 */
    scene_send(backend, SCENE_SWITCH "first");
    scene_expect(backend, "early");
    scene_expect_answer_with(client, 101, "first");
    scene_end();
}

static void test_half_close_of_the_client(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    scene_send(client, "last words");
    scene_finish(client);
    scene_expect(backend, "last words");
    scene_expect_end(backend);
    scene_send(backend, "answer");
    scene_expect(client, "answer");
    scene_finish(backend);
    scene_expect_end(client);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

static void test_half_close_of_the_backend(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    scene_send(backend, "last words");
    scene_finish(backend);
    scene_expect(client, "last words");
    scene_expect_end(client);
    scene_send(client, "answer");
    scene_expect(backend, "answer");
    scene_finish(client);
    scene_expect_end(backend);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

static void test_reset_of_either_side(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    scene_reset(client);
    scene_expect_end_between(backend, 0, 0.1);
    scene_tunnel(&client, &backend);
    scene_reset(backend);
    scene_expect_end_between(client, 0, 0.1);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

/* One side stops reading: the other is held up, nothing is lost, and little is kept. */
static void test_stalled_reader(void **state) {
    static char bytes[1000000];
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    memset(bytes, 'x', sizeof bytes);
    client->wire.is_stalled = true;
    scene_send_bytes(backend, bytes, sizeof bytes);
    scene_wait_ms(1000);
    assert_in_range(subject_count().buffered_bytes, 0, 70000);
    assert_true(backend->wire.sent < 400000);
    wire_resume(&client->wire);
    for (int i = 0; i < 100; i++)
        scene_expect_bytes(client, sizeof bytes / 100);
    scene_expect_nothing(client, 50);
    assert_int_equal(subject_count().buffered_bytes, 0);
    scene_end();
}

static void refused(const char *answer, unsigned status, size_t is_kept) {
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_HANDSHAKE "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/chat");
    scene_send(backend, "%s", answer);
    scene_expect_whole_answer(client, status);
    scene_expect_end(client);
    scene_expect_no_backend(1);
    assert_int_equal(wire_view(&backend->wire).len, 0);
    scene_close(client);
    scene_expect_counts(0, 0, is_kept);
    scene_end();
}

static void test_refused_with_bytes_behind(void **state) {
    (void)state;
    refused("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 403, 1);
}

static void test_wrong_accept(void **state) {
    (void)state;
    refused("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            502, 0);
}

static void test_accept_is_missing(void **state) {
    (void)state;
    refused("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 502, 0);
}

static void test_wrong_protocol(void **state) {
    (void)state;
    refused("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            502, 0);
}

static void test_ordinary_answer_is_no_tunnel(void **state) {
    (void)state;
    refused("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 1);
}

/* A handshake with nothing behind it keeps its connection: it may be asked again with credentials. */
static void test_refused_keeps_the_connection(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_HANDSHAKE);
    struct scene_peer *backend = scene_asked(1, "GET", "/chat");
    scene_send(backend, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n");
    scene_expect_whole_answer(client, 401);
    scene_send(client, SCENE_HANDSHAKE);
    scene_expect_request(backend, "GET", "/chat");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    scene_expect_counts(0, 1, 0);
    scene_end();
}

/* A 101 that nobody asked for. */
static void test_unasked_101(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, SCENE_SWITCH "secret");
    scene_expect_whole_answer(client, 502);
    scene_expect_counts(1, 0, 0);
    scene_end();
}

/* Half of an upgrade is none, and does not reach the backend. */
static void half_of_an_upgrade(const char *fields) {
    scene_begin(1);
    struct scene_peer *client = scene_client();
    scene_send(client,
               "GET /chat HTTP/1.1\r\nHost: a\r\n%sSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
               fields);
    struct scene_peer *backend = scene_asked(1, "GET", "/chat");
    assert_string_equal(scene_field("upgrade"), "");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_whole_answer(client, 502);
    scene_expect_counts(1, 0, 0);
    scene_end();
}

static void test_upgrade_without_connection(void **state) {
    (void)state;
    half_of_an_upgrade("Upgrade: websocket\r\n");
}

static void test_connection_without_upgrade(void **state) {
    (void)state;
    half_of_an_upgrade("Connection: Upgrade\r\n");
}

static void test_upgrade_to_h2c(void **state) {
    (void)state;
    half_of_an_upgrade("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n");
}

/* When its node is set aside as dead, its tunnels end at once. */
static void test_node_dies(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin(2);
    scene_tunnel(&client, &backend);
    scene_node(1, SERVICE_REFUSE);
    scene_reset(backend);
    scene_expect_end_between(client, 0, 0.1);
    scene_end();
}

int scenes_of_tunnels(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_behind_both_heads),
        cmocka_unit_test(test_half_close_of_the_client),
        cmocka_unit_test(test_half_close_of_the_backend),
        cmocka_unit_test(test_reset_of_either_side),
        cmocka_unit_test(test_stalled_reader),
        cmocka_unit_test(test_refused_with_bytes_behind),
        cmocka_unit_test(test_wrong_accept),
        cmocka_unit_test(test_accept_is_missing),
        cmocka_unit_test(test_wrong_protocol),
        cmocka_unit_test(test_ordinary_answer_is_no_tunnel),
        cmocka_unit_test(test_refused_keeps_the_connection),
        cmocka_unit_test(test_unasked_101),
        cmocka_unit_test(test_upgrade_without_connection),
        cmocka_unit_test(test_connection_without_upgrade),
        cmocka_unit_test(test_upgrade_to_h2c),
        cmocka_unit_test(test_node_dies),
    };
    return cmocka_run_group_tests_name("tunnels", tests, NULL, NULL);
}
