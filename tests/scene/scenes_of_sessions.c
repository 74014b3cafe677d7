#include "scene.h"

#include <stdio.h>

/* Affinity by sid. */

#define OPEN_PACKET \
    "0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000}"

/* A session with the node that the handshake came to. */
static struct scene_peer *session_open(struct scene_peer *client, unsigned node, const char *sid) {
    char body[256];
    int len = snprintf(body, sizeof body, OPEN_PACKET, sid);
    scene_send(client, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n");
    struct scene_peer *backend = scene_asked(node, "GET", "/socket.io/?EIO=4&transport=polling");
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, body);
    scene_expect_answer(client, 200);
    scene_expect(client, body);
    return backend;
}

static void poll_send(struct scene_peer *client, const char *method, const char *sid) {
    scene_send(client,
               "%s /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: a\r\n"
               "Origin: http://o.example\r\nContent-Length: 0\r\n\r\n",
               method, sid);
}

static void test_requests_follow_their_session(void **state) {
    (void)state;
    scene_begin(3);
    struct scene_peer *first = scene_client(), *second = scene_client();
    struct scene_peer *one = session_open(first, 1, "sid-of-one");
    struct scene_peer *two = session_open(second, 2, "sid-of-two");
    for (int i = 0; i < 4; i++) {
        /* Each over the other's connection: only the sid decides. */
        poll_send(second, "GET", "sid-of-one");
        scene_expect_request(one, "GET", "/socket.io/?EIO=4&transport=polling&sid=sid-of-one");
        scene_send(one, SCENE_OK);
        scene_expect_whole_answer(second, 200);
        poll_send(first, "POST", "sid-of-two");
        scene_expect_request(two, "POST", "/socket.io/?EIO=4&transport=polling&sid=sid-of-two");
        scene_send(two, SCENE_OK);
        scene_expect_whole_answer(first, 200);
    }
    scene_end();
}

static void test_upgrade_follows_its_session(void **state) {
    (void)state;
    scene_begin(3);
    struct scene_peer *client = scene_client(), *socket = scene_client();
    session_open(client, 1, "abc");
    for (int i = 0; i < 2; i++) { /* so that the method would name another one */
        scene_send(client, SCENE_GET);
        struct scene_peer *other = scene_backend(2 + (unsigned)i);
        scene_expect_request(other, "GET", "/");
        scene_send(other, SCENE_OK);
        scene_expect_whole_answer(client, 200);
    }
    scene_send(client, SCENE_GET);
    scene_wait_ms(50);
    scene_send(socket, "GET /socket.io/?EIO=4&transport=websocket&sid=abc HTTP/1.1\r\nHost: a\r\n"
                       "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    struct scene_peer *backend = scene_asked(1, "GET", "/socket.io/?EIO=4&transport=websocket&sid=abc");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(socket, 101);
    scene_end();
}

/* Its node is gone: the client is told at once to begin anew, readably for a browser. */
static void test_session_of_a_dead_node(void **state) {
    (void)state;
    scene_begin(2);
    struct scene_peer *client = scene_client();
    struct scene_peer *backend = session_open(client, 1, "abc");
    scene_node(1, SERVICE_REFUSE);
    scene_reset(backend);
    scene_wait_ms(50);
    poll_send(client, "GET", "abc");
    scene_expect_answer_between(client, 400, 0, 0.2);
    assert_string_equal(scene_field("access-control-allow-origin"), "http://o.example");
    assert_non_null(strstr(scene_field("content-type"), "application/json"));
    scene_expect(client, "{\"code\":1,\"message\":\"Session ID unknown\"");
    scene_expect_no_backend(2);
    scene_end();
}

/* A request with a sid that was sent is never sent again. */
static void test_poll_is_not_repeated(void **state) {
    (void)state;
    scene_begin(2);
    struct scene_peer *client = scene_client();
    struct scene_peer *backend = session_open(client, 1, "abc");
    poll_send(client, "GET", "abc");
    scene_expect_request(backend, "GET", "/socket.io/?EIO=4&transport=polling&sid=abc");
    scene_close(backend);
    scene_expect_whole_answer(client, 502);
    scene_expect_no_backend(2);
    scene_expect_no_backend(1);
    scene_end();
}

/* A sid that nobody knows goes where the method says, and the node answers for itself. */
static void test_unknown_sid(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_client();
    poll_send(client, "GET", "never-seen");
    struct scene_peer *backend = scene_asked(1, "GET", "/socket.io/?EIO=4&transport=polling&sid=never-seen");
    scene_send(backend, "HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno");
    scene_expect_whole_answer(client, 400);
    scene_end();
}

int scenes_of_sessions(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_follow_their_session),
        cmocka_unit_test(test_upgrade_follows_its_session),
        cmocka_unit_test(test_session_of_a_dead_node),
        cmocka_unit_test(test_poll_is_not_repeated),
        cmocka_unit_test(test_unknown_sid),
    };
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
