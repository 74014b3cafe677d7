#include "scene.h"

/* Each sudden end: who goes, when, and what the others are told. */

#define SCENE_POST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234"

static void test_client_goes_before_its_head_is_whole(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("GET / HT");
    scene_wait_ms(50);
    scene_close(client);
    scene_expect_counts(0, 0, 0);
    scene_expect_no_backend(1);
    scene_end();
}

static void client_goes_while_connecting(bool with_reset, const char *request) {
    scene_begin(1);
    scene_node(1, SERVICE_HOLE);
    struct scene_peer *client = scene_client();
    scene_send(client, "%s", request);
    scene_expect_state("CONNECT");
    scene_send(client, "more that nobody reads yet");
    scene_wait_ms(50);
    if (with_reset)
        scene_reset(client);
    else
        scene_close(client);
    scene_expect_state("");
    scene_expect_counts(0, 0, 0);
    scene_end();
}

static void test_client_closes_while_connecting(void **state) {
    (void)state;
    client_goes_while_connecting(false, SCENE_GET);
}

static void test_client_resets_while_connecting(void **state) {
    (void)state;
    client_goes_while_connecting(true, SCENE_GET);
}

static void test_client_goes_while_connecting_with_its_body_unread(void **state) {
    const char *request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    (void)state;
    client_goes_while_connecting(false, request);
    client_goes_while_connecting(true, request);
}

/* A poll that its client has given up must end at its node too, at once. */
static void test_client_goes_while_its_answer_is_awaited(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_close(client);
    scene_expect_end_between(backend, 0, 0.1);
    scene_end();
}

static void test_client_goes_in_its_body(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_POST);
    struct scene_peer *backend = scene_asked(1, "POST", "/x");
    scene_expect(backend, "01234");
    scene_close(client);
    scene_expect_end_between(backend, 0, 0.1);
    scene_end();
}

static void test_client_resets_in_its_answer(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    scene_expect_answer(client, 200);
    scene_reset(client);
    scene_wait_ms(50);
    scene_send(backend, "whole!");
    scene_expect_end_between(backend, 0, 0.1);
    scene_end();
}

static void backend_goes_unanswered(bool with_reset) {
    struct scene_peer *client, *backend;
    scene_begin_get(&client, &backend);
    if (with_reset)
        scene_reset(backend);
    else
        scene_close(backend);
    scene_expect_whole_answer(client, 502);
    scene_expect_counts(1, 0, 0);
    scene_end();
}

static void test_backend_closes_unanswered(void **state) {
    (void)state;
    backend_goes_unanswered(false);
}

static void test_backend_resets_unanswered(void **state) {
    (void)state;
    backend_goes_unanswered(true);
}

/* What its client sends of the body then must not be read as a request. */
static void test_backend_resets_in_the_body(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "POST", "/x");
    scene_reset(backend);
    scene_expect_whole_answer(client, 502);
    scene_send(client, "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_end(client);
    scene_expect_no_backend(1);
    scene_end();
}

/* The same when the whole body is there already as the send to a kept connection fails. */
static void test_backend_resets_as_head_and_body_are_sent(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_answer_ok(backend, client);
    scene_send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n");
    scene_expect_request(backend, "POST", "/x");
    scene_reset(backend);
    scene_send(client, "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_whole_answer(client, 502);
    scene_expect_end(client);
    scene_expect_no_backend(1);
    scene_end();
}

static void test_backend_closes_in_its_answer(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    scene_close(backend);
    scene_expect_answer_with(client, 200, "half");
    scene_expect_end(client);
    scene_end();
}

/* A chunked answer that breaks off never looks whole. */
static void test_backend_resets_in_chunks(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    scene_expect_answer_with(client, 200, "4\r\nhalf\r\n");
    scene_reset(backend);
    scene_expect_end(client);
    scene_end();
}

static void test_close_delimited_answer(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, "HTTP/1.1 200 OK\r\n\r\nall");
    scene_expect_answer(client, 200);
    assert_string_equal(scene_field("transfer-encoding"), "chunked");
    scene_expect(client, "3\r\nall\r\n");
    scene_close(backend);
    scene_expect(client, "0\r\n\r\n");
    scene_expect_counts(1, 0, 0);
    scene_end();
}

/* A kept connection that has ended meanwhile is not used. */
static void test_idle_backend_closes(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_answer_ok(backend, client);
    scene_close(backend);
    scene_expect_counts(1, 0, 0);
    scene_send(client, SCENE_GET);
    backend = scene_asked(1, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    scene_end();
}

/* It ends just as it is used again: that is nobody's fault, and the request goes out once more. */
static void test_idle_backend_closes_as_it_is_used(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_answer_ok(backend, client);
    scene_send(client, SCENE_GET);
    scene_wait_ms(1);
    scene_close(backend);
    backend = scene_asked(1, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_answer(client, 200);
    scene_end();
}

/* Bytes that nobody asked for end an idle connection. */
static void test_idle_backend_speaks(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_get(&client, &backend);
    scene_send(backend, SCENE_OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    scene_expect_answer_with(client, 200, "ok");
    scene_expect_counts(1, 0, 0);
    scene_send(client, SCENE_GET);
    backend = scene_asked(1, "GET", "/");
    scene_answer_ok(backend, client);
    scene_end();
}

/* A FIN that comes with the request is how some scripts end it: they get their answer. One that comes later is
 * taken for the client's going, as nginx takes it. */
static void test_client_half_closes(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_ask(SCENE_GET);
    scene_finish(client);
    struct scene_peer *backend = scene_asked(1, "GET", "/");
    scene_answer_ok(backend, client);
    scene_expect_end(client);
    client = scene_ask(SCENE_GET);
    scene_expect_request(backend, "GET", "/");
    scene_finish(client);
    scene_expect_end(backend);
    scene_end();
}

/* An early answer with the body unread: all of it arrives, though the connection is then closed. */
static void test_early_answer(void **state) {
    (void)state;
    scene_begin(1);
    world.weather.reset_discards = true;
    struct scene_peer *client = scene_ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome");
    struct scene_peer *backend = scene_asked(1, "POST", "/x");
    scene_send(backend, "HTTP/1.1 413 No\r\nContent-Length: 8\r\n\r\ntoo much");
    scene_wait_ms(1);
    for (int i = 0; i < 5; i++) {
        scene_send(client, "more");
        scene_wait_ms(1);
    }
    scene_expect_answer_with(client, 413, "too much");
    scene_end();
}

/* Everything is closed at once, in every state. */
static void test_engine_ends(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    struct scene_peer *awaiting = scene_client(), *sending = scene_client(), *new = scene_client();
    scene_send(awaiting, SCENE_GET);
    scene_send(sending, SCENE_POST);
    scene_wait_ms(100);
    stage_close();
    assert_string_equal(world.failure, "");
    (void)new;
}

static bool drained;

static void test_engine_drains(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    scene_begin_tunnel(&client, &backend);
    struct scene_peer *idle = scene_client(), *busy = scene_client();
    scene_send(idle, "GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer_with(idle, 200, "hello");
    scene_send(busy, SCENE_GET);
    struct scene_peer *answering = scene_asked(1, "GET", "/");
    drained = false;
    subject_drain(&drained);
    scene_expect_end_between(idle, 0, 0.1);
    struct scene_peer *late = scene_client();
    scene_wait_ms(50);
    assert_true(late->wire.is_broken);
    scene_send(answering, SCENE_OK);
    scene_expect_answer(busy, 200);
    assert_string_equal(scene_field("connection"), "close");
    scene_expect(busy, "ok");
    scene_expect_end(busy);
    scene_send(client, "still here");
    scene_expect(backend, "still here");
    assert_false(drained);
    scene_close(client);
    scene_expect_end(backend);
    scene_close(backend);
    scene_wait_ms(100);
    assert_true(drained);
    scene_end();
}

int scenes_of_endings(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_goes_before_its_head_is_whole),
        cmocka_unit_test(test_client_closes_while_connecting),
        cmocka_unit_test(test_client_resets_while_connecting),
        cmocka_unit_test(test_client_goes_while_connecting_with_its_body_unread),
        cmocka_unit_test(test_client_goes_while_its_answer_is_awaited),
        cmocka_unit_test(test_client_goes_in_its_body),
        cmocka_unit_test(test_client_resets_in_its_answer),
        cmocka_unit_test(test_backend_closes_unanswered),
        cmocka_unit_test(test_backend_resets_unanswered),
        cmocka_unit_test(test_backend_resets_in_the_body),
        cmocka_unit_test(test_backend_resets_as_head_and_body_are_sent),
        cmocka_unit_test(test_backend_closes_in_its_answer),
        cmocka_unit_test(test_backend_resets_in_chunks),
        cmocka_unit_test(test_close_delimited_answer),
        cmocka_unit_test(test_idle_backend_closes),
        cmocka_unit_test(test_idle_backend_closes_as_it_is_used),
        cmocka_unit_test(test_idle_backend_speaks),
        cmocka_unit_test(test_client_half_closes),
        cmocka_unit_test(test_early_answer),
        cmocka_unit_test(test_engine_ends),
        cmocka_unit_test(test_engine_drains),
    };
    return cmocka_run_group_tests_name("endings", tests, NULL, NULL);
}
