#include "../unit.h"

#include "loop/loop.h"
#include "net/duct.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
    turn_until(is_near_connected);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    duct_close(near);
    duct_close(far);
    socket_close(listener);
    loop_turn(&loop, 0);
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

static bool is_open(int fd) {
    return fcntl(fd, F_GETFD) >= 0;
}

static void what_cannot_be_watched_is_closed(void **state) {
    (void)state;
    struct duct_pool *other = duct_pool_new(&loop);
    assert_non_null(other);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); /* epoll takes no regular file */
    assert_null(duct_new(other, file, ready, NULL));
    assert_false(is_open(file));
    duct_pool_free(other);
    other = duct_pool_new(&loop);
    int copy = fcntl(near->ev.fd, F_DUPFD_CLOEXEC, 0);
    mem_fail_after(0);
    assert_null(duct_new(other, copy, ready, NULL));
    assert_null(duct_pool_new(&loop));
    mem_fail_never();
    assert_false(is_open(copy));
    duct_pool_free(other);
    duct_pool_free(NULL);
    duct_close(NULL);
    duct_reset(NULL);
}

static void shutting_down_is_remembered(void **state) {
    (void)state;
    duct_shutdown(near);
    duct_shutdown(near);
    turn_until(has_far_end);
    assert_true(near->is_shut);
    assert_false(near->can_write);
    assert_int_equal(duct_send(far, "x", 1), 1);
    near->can_read = false;
    for (int i = 0; i < 1000 && !near->can_read; i++)
        loop_turn(&loop, 1000); /* this event says writable too */
    assert_true(near->can_read);
    assert_false(near->can_write);
}

static void an_owner_may_be_changed(void **state) {
    (void)state;
    loop_turn(&loop, 0);
    calls = 0;
    duct_own(far, NULL, &calls);
    assert_ptr_equal(far->owner, &calls);
    duct_own(far, ready, NULL);
    far->can_read = false;
    assert_int_equal(duct_send(near, "x", 1), 1);
    turn_until(can_far_read);
    assert_true(calls > 0);
}

/* One direction of random traffic: counted bytes, their values told by their place. Whoever stops while its
 * flag is up, or waits for an event that never comes, does not finish. */
struct flow {
    struct duct *from, *to;
    uint64_t sent, got, total;
    bool is_ended;
};

static struct flow flows[2];
static uint64_t seed;

static size_t roll(size_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % below;
}

static unsigned char value_at(uint64_t place) {
    return (unsigned char)(place * 167 >> 3 ^ place);
}

static size_t piece(void) {
    static const size_t pieces[] = {1, 7, 100, 1448, 4096, 16384, 65536};
    return 1 + roll(pieces[roll(sizeof pieces / sizeof *pieces)]);
}

static void flow_send(struct flow *flow) {
    unsigned char bytes[65537];
    for (int i = 0; i < 4 && flow->sent < flow->total && flow->from->can_write; i++) {
        size_t len = piece();
        if (len > flow->total - flow->sent)
            len = flow->total - flow->sent;
        for (size_t at = 0; at < len; at++)
            bytes[at] = value_at(flow->sent + at);
        struct iovec parts[2] = {{bytes, len / 3}, {bytes + len / 3, len - len / 3}};
        ssize_t n = roll(2) ? duct_send(flow->from, bytes, len) : duct_send_vector(flow->from, parts, 2);
        assert_true(n > 0 || n == -EAGAIN);
        flow->sent += n > 0 ? (size_t)n : 0;
    }
    if (flow->sent == flow->total && !flow->from->is_shut)
        duct_shutdown(flow->from);
}

static void flow_receive(struct flow *flow) {
    unsigned char bytes[65537];
    for (int i = 0; i < 4 && flow->to->can_read && !flow->is_ended; i++) {
        bool is_peek = roll(2);
        size_t len = piece();
        ssize_t n = is_peek ? duct_peek(flow->to, bytes, len) : duct_recv(flow->to, bytes, len);
        if (n == -EAGAIN)
            return;
        assert_true(n >= 0);
        flow->is_ended = n == 0;
        size_t used = (size_t)n;
        if (is_peek && n > 0) {
            used = roll(2) ? used : roll(used + 1);
            duct_discard(flow->to, used, (size_t)n);
        }
        for (size_t at = 0; at < used; at++)
            assert_int_equal(bytes[at], value_at(flow->got + at));
        flow->got += used;
    }
}

static bool can_go_on(const struct flow *flow) {
    return (flow->sent < flow->total && flow->from->can_write) || (!flow->is_ended && flow->to->can_read);
}

static void traffic_run(uint64_t total) {
    flows[0] = (struct flow){.from = near, .to = far, .total = total + roll(1000)};
    flows[1] = (struct flow){.from = far, .to = near, .total = roll(2) ? total : roll(1000)};
    while (!flows[0].is_ended || !flows[1].is_ended) {
        bool is_idle = !can_go_on(&flows[0]) && !can_go_on(&flows[1]);
        uint64_t before = loop.now_ms;
        loop_turn(&loop, is_idle ? 10000 : 0);
        assert_false(is_idle && loop.now_ms - before >= 10000); /* a lost edge */
        for (int i = 0; i < 2; i++) {
            if (roll(3))
                flow_send(&flows[i]);
            if (roll(3))
                flow_receive(&flows[i]);
        }
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(flows[i].got, flows[i].total);
}

static void random_traffic_arrives_whole_over_tcp(void **state) {
    for (uint64_t i = 1; i <= 12; i++) {
        if (i > 1) {
            teardown(state);
            setup(state);
        }
        seed = i;
        traffic_run(i % 3 ? 100000 : 2000000);
    }
}

static void random_traffic_arrives_whole_over_unix(void **state) {
    (void)state;
    for (uint64_t i = 1; i <= 12; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        duct_close(near);
        duct_close(far);
        near = duct_new(pool, ends[0], ready, NULL);
        far = duct_new(pool, ends[1], ready, NULL);
        seed = i;
        traffic_run(i % 3 ? 100000 : 2000000);
    }
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
        cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(shutting_down_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(an_owner_may_be_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(random_traffic_arrives_whole_over_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(random_traffic_arrives_whole_over_unix, setup, teardown),
    };
    return cmocka_run_group_tests_name("duct", tests, NULL, NULL);
}
