#include "scene.h"

/* Waiting for a server, and for its name. The world's name servers know app1, app2, ... and "two", which is
 * both. */

static const char queue_text[] =
    "upstream q { server app1:3000 max_conns=1; server app2:3000 down; queue 1 timeout=2s; }\n"
    "upstream full { server app1:3000 max_conns=1; server app2:3000 down; }";
static const char queue_places[] =
    "location /q { proxy_pass http://q; }\nlocation /full { proxy_pass http://full; }";

/* The first client's request has the one server that may be asked: that server's side of it. */
static struct scene_peer *first_begin(struct scene_peer *first, const char *path) {
    scene_send(first, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    struct scene_peer *backend = scene_asked(1, "GET", path);
    return backend;
}

static void test_queue_until_a_server_is_free(void **state) {
    (void)state;
    scene_begin_within(1, queue_text, queue_places);
    struct scene_peer *first = scene_client(), *second = scene_client();
    struct scene_peer *backend = first_begin(first, "/q/1");
    scene_send(second, "GET /q/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_no_backend(1);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
    scene_expect_whole_answer(first, 200);
    scene_expect_request(backend, "GET", "/q/2"); /* on the connection that has just become free */
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ncd");
    scene_expect_whole_answer(second, 200);
    scene_end();
}

static void test_queue_has_an_end(void **state) {
    (void)state;
    scene_begin_within(1, queue_text, queue_places);
    struct scene_peer *first = scene_client(), *second = scene_client(), *third = scene_client();
    first_begin(first, "/q/1");
    scene_send(second, "GET /q/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_wait_ms(500);
    scene_send(third, "GET /q/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer_between(third, 502, 0, 0.2);
    scene_expect_answer_between(second, 502, 1.3, 1.7);
    scene_close(first);
    scene_expect_state("");
    scene_end();
}

static void test_who_leaves_the_queue_is_forgotten(void **state) {
    (void)state;
    scene_begin_within(1, queue_text, queue_places);
    struct scene_peer *first = scene_client(), *second = scene_client(), *third = scene_client();
    struct scene_peer *backend = first_begin(first, "/q/1");
    scene_send(second, "GET /q/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_wait_ms(300);
    scene_close(second);
    scene_wait_ms(300);
    scene_send(third, "GET /q/3 HTTP/1.1\r\nHost: a\r\n\r\n"); /* the place in the queue is free again */
    scene_wait_ms(300);
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
    scene_expect_whole_answer(first, 200);
    scene_expect_request(backend, "GET", "/q/3");
    scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nef");
    scene_expect_whole_answer(third, 200);
    scene_end();
}

static void test_without_a_queue_nobody_waits(void **state) {
    (void)state;
    scene_begin_within(1, queue_text, queue_places);
    struct scene_peer *first = scene_client(), *second = scene_client();
    first_begin(first, "/full/1");
    scene_send(second, "GET /full/2 HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_answer_between(second, 502, 0, 0.2);
    scene_end();
}

static void test_members_by_name(void **state) {
    (void)state;
    scene_begin_within(2,
                       "resolver 10.0.0.53;\nupstream r { server two:3000 resolve; }\n"
                       "upstream n { server nobody:3000 resolve; }",
                       "location /r { proxy_pass http://r; }\nlocation /n { proxy_pass http://n; }");
    scene_wait_ms(200);
    struct scene_peer *client = scene_client();
    for (unsigned i = 1; i <= 2; i++) {
        scene_send(client, "GET /r/%u HTTP/1.1\r\nHost: a\r\n\r\n", i);
        struct scene_peer *backend = scene_asked(i, "GET", i == 1 ? "/r/1" : "/r/2");
        scene_send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
        scene_expect_whole_answer(client, 200);
    }
    scene_send(client, "GET /n HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_expect_whole_answer(client, 502);
    scene_end();
}

int scenes_of_upstreams(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_until_a_server_is_free),
        cmocka_unit_test(test_queue_has_an_end),
        cmocka_unit_test(test_who_leaves_the_queue_is_forgotten),
        cmocka_unit_test(test_without_a_queue_nobody_waits),
        cmocka_unit_test(test_members_by_name),
    };
    return cmocka_run_group_tests_name("upstreams", tests, NULL, NULL);
}
