#include "scene.h"

#include "base/mem.h"

/* Who may pass: what waits in GUARD, and what ends while it does. */

#define AUTH                                                                          \
    "location /asked { auth_request /auth; auth_request_set $who $upstream_http_x;\n" \
    "proxy_set_header X-Who $who; proxy_pass http://app1:3000; }\n"                   \
    "location = /auth { internal; proxy_pass http://app2:3000; proxy_read_timeout 2s; }\n"
#define ASKED "GET /asked HTTP/1.1\r\nHost: a\r\n\r\n"
#define EMPTY_OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void test_address(void **state) {
    (void)state;
    scene_begin_with(1,
                     "location /not { deny 10.9.0.0/16; return 200; }\n"
                     "location /deny { deny 10.9.0.0/16; proxy_pass http://nodes; }\n",
                     "");
    struct scene_peer *client = scene_ask("GET /deny HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_whole_answer(client, 403);
    scene_expect_no_backend(1);
    scene_send(client, "GET /not HTTP/1.1\r\nHost: a\r\n\r\n"); /* `return` comes before, as in nginx */
    scene_expect_whole_answer(client, 200);
    scene_end();
}

/* Asks; the server that is asked. */
static struct scene_peer *question(struct scene_peer *client, const char *request) {
    scene_send(client, "%s", request);
    struct scene_peer *asked = scene_asked(2, "GET", "/auth");
    return asked;
}

static void test_request_passes(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked = question(client, ASKED);
    scene_expect_nothing(client, 500);
    scene_send(asked, "HTTP/1.1 200 OK\r\nX: ann\r\nContent-Length: 4\r\n\r\nno");
    scene_expect_no_backend(1);
    scene_send(asked, "ne");
    struct scene_peer *backend = scene_asked(1, "GET", "/asked");
    assert_string_equal(scene_field("x-who"), "ann");
    scene_answer_ok(backend, client);
    scene_expect_counts(1, 0, 2);
    scene_send(client, ASKED); /* both connections are kept */
    scene_expect_request(asked, "GET", "/auth");
    scene_send(asked, EMPTY_OK);
    scene_expect_request(backend, "GET", "/asked");
    scene_answer_ok(backend, client);
    scene_end();
}

static void test_request_refuses(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked = question(client, ASKED);
    scene_send(asked, "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n");
    scene_expect_whole_answer(client, 401);
    assert_string_equal(scene_field("www-authenticate"), "Bearer");
    scene_send(client, ASKED);
    scene_expect_request(asked, "GET", "/auth");
    scene_send(asked, "HTTP/1.1 302 Elsewhere\r\nContent-Length: 0\r\n\r\n");
    scene_expect_whole_answer(client, 500);
    scene_expect_no_backend(1);
    scene_end();
}

static void test_upgrade_waits_for_its_answer(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked =
        question(client, "GET /asked HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    assert_string_equal(scene_field("upgrade"), "");
    scene_expect_no_backend(1);
    scene_send(asked, EMPTY_OK);
    struct scene_peer *backend = scene_asked(1, "GET", "/asked");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    scene_expect_counts(0, 1, 1);
    scene_send(client, "up");
    scene_expect(backend, "up");
    scene_end();
}

static void test_body_waits_with_its_client(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked =
        question(client, "POST /asked HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
    assert_string_equal(scene_field("content-length"), "");
    scene_send(asked, EMPTY_OK);
    struct scene_peer *backend = scene_asked(1, "POST", "/asked");
    scene_expect(backend, "01234");
    scene_send(client, "56789");
    scene_expect(backend, "56789");
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(client, 200);
    scene_end();
}

static void test_client_leaves(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked = question(client, ASKED);
    scene_close(client);
    scene_expect_end(asked);
    scene_expect_state("");
    client = scene_client();
    asked = question(client, ASKED);
    scene_reset(client);
    scene_expect_end(asked);
    scene_expect_counts(0, 0, 0);
    scene_end();
}

static void test_asked_server_fails(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked = question(client, ASKED);
    scene_reset(asked);
    scene_expect_whole_answer(client, 500); /* which ends the connection, as in nginx */
    client = scene_client();
    asked = question(client, ASKED);
    scene_expect_answer_between(client, 500, 1.9, 2.2); /* its location's own proxy_read_timeout */
    scene_expect_end(asked);
    scene_node(2, SERVICE_REFUSE);
    client = scene_ask(ASKED);
    scene_expect_whole_answer(client, 500);
    scene_end();
}

static void test_asked_server_stops_in_its_body(void **state) {
    (void)state;
    scene_begin_with(2, AUTH, "");
    struct scene_peer *client = scene_client();
    struct scene_peer *asked = question(client, ASKED);
    scene_send(asked, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nno");
    struct scene_peer *backend = scene_backend(1); /* after two seconds: its head said enough */
    scene_expect_request(backend, "GET", "/asked");
    scene_expect_end(asked);
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(client, 200);
    scene_end();
}

static void test_delay(void **state) {
    (void)state;
    scene_begin_within(1, "limit_req_zone $host zone=one:32k rate=1r/s;",
                       "location /slow { limit_req zone=one burst=2; proxy_pass http://nodes; }\n");
    static const char request[] = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct scene_peer *first = scene_client(), *second = scene_client(), *third = scene_client();
    scene_send(first, "%s", request);
    struct scene_peer *backend = scene_asked(1, "GET", "/slow");
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(first, 200);
    scene_send(second, "%s", request);
    scene_expect_state("GUARD");
    scene_send(third, "%s", request);
    scene_expect_nothing(second, 800);
    scene_close(third); /* leaves while it is delayed */
    scene_expect_request(backend, "GET", "/slow");
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(second, 200);
    scene_expect_state("");
    scene_end();
}

static void test_connections(void **state) {
    (void)state;
    scene_begin_within(1, "limit_conn_zone $host zone=one:32k;", "limit_conn one 1;\n");
    struct scene_peer *client, *backend;
    scene_tunnel(&client, &backend);
    struct scene_peer *other = scene_ask(SCENE_GET);
    scene_expect_whole_answer(other, 503);
    scene_reset(client);
    scene_expect_end(backend);
    scene_send(other, SCENE_GET);
    backend = scene_asked(1, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(other, 200);
    scene_end();
}

/* Whatever allocation fails, nothing is lost or left, and the next request passes. */
static void test_each_allocation_fails_once(void **state) {
    (void)state;
    for (uint64_t k = 0; k < 60; k++) {
        scene_begin_within(
            2, "limit_conn_zone $host zone=one:32k; limit_req_zone $host zone=two:32k rate=1000r/s;",
            "limit_conn one 10; limit_req zone=two burst=100 nodelay;\n" AUTH
            "location /here { auth_request /local; auth_request_set $what $uri; return 204; }\n"
            "location = /local { set $x y; return 204; }\n");
        struct scene_peer *client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
        scene_expect_whole_answer(client, 200);
        mem_fail_after(k);
        scene_send(client, "GET /here/x HTTP/1.1\r\nHost: a\r\n\r\n");
        struct scene_peer *other = scene_ask(ASKED);
        scene_wait_ms(50);
        mem_fail_never();
        scene_wait_ms(200);
        scene_reset(other);
        scene_close(client);
        client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
        scene_expect_whole_answer(client, 200);
        scene_end();
    }
}

int scenes_of_guard(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_request_passes),
        cmocka_unit_test(test_request_refuses),
        cmocka_unit_test(test_upgrade_waits_for_its_answer),
        cmocka_unit_test(test_body_waits_with_its_client),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_asked_server_fails),
        cmocka_unit_test(test_asked_server_stops_in_its_body),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_each_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
