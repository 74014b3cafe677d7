#include "../unit.h"

#include "loop/loop.h"
#include "net/duct.h"

#include <errno.h>

/* Two ducts over loopback, one accepted, one connected. */

static struct loop loop;
static struct duct_pool *pool;
static int listener;
static struct duct *near, *far; /* near connects, far is accepted */
static int calls;

static void ready(struct duct *duct) {
    (void)duct;
    calls++;
}

static void turn_until(bool (*is_so)(void)) {
    for (int i = 0; i < 1000 && !is_so(); i++)
        loop_turn(&loop, 1000);
    assert_true(is_so());
}

static bool is_near_connected(void) {
    return near->is_connected;
}
static bool can_far_read(void) {
    return far->can_read;
}
static bool has_far_end(void) {
    return far->has_end;
}
static bool can_near_write(void) {
    return near->can_write;
}
static bool has_near_end(void) {
    return near->has_end;
}

static int setup(void **state) {
    (void)state;
    struct address address;
    struct socket_listen_options options = {.backlog = 16};
    assert_int_equal(loop_init(&loop), 0);
    pool = duct_pool_new(&loop);
    assert_non_null(pool);
    assert_true(address_parse(STR("127.0.0.1"), 0, &address));
    listener = socket_listen(&address, &options);
    assert_true(listener >= 0);
    assert_int_equal(socket_local(listener, &address), 0);
    int fd = socket_connect(&address, NULL, 0, 0);
    assert_true(fd >= 0);
    near = duct_new(pool, fd, ready, NULL);
    do
        fd = socket_accept(listener, &address);
    while (fd == -EAGAIN);
    assert_true(fd >= 0);
    far = duct_new(pool, fd, ready, NULL);
    assert_int_equal(duct_pool_live(pool), 2);
    turn_until(is_near_connected);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    duct_close(near);
    duct_close(far);
    socket_close(listener);
    loop_turn(&loop, 0);
    assert_int_equal(duct_pool_live(pool), 0);
    duct_pool_free(pool);
    loop_fini(&loop);
    return 0;
}

static void short_reads_clear_can_read(void **state) {
    (void)state;
    char bytes[16];
    assert_int_equal(duct_recv(far, bytes, sizeof bytes), -EAGAIN);
    assert_false(far->can_read);
    assert_int_equal(duct_send(near, "hello", 5), 5);
    assert_int_equal(near->sent_since_look, 5);
    assert_true(near->can_write);
    turn_until(can_far_read);
    assert_int_equal(duct_recv(far, bytes, 2), 2);
    assert_true(far->can_read);
    assert_int_equal(duct_recv(far, bytes, sizeof bytes), 3);
    assert_false(far->can_read);
    assert_true(far->is_connected);
}

static void what_is_peeked_stays_until_discarded(void **state) {
    (void)state;
    char bytes[8];
    loop_turn(&loop, 0);
    assert_int_equal(duct_peek(far, bytes, sizeof bytes), -EAGAIN);
    assert_false(far->can_read);
    assert_int_equal(duct_send(near, "0123456789", 10), 10);
    turn_until(can_far_read);
    assert_int_equal(duct_peek(far, bytes, sizeof bytes), 8);
    duct_discard(far, 3, 8);
    assert_true(far->can_read);
    assert_int_equal(duct_peek(far, bytes, 4), 4);
    assert_memory_equal(bytes, "3456", 4);
    duct_discard(far, 4, 4);
    assert_true(far->can_read); /* the buffer was full */
    assert_int_equal(duct_peek(far, bytes, sizeof bytes), 3);
    duct_discard(far, 0, 3);
    assert_true(far->can_read);
    assert_int_equal(duct_peek(far, bytes, sizeof bytes), 3);
    duct_discard(far, 3, 3);
    assert_false(far->can_read);
    duct_shutdown(near);
    turn_until(has_far_end);
    assert_int_equal(duct_peek(far, bytes, sizeof bytes), 0);
}

static void an_end_is_read_to_its_zero(void **state) {
    (void)state;
    char bytes[16];
    loop_turn(&loop, 0);
    assert_int_equal(duct_recv(far, bytes, sizeof bytes), -EAGAIN);
    assert_int_equal(duct_send(near, "bye", 3), 3);
    duct_shutdown(near);
    turn_until(has_far_end);
    assert_true(far->can_read);
    assert_int_equal(duct_recv(far, bytes, sizeof bytes), 3);
    assert_true(far->can_read); /* no event would come for the end itself */
    assert_int_equal(duct_recv(far, bytes, sizeof bytes), 0);
    /* The other direction is open still. */
    assert_int_equal(duct_send(far, "x", 1), 1);
}

static void a_full_socket_clears_can_write_until_it_drains(void **state) {
    (void)state;
    static char bytes[65536];
    size_t sent = 0, got = 0;
    loop_turn(&loop, 0);
    ssize_t taken;
    while ((taken = duct_send(near, bytes, sizeof bytes)) != -EAGAIN) {
        assert_true(taken > 0);
        sent += (size_t)taken;
    }
    assert_false(near->can_write);
    assert_true(duct_backlog(near) > 0);
    while (got < sent) {
        turn_until(can_far_read);
        ssize_t n = duct_recv(far, bytes, sizeof bytes);
        assert_true(n > 0 || n == -EAGAIN);
        got += n > 0 ? (size_t)n : 0;
    }
    turn_until(can_near_write);
    assert_int_equal(got, sent);
}

static void a_reset_is_an_end_and_an_error(void **state) {
    (void)state;
    char byte;
    duct_reset(far);
    far = NULL;
    turn_until(has_near_end);
    assert_int_equal(duct_recv(near, &byte, 1), -ECONNRESET);
    assert_false(near->can_read);
    assert_true(near->has_end);
}

static void a_closed_duct_hears_nothing(void **state) {
    (void)state;
    assert_int_equal(duct_send(near, "x", 1), 1);
    duct_close(far);
    far = NULL;
    assert_int_equal(duct_pool_live(pool), 1);
    calls = 0;
    turn_until(has_near_end);
    assert_true(calls > 0);
}

static void a_refused_connection_is_never_connected(void **state) {
    (void)state;
    struct address address;
    struct socket_listen_options options = {.backlog = 1};
    address_parse(STR("127.0.0.1"), 0, &address);
    int fd = socket_listen(&address, &options);
    socket_local(fd, &address);
    socket_close(fd);
    duct_close(near);
    near = NULL;
    fd = socket_connect(&address, NULL, 0, 0);
    if (fd == -ECONNREFUSED)
        return;
    assert_true(fd >= 0);
    near = duct_new(pool, fd, ready, NULL);
    turn_until(has_near_end);
    assert_false(near->is_connected);
    assert_int_equal(socket_error(near->ev.fd), -ECONNREFUSED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(short_reads_clear_can_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_peeked_stays_until_discarded, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_is_read_to_its_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_socket_clears_can_write_until_it_drains, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reset_is_an_end_and_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_duct_hears_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_connection_is_never_connected, setup, teardown),
    };
    return cmocka_run_group_tests_name("duct", tests, NULL, NULL);
}
