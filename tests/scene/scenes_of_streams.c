#include "scene.h"

/* Connections that are passed on as they are: each deadline, and each way to end. */

enum { MUCH = 1000000 };
static char much[MUCH];

static void pair(struct scene_peer **client, struct scene_peer **backend) {
    *client = scene_client();
    *backend = scene_backend(1);
}

static void begin_pair(const char *server_text, struct scene_peer **client, struct scene_peer **backend) {
    scene_begin_stream(1, server_text);
    pair(client, backend);
}

/* What lingers is looked at ten times a second. */
static void expect_nothing_left(void) {
    scene_wait_ms(200);
    scene_expect_counts(0, 0, 0);
}

/* So many bytes come, in pieces that are waited for. */
static void expect_much(struct scene_peer *peer, size_t count) {
    for (size_t piece; count; count -= piece) {
        piece = count < 10000 ? count : 10000;
        scene_expect_bytes(peer, piece);
    }
}

static void test_server_speaks_first(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("", &client, &backend);
    scene_send(backend, "220 ready");
    scene_expect(client, "220 ready");
    scene_send(client, "HELO");
    scene_expect(backend, "HELO");
    scene_expect_counts(0, 1, 0);
    scene_end();
}

static void test_connect_then_next_server(void **state) {
    (void)state;
    scene_begin_stream(2, "");
    scene_node(1, SERVICE_HOLE);
    struct scene_peer *client = scene_ask("early");
    scene_wait_ms(SCENE_CONNECT_S * 1000 - 500);
    struct scene_peer *backend = scene_backend(2);
    scene_expect(backend, "early");
    scene_expect_nothing(client, 100);
    scene_end();
}

static void test_no_server_left(void **state) {
    (void)state;
    scene_begin_stream(2, "");
    scene_node(1, SERVICE_REFUSE);
    scene_node(2, SERVICE_HOLE);
    struct scene_peer *client = scene_client();
    scene_expect_end_between(client, SCENE_CONNECT_S - 0.2, SCENE_CONNECT_S + 0.2);
    expect_nothing_left();
    scene_end();
}

static void test_tries_are_bounded(void **state) {
    (void)state;
    scene_begin_stream(3, "proxy_next_upstream_tries 2;");
    scene_node(1, SERVICE_REFUSE);
    scene_node(2, SERVICE_REFUSE);
    struct scene_peer *client = scene_client();
    scene_expect_end(client);
    scene_expect_no_backend(3);
    scene_end();
}

static void test_idle(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("", &client, &backend);
    scene_wait_ms(SCENE_READ_S * 1000 - 1000);
    scene_send(client, "still");
    scene_expect(backend, "still");
    scene_expect_end_between(client, SCENE_READ_S - 0.2, SCENE_READ_S + 0.2);
    scene_expect_end(backend);
    expect_nothing_left();
    scene_end();
}

static void test_silence_before_a_hello(void **state) {
    (void)state;
    scene_begin_stream(1, "ssl_preread on;");
    struct scene_peer *client = scene_client();
    scene_expect_end_between(client, SCENE_BODY_S - 0.2, SCENE_BODY_S + 0.2);
    client = scene_ask("\x16");
    scene_finish(client);
    scene_expect_end(client);
    scene_expect_no_backend(1);
    client = scene_ask("no TLS");
    struct scene_peer *backend = scene_backend(1);
    scene_expect(backend, "no TLS");
    scene_end();
}

static void test_ends_whole(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("", &client, &backend);
    scene_send(client, "last words");
    scene_finish(client);
    scene_expect(backend, "last words");
    scene_expect_end(backend);
    scene_expect_end(client);
    expect_nothing_left();
    pair(&client, &backend);
    scene_send(backend, "last words");
    scene_finish(backend);
    scene_expect(client, "last words");
    scene_expect_end(client);
    scene_expect_end(backend);
    expect_nothing_left();
    scene_end();
}

static void test_ends_by_halves(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("proxy_half_close on;", &client, &backend);
    scene_send(client, "question");
    scene_finish(client);
    scene_expect(backend, "question");
    scene_expect_end(backend);
    scene_send(backend, "answer");
    scene_expect(client, "answer");
    scene_finish(backend);
    scene_expect_end(client);
    expect_nothing_left();
    scene_end();
}

static void test_both_end_at_once(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("proxy_half_close on;", &client, &backend);
    scene_send(client, "a");
    scene_send(backend, "b");
    scene_finish(client);
    scene_finish(backend);
    scene_expect(client, "b");
    scene_expect(backend, "a");
    scene_expect_end(client);
    scene_expect_end(backend);
    expect_nothing_left();
    scene_end();
}

static void test_resets(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("", &client, &backend);
    scene_reset(client);
    scene_expect_end_between(backend, 0, 0.1);
    pair(&client, &backend);
    scene_reset(backend);
    scene_expect_end_between(client, 0, 0.1);
    expect_nothing_left();
    scene_end();
}

/* The server has said all and gone; the client, who reads late, still gets all of it. */
static void test_late_reader_gets_all(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("", &client, &backend);
    client->wire.is_stalled = true;
    scene_send_bytes(backend, much, MUCH);
    scene_finish(backend);
    scene_wait_ms(5000);
    assert_in_range(subject_count().buffered_bytes, 0, 70000);
    wire_resume(&client->wire);
    expect_much(client, MUCH);
    scene_expect_end(client);
    expect_nothing_left();
    scene_end();
}

/* The same, while the client goes on saying what nobody wants to know any more. */
static void test_talker_gets_all(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_stream(1, "");
    world.weather.reset_discards = true;
    pair(&client, &backend);
    scene_send_bytes(backend, much, 30000);
    scene_finish(backend);
    for (int i = 0; i < 10; i++) {
        scene_send_bytes(client, much, 100);
        scene_wait_ms(1);
    }
    expect_much(client, 30000);
    scene_expect_end(client);
    scene_close(client);
    expect_nothing_left();
    scene_end();
}

static void test_rates(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("proxy_download_rate 100; proxy_upload_rate 1000; proxy_timeout 700ms;", &client, &backend);
    uint64_t began_ms = world_ms();
    scene_send_bytes(backend, much, 550);
    scene_send_bytes(client, much, 2500);
    scene_wait_ms(900);
    assert_int_equal(wire_view(&client->wire).len, 100);
    assert_int_equal(wire_view(&backend->wire).len, 1000);
    scene_expect_bytes(backend, 2500);
    assert_in_range(world_ms() - began_ms, 1950, 2200);
    scene_expect_bytes(client, 550);
    assert_in_range(world_ms() - began_ms, 4950, 5200);
    scene_expect_end_between(client, 0.5, 1.5);
    scene_expect_end(backend);
    scene_end();
}

/* Who waits for a rate, and goes. */
static void test_rates_of_who_goes(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("proxy_download_rate 100;", &client, &backend);
    scene_send_bytes(backend, much, 250);
    scene_finish(backend);
    scene_expect_bytes(client, 250);
    scene_expect_end(client);
    pair(&client, &backend);
    scene_send_bytes(backend, much, 1000);
    scene_expect_bytes(client, 100);
    scene_reset(client);
    scene_expect_end_between(backend, 0, 1.1);
    expect_nothing_left();
    scene_end();
}

static void test_limit_is_held(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin_pair("limit_conn one 1;", &client, &backend);
    struct scene_peer *second = scene_client();
    scene_expect_end(second);
    scene_expect_no_backend(1);
    scene_close(client);
    scene_expect_end(backend);
    pair(&client, &backend);
    scene_send(client, "third");
    scene_expect(backend, "third");
    scene_end();
}

int scenes_of_streams(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_speaks_first),
        cmocka_unit_test(test_connect_then_next_server),
        cmocka_unit_test(test_no_server_left),
        cmocka_unit_test(test_tries_are_bounded),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_silence_before_a_hello),
        cmocka_unit_test(test_ends_whole),
        cmocka_unit_test(test_ends_by_halves),
        cmocka_unit_test(test_both_end_at_once),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_late_reader_gets_all),
        cmocka_unit_test(test_talker_gets_all),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_rates_of_who_goes),
        cmocka_unit_test(test_limit_is_held),
    };
    return cmocka_run_group_tests_name("streams", tests, NULL, NULL);
}
