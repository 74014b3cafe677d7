#include "../unit.h"

#include "base/mem.h"
#include "upstream/idle.h"

#include <stdlib.h>
#include <unistd.h>

struct world {
    struct loop loop;
    struct duct_pool *ducts;
    struct idle_pool *pool;
    struct registry *registry;
    struct peer *peers[2];
};

static void world_init(struct world *w) {
    assert_int_equal(loop_init(&w->loop), 0);
    w->ducts = duct_pool_new(&w->loop);
    w->pool = idle_pool_new(&w->loop);
    w->registry = registry_new(4);
    assert_true(w->ducts && w->pool && w->registry);
    for (uint16_t i = 0; i < 2; i++) {
        struct address address;
        assert_true(address_parse(STR("127.0.0.1"), (uint16_t)(3001 + i), &address));
        w->peers[i] = registry_peer(w->registry, STR("nodes"), &address, 0);
        assert_non_null(w->peers[i]);
    }
}

static void world_fini(struct world *w) {
    idle_pool_free(w->pool);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(w->peers[i]->references, 2);
        peer_drop(w->peers[i]);
    }
    loop_turn(&w->loop, 0);
    duct_pool_free(w->ducts);
    registry_free(w->registry);
    loop_fini(&w->loop);
}

static void nothing(struct duct *duct) {
    (void)duct;
}

/* A connection in a clean state; *far is its other end. */
static struct duct *connected(struct world *w, int *far) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    *far = ends[1];
    struct duct *duct = duct_new(w->ducts, ends[0], nothing, NULL);
    assert_non_null(duct);
    return duct;
}

static void put(struct world *w, int peer, struct duct *duct, uint64_t keep_ms, size_t most) {
    idle_put(w->pool, w->peers[peer], (struct idle_lease){duct, 7, 0, 0}, keep_ms, most);
}

static struct duct *take(struct world *w, int peer) {
    struct idle_lease lease = idle_take(w->pool, w->peers[peer], 0);
    assert_int_equal(lease.requests, lease.duct ? 7 : 0);
    if (lease.duct)
        duct_own(lease.duct, nothing, NULL);
    return lease.duct;
}

/* Turns until so many are left. */
static void wait_for(struct world *w, size_t count) {
    for (int i = 0; idle_count(w->pool) != count; i++) {
        assert_true(i < 1000);
        loop_turn(&w->loop, 10);
    }
}

/* Has the near side been closed? */
static bool is_closed(int far) {
    char byte;
    return read(far, &byte, 1) == 0;
}

static void test_last_in_first_out(void **state) {
    (void)state;
    struct world w;
    int far[3];
    world_init(&w);
    struct duct *a = connected(&w, &far[0]), *b = connected(&w, &far[1]), *c = connected(&w, &far[2]);
    assert_null(take(&w, 0));
    put(&w, 0, a, 60000, 10);
    put(&w, 0, b, 60000, 10);
    put(&w, 1, c, 60000, 10);
    assert_int_equal(idle_count(w.pool), 3);
    loop_turn(&w.loop, 0); /* writable: says nothing */
    assert_int_equal(idle_count(w.pool), 3);
    assert_ptr_equal(take(&w, 0), b);
    assert_ptr_equal(take(&w, 0), a);
    assert_null(take(&w, 0));
    assert_ptr_equal(take(&w, 1), c);
    put(&w, 0, a, 60000, 10);
    duct_close(b);
    duct_close(c);
    world_fini(&w); /* closes the one that is left */
    for (int i = 0; i < 3; i++) {
        assert_true(is_closed(far[i]));
        close(far[i]);
    }
}

static void test_most_closes_the_oldest(void **state) {
    (void)state;
    struct world w;
    int far[4];
    world_init(&w);
    for (int i = 0; i < 3; i++)
        put(&w, 0, connected(&w, &far[i]), 60000, 2);
    put(&w, 1, connected(&w, &far[3]), 60000, 0);
    assert_int_equal(idle_count(w.pool), 2);
    assert_true(is_closed(far[0]));
    assert_false(is_closed(far[1]));
    assert_false(is_closed(far[2]));
    assert_true(is_closed(far[3])); /* none is to be kept */
    world_fini(&w);
    for (int i = 0; i < 4; i++)
        close(far[i]);
}

static void test_most_is_the_upstreams(void **state) {
    (void)state;
    struct world w;
    int far[3];
    world_init(&w);
    put(&w, 0, connected(&w, &far[0]), 60000, 2);
    put(&w, 1, connected(&w, &far[1]), 60000, 2);
    put(&w, 1, connected(&w, &far[2]), 60000, 2);
    assert_int_equal(idle_count(w.pool), 2);
    assert_true(is_closed(far[0]));
    assert_false(is_closed(far[1]));
    world_fini(&w);
    for (int i = 0; i < 3; i++)
        close(far[i]);
}

static void test_end_closes(void **state) {
    (void)state;
    struct world w;
    int far[3];
    world_init(&w);
    for (int i = 0; i < 3; i++)
        put(&w, 0, connected(&w, &far[i]), 60000, 10);
    close(far[1]);
    wait_for(&w, 2);
    assert_int_equal(write(far[0], "HTTP/1.1 408 ", 13), 13); /* unasked */
    wait_for(&w, 1);
    struct duct *left = take(&w, 0);
    assert_non_null(left);
    assert_null(take(&w, 0));
    duct_close(left);
    world_fini(&w);
    close(far[0]);
    close(far[2]);
}

static void test_unclean_is_not_kept(void **state) {
    (void)state;
    struct world w;
    int far[2];
    world_init(&w);
    struct duct *unread = connected(&w, &far[0]), *ended = connected(&w, &far[1]);
    assert_int_equal(write(far[0], "x", 1), 1);
    close(far[1]);
    while (!unread->can_read || !ended->has_end)
        loop_turn(&w.loop, 1000);
    put(&w, 0, unread, 60000, 10);
    put(&w, 0, ended, 60000, 10);
    assert_int_equal(idle_count(w.pool), 0);
    world_fini(&w);
    close(far[0]);
}

static void test_retired_in_time(void **state) {
    (void)state;
    struct world w;
    int far[2];
    world_init(&w);
    put(&w, 0, connected(&w, &far[0]), 20, 10);
    put(&w, 0, connected(&w, &far[1]), 60000, 10);
    struct duct *again = take(&w, 0);
    put(&w, 0, again, 60000, 10); /* a taken one's deadline is gone with it */
    uint64_t begun = w.loop.now_ms;
    wait_for(&w, 1);
    assert_true(w.loop.now_ms - begun >= 20);
    assert_true(is_closed(far[0]));
    assert_false(is_closed(far[1]));
    world_fini(&w);
    close(far[0]);
    close(far[1]);
}

static void test_close_peer(void **state) {
    (void)state;
    struct world w;
    int far[3];
    world_init(&w);
    idle_close_peer(w.pool, w.peers[0]);
    put(&w, 0, connected(&w, &far[0]), 60000, 10);
    put(&w, 0, connected(&w, &far[1]), 60000, 10);
    put(&w, 1, connected(&w, &far[2]), 60000, 10);
    idle_close_peer(w.pool, w.peers[0]);
    assert_int_equal(idle_count(w.pool), 1);
    assert_true(is_closed(far[0]) && is_closed(far[1]));
    world_fini(&w);
    for (int i = 0; i < 3; i++)
        close(far[i]);
}

/* A peer that nobody asks for any more is let go. The wheel is run ahead of the clock. */
static void test_unused_peer_is_let_go(void **state) {
    (void)state;
    struct world w;
    int far;
    world_init(&w);
    put(&w, 0, connected(&w, &far), 60000, 10);
    struct duct *duct = take(&w, 0);
    assert_int_equal(w.peers[0]->references, 3);
    for (int i = 0; i < 3; i++) {
        w.loop.now_ms += 10001;
        timer_wheel_run(&w.loop.timers, w.loop.now_ms);
    }
    assert_int_equal(w.peers[0]->references, 2);
    duct_close(duct);
    world_fini(&w);
    close(far);
}

/* Without memory the connection is closed, and in the steady state none is needed. */
static void test_memory(void **state) {
    (void)state;
    struct world w;
    int far[4];
    world_init(&w);
    for (uint64_t after = 0; after < 4; after++) {
        struct duct *duct = connected(&w, &far[after]);
        mem_fail_after(after);
        put(&w, 0, duct, 60000, 10);
        mem_fail_never();
        assert_int_equal(is_closed(far[after]), idle_count(w.pool) == 0);
        close(far[after]);
        if (idle_count(w.pool))
            break;
    }
    struct duct *duct = take(&w, 0);
    assert_non_null(duct);
#ifndef __SANITIZE_ADDRESS__ /* where each object of a slab is a block of its own */
    mem_fail_after(0);
    for (int i = 0; i < 100; i++) {
        put(&w, 0, duct, 60000, 10);
        assert_ptr_equal(take(&w, 0), duct);
    }
    mem_fail_never();
#endif
    duct_close(duct);
    world_fini(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_in_first_out),
        cmocka_unit_test(test_most_closes_the_oldest),
        cmocka_unit_test(test_most_is_the_upstreams),
        cmocka_unit_test(test_end_closes),
        cmocka_unit_test(test_unclean_is_not_kept),
        cmocka_unit_test(test_retired_in_time),
        cmocka_unit_test(test_close_peer),
        cmocka_unit_test(test_unused_peer_is_let_go),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
