#include "scene.h"

#include "../sim/incident.h"

#include "base/mem.h"

/* Our own shortages: they hurt the one connection, are nobody else's fault, and end. */

static void test_no_descriptor_for_the_back(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *client = scene_client();
    scene_wait_ms(50);
    world.weather.connect_fail = 1000;
    scene_send(client, SCENE_GET);
    scene_expect_whole_answer(client, 503);
    world.weather.connect_fail = 0;
    scene_send(client, SCENE_GET); /* the node was not blamed */
    struct scene_peer *backend = scene_asked(1, "GET", "/");
    scene_send(backend, SCENE_OK);
    scene_expect_whole_answer(client, 200);
    scene_end();
}

static void test_no_descriptor_to_accept(void **state) {
    (void)state;
    scene_begin(1);
    world.weather.accept_fail = 1000;
    struct scene_peer *client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    scene_wait_ms(1000);
    world.weather.accept_fail = 0;
    if (client->wire.is_broken) { /* aborted in the queue */
        client = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    scene_expect_answer(client, 200);
    scene_end();
}

static void test_full_backlog(void **state) {
    (void)state;
    scene_begin(1);
    struct scene_peer *clients[20];
    for (int i = 0; i < 20; i++) {
        clients[i] = scene_client();
        scene_send(clients[i], "GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < 20; i++)
        scene_expect_answer(clients[i], 200);
    scene_end();
}

/* What a client sees and does while the k-th allocation and those behind it fail, whatever k is. */
static void life(struct scene_peer *client) {
    scene_send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    scene_wait_ms(20);
}

static void test_each_allocation_fails_once(void **state) {
    (void)state;
    for (uint64_t k = 0; k < 40; k++) {
        scene_begin(1);
        struct scene_peer *well = scene_ask("GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
        scene_expect_answer_with(well, 200, "hello");
        mem_fail_after(k);
        life(scene_client());
        scene_ask(SCENE_HANDSHAKE);
        scene_wait_ms(20);
        mem_fail_never();
        scene_wait_ms(200); /* accepting has paused */
        scene_send(well, "GET /return HTTP/1.1\r\nHost: a\r\n\r\n");
        scene_expect_answer(well, 200);
        scene_end();
    }
}

int scenes_of_shortage(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_descriptor_for_the_back),
        cmocka_unit_test(test_no_descriptor_to_accept),
        cmocka_unit_test(test_full_backlog),
        cmocka_unit_test(test_each_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
