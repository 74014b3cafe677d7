#include "fixture.h"

#include "base/mem.h"
#include "net/why.h"

#include <pthread.h>

static void test_smooth_sequence(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 5);
    fixture_server(&f, 1);
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    assert_string_equal(fixture_letters(&f, 0, 14, 0), "aabacaaaabacaa");
    fixture_fini(&f);
}

static void test_equal_weights_take_turns(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 3, 1);
    assert_string_equal(fixture_letters(&f, 0, 7, 0), "abcabca");
    fixture_fini(&f);
}

static void test_loops_begin_apart(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 4, 4);
    unsigned given[4] = {0};
    for (unsigned loop = 0; loop < 4; loop++)
        given[fixture_index(&f, fixture_pick(&f, loop, 0))]++;
    for (int i = 0; i < 4; i++)
        assert_int_equal(given[i], 1);
    fixture_fini(&f);
}

static void test_weights_are_exact_over_a_period(void **state) {
    (void)state;
    static const unsigned weights[] = {7, 3, 11, 1, 5};
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    for (int i = 0; i < 5; i++)
        fixture_server(&f, weights[i]);
    fixture_begin(&f, 3);
    for (unsigned loop = 0; loop < 3; loop++) {
        unsigned given[5] = {0};
        for (int i = 0; i < 27; i++)
            given[fixture_index(&f, fixture_pick(&f, loop, 0))]++;
        for (int i = 0; i < 5; i++)
            assert_int_equal(given[i], weights[i]);
    }
    fixture_fini(&f);
}

static void test_retry_gives_nobody_twice(void **state) {
    (void)state;
    static const enum balance methods[] = {BALANCE_ROUND_ROBIN, BALANCE_LEAST_CONN, BALANCE_HASH,
                                           BALANCE_HASH_CONSISTENT, BALANCE_IP_HASH};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        struct fixture f;
        fixture_init(&f, methods[m]);
        for (int i = 0; i < 20; i++)
            fixture_server(&f, 1 + (unsigned)i % 3);
        fixture_server(&f, 1)->is_backup = true;
        fixture_begin(&f, 1);
        struct pick pick = {.key = STR("a key")};
        bool seen[21] = {false};
        for (unsigned i = 0; i < 21; i++) {
            assert_true(group_has_other(f.group, &pick, 0));
            int index = fixture_index(&f, group_pick(f.group, &pick, 0));
            assert_true(index >= 0 && !seen[index]);
            assert_true((index == 20) == (i == 20)); /* the backup comes last */
            seen[index] = true;
        }
        assert_false(group_has_other(f.group, &pick, 0));
        assert_null(group_pick(f.group, &pick, 0));
        fixture_fini(&f);
    }
}

static void test_set_aside_and_let_in_once(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 3, 2);
    struct member *b = &f.group->members[1];
    unsigned epoch = b->peer->epoch;
    assert_true(member_fail(f.group, b, WHY_CONNECT_REFUSED, 50000));
    assert_false(member_fail(f.group, b, WHY_CONNECT_REFUSED, 50000)); /* it was so already */
    assert_true(b->peer->is_dead);
    assert_int_equal(b->peer->epoch, epoch + 1);
    assert_false(member_is_up(f.group, b, 60000));
    assert_null(strchr(fixture_letters(&f, 0, 20, 60000), 'b'));
    assert_null(strchr(fixture_letters(&f, 1, 20, 60000), 'b'));
    /* The window has passed: one request, whichever loop it comes from. */
    assert_true(member_is_up(f.group, b, 60001));
    unsigned given = 0;
    for (int i = 0; i < 20; i++)
        given += fixture_pick(&f, (unsigned)i % 2, 60001) == b;
    assert_int_equal(given, 1);
    assert_false(member_is_up(f.group, b, 70001));
    /* It failed again: one more window. */
    assert_true(member_fail(f.group, b, WHY_CONNECT_REFUSED, 60002));
    assert_false(member_is_up(f.group, b, 70002));
    given = 0;
    for (int i = 0; i < 9; i++)
        given += fixture_pick(&f, 0, 70003) == b;
    assert_int_equal(given, 1);
    /* It answered: it is a member as the others. */
    member_succeed(b, 70004);
    assert_false(b->peer->is_dead);
    assert_int_equal(b->peer->fails, 0);
    given = 0;
    for (int i = 0; i < 30; i++)
        given += fixture_pick(&f, 0, 70005) == b;
    assert_in_range(given, 9, 11);
    fixture_fini(&f);
}

static void test_late_answer_does_not_end_the_window(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 2, 1);
    struct member *a = &f.group->members[0];
    assert_true(member_fail(f.group, a, WHY_HANDSHAKE_TIMEOUT, 50000));
    member_succeed(a, 50500); /* to a request sent before it failed */
    assert_true(a->peer->is_dead);
    assert_false(member_is_up(f.group, a, 50500));
    fixture_fini(&f);
}

static void test_fails_are_counted_in_a_window(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 1)->max_fails = 3;
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    struct member *a = &f.group->members[0];
    assert_false(member_fail(f.group, a, WHY_ANSWER_CLOSED, 50000));
    assert_false(member_fail(f.group, a, WHY_ANSWER_CLOSED, 51000));
    assert_true(member_is_up(f.group, a, 51000));
    member_succeed(a, 52000); /* inside the window: the fails stay */
    assert_int_equal(a->peer->fails, 2);
    fixture_letters(&f, 0, 4, 61001); /* a new window begins */
    member_succeed(a, 61002);
    assert_int_equal(a->peer->fails, 0);
    for (int i = 0; i < 2; i++)
        assert_false(member_fail(f.group, a, WHY_ANSWER_CLOSED, 62000));
    assert_true(member_fail(f.group, a, WHY_ANSWER_CLOSED, 62000));
    assert_false(member_is_up(f.group, a, 62000));
    assert_false(a->peer->is_dead); /* it was reached */
    assert_false(member_fail(f.group, a, WHY_CONNECT_REFUSED, 62001));
    assert_true(a->peer->is_dead);
    fixture_fini(&f);
}

static void test_failures_make_lighter(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 4)->max_fails = 2;
    fixture_server(&f, 4);
    fixture_begin(&f, 1);
    assert_false(member_fail(f.group, &f.group->members[0], WHY_ANSWER_CLOSED, 1000));
    /* Effective weight 2, growing to 4: currents 2/4, 5/3, 1/7, 5/3 */
    assert_string_equal(fixture_letters(&f, 0, 6, 1001), "bababa");
    fixture_fini(&f);
}

static void test_own_shortage_does_not_count(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 2, 1);
    struct member *a = &f.group->members[0];
    static const enum why ours[] = {WHY_NO_DESCRIPTOR, WHY_NO_MEMORY, WHY_NO_PORT, WHY_CLIENT_CLOSED};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_false(member_fail(f.group, a, ours[i], 1000));
    assert_int_equal(a->peer->fails, 0);
    assert_int_equal(a->peer->failures, 0);
    fixture_fini(&f);
}

static void test_max_fails_0_is_never_set_aside(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 1)->max_fails = 0;
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    for (int i = 0; i < 5; i++)
        assert_false(member_fail(f.group, &f.group->members[0], WHY_CONNECT_REFUSED, 1000));
    assert_string_equal(fixture_letters(&f, 0, 4, 1001), "abab");
    fixture_fini(&f);
}

static void test_sole_member_is_never_set_aside(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 1, 1);
    struct member *a = &f.group->members[0];
    for (int i = 0; i < 5; i++)
        assert_false(member_fail(f.group, a, WHY_CONNECT_REFUSED, 1000));
    assert_string_equal(fixture_letters(&f, 0, 3, 1001), "aaa");
    assert_true(member_is_up(f.group, a, 1001));
    assert_null(group_pick(f.group, &f.pick, 1001)); /* but never twice for one request */
    fixture_fini(&f);
}

static void test_backups_only_in_need(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 1)->is_backup = true; /* written first, comes last */
    fixture_server(&f, 1);
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    assert_int_equal(f.group->primaries, 2);
    assert_true(f.group->members[2].is_backup);
    assert_string_equal(fixture_letters(&f, 0, 4, 1000), "abab");
    member_fail(f.group, &f.group->members[0], WHY_CONNECT_REFUSED, 1000);
    assert_string_equal(fixture_letters(&f, 0, 3, 1001), "bbb");
    member_fail(f.group, &f.group->members[1], WHY_CONNECT_REFUSED, 1000);
    assert_string_equal(fixture_letters(&f, 0, 3, 1001), "ccc");
    member_fail(f.group, &f.group->members[2], WHY_CONNECT_REFUSED, 1000);
    assert_string_equal(fixture_letters(&f, 0, 3, 1001), "---");
    fixture_fini(&f);
}

static void test_down_and_full_are_passed_over(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 1)->is_down = true;
    fixture_server(&f, 1)->max_connections = 2;
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    assert_string_equal(fixture_letters(&f, 0, 4, 1000), "bcbc");
    f.group->members[1].peer->active = 2;
    assert_string_equal(fixture_letters(&f, 0, 4, 1000), "cccc");
    assert_true(member_is_up(f.group, &f.group->members[1], 1000)); /* its sessions still reach it */
    f.group->members[1].peer->active = 1;
    assert_non_null(strchr(fixture_letters(&f, 0, 4, 1000), 'b'));
    fixture_fini(&f);
}

static void test_least_conn(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_LEAST_CONN);
    fixture_server(&f, 1);
    fixture_server(&f, 2);
    fixture_server(&f, 1);
    fixture_begin(&f, 1);
    struct member *members = f.group->members;
    members[0].peer->active = 1;
    members[1].peer->active = 3;
    members[2].peer->active = 2;
    assert_string_equal(fixture_letters(&f, 0, 2, 0), "aa");
    members[0].peer->active = 2; /* 2/1, 3/2, 2/1 */
    assert_string_equal(fixture_letters(&f, 0, 2, 0), "bb");
    members[1].peer->active = 4; /* all equal: smooth weighted round robin */
    assert_string_equal(fixture_letters(&f, 0, 8, 0), "bacbbacb");
    fixture_fini(&f);
}

static void test_least_conn_fills_by_weight(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_LEAST_CONN);
    fixture_server(&f, 3);
    fixture_server(&f, 2);
    fixture_server(&f, 1);
    fixture_begin(&f, 2);
    for (unsigned i = 0; i < 600; i++)
        fixture_pick(&f, i % 2, 0)->peer->active++;
    assert_int_equal(f.group->members[0].peer->active, 300);
    assert_int_equal(f.group->members[1].peer->active, 200);
    assert_int_equal(f.group->members[2].peer->active, 100);
    fixture_fini(&f);
}

static void test_peers_live_over_a_reload(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 3, 1);
    struct group *before = f.group;
    group_enter(before);
    struct peer *a = before->members[0].peer, *b = before->members[1].peer;
    member_fail(before, &before->members[1], WHY_CONNECT_REFUSED, 1000);
    f.upstream.servers.items++; /* the first is taken out */
    f.upstream.servers.count--;
    fixture_begin(&f, 1);
    assert_ptr_equal(f.group->members[0].peer, b);
    assert_false(member_is_up(f.group, &f.group->members[0], 1001));
    assert_null(group_find(f.group, a));
    assert_ptr_equal(group_find(f.group, b), &f.group->members[0]);
    assert_false(peer_is_gone(a));
    group_enter(f.group);
    group_leave(before);
    assert_true(peer_is_gone(a));
    assert_false(peer_is_gone(b));
    group_enter(before);
    group_leave(f.group); /* and back */
    assert_false(peer_is_gone(a));
    group_leave(before);
    assert_true(peer_is_gone(a) && peer_is_gone(b));
    group_free(before);
    fixture_fini(&f);
}

/* A reload leaves only the one that has just died: it is tried, and its first answer brings it back to life. */
static void test_dead_becomes_sole(void **state) {
    (void)state;
    struct fixture f;
    fixture_begin_equal(&f, 2, 1);
    struct group *before = f.group;
    assert_true(member_fail(before, &before->members[0], WHY_CONNECT_REFUSED, 1000));
    f.upstream.servers.count = 1;
    fixture_begin(&f, 1);
    struct member *a = fixture_pick(&f, 0, 1001);
    assert_ptr_equal(a, &f.group->members[0]);
    member_succeed(a, 1002);
    assert_false(a->peer->is_dead);
    group_free(before);
    fixture_fini(&f);
}

static void test_registry_lets_go(void **state) {
    (void)state;
    struct registry *registry = registry_new(4);
    struct address address;
    struct peer *kept = NULL;
    for (unsigned i = 0; i < 5000; i++) {
        assert_true(address_parse(STR("127.0.0.1"), (uint16_t)(1000 + i), &address));
        struct peer *peer = registry_peer(registry, STR("x"), &address, 0);
        assert_int_equal(peer->references, 2);
        if (i == 100)
            kept = peer;
        else
            peer_drop(peer);
    }
    assert_true(address_parse(STR("127.0.0.1"), 1100, &address));
    struct peer *again = registry_peer(registry, STR("x"), &address, 0);
    assert_ptr_equal(again, kept);
    struct peer *other = registry_peer(registry, STR("y"), &address, 0);
    assert_ptr_not_equal(other, kept);
    assert_string_equal(other->name, "127.0.0.1:1100");
    peer_drop(again);
    registry_free(registry);
    assert_string_equal(kept->upstream, "x"); /* outlives the registry */
    peer_drop(kept);
    peer_drop(other);
    peer_drop(NULL);
}

static void test_errors_are_said(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_ROUND_ROBIN);
    fixture_server(&f, 1)->is_backup = true;
    assert_null(group_new(&f.upstream, f.registry, 1, &f.diagnostics));
    assert_int_equal(f.diagnostics.errors, 1); /* no servers */
    char path[200];                            /* longer than a socket's path may be: no resolver is asked */
    memset(path, 'x', sizeof path);
    for (int i = 0; i < 2; i++) {
        struct upstream_server *server = fixture_server(&f, 1);
        server->is_unix = true;
        server->host = str_make(path, sizeof path);
    }
    assert_null(group_new(&f.upstream, f.registry, 1, &f.diagnostics));
    assert_int_equal(f.diagnostics.errors, 3); /* both are said */
    assert_true(str_eq(f.diagnostics.list.items[1].text, STR("host not found in upstream \"127.0.0.1:3002\"")));
    fixture_fini(&f);
}

static void test_no_memory_anywhere(void **state) {
    (void)state;
    static const enum balance methods[] = {BALANCE_ROUND_ROBIN, BALANCE_HASH_CONSISTENT};
    for (size_t m = 0; m < 2; m++) {
        struct fixture f;
        fixture_init(&f, methods[m]);
        for (int i = 0; i < 3; i++)
            fixture_server(&f, 1);
        for (uint64_t after = 0; !f.group; after++) {
            assert_true(after < 100);
            struct registry *registry = registry_new(4);
            mem_fail_after(after);
            f.group = group_new(&f.upstream, registry, 2, &f.diagnostics);
            mem_fail_never();
            registry_free(registry);
        }
        fixture_fini(&f);
    }
}

/* ---- threads, each a loop ---- */

enum { THREADS = 8, REQUESTS = 20000 };

struct loop_thread {
    pthread_t thread;
    struct fixture *fixture;
    unsigned loop;
    unsigned let_in; /* times that the set-aside member was given */
};

/* The last member always fails, the others always answer. A "millisecond" is a hundred requests. */
static void *loop_run(void *context) {
    struct loop_thread *thread = context;
    struct group *group = thread->fixture->group;
    struct member *bad = &group->members[group->count - 1];
    for (unsigned i = 0; i < REQUESTS; i++) {
        uint64_t now_ms = 1000000 + i / 100;
        struct pick pick = {.loop = thread->loop};
        for (struct member *member; (member = group_pick(group, &pick, now_ms)) != bad;) {
            if (member) {
                atomic_fetch_add(&member->peer->active, 1);
                member_succeed(member, now_ms);
                atomic_fetch_sub(&member->peer->active, 1);
            }
            if (!member || !group_has_other(group, &pick, now_ms))
                break;
        }
        if (pick.tried[0] >> (group->count - 1) & 1) {
            thread->let_in++;
            member_fail(group, bad, WHY_CONNECT_REFUSED, now_ms);
        }
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct fixture f;
    fixture_init(&f, BALANCE_LEAST_CONN);
    for (unsigned i = 0; i < 5; i++)
        fixture_server(&f, 1 + i);
    f.servers[4].fail_timeout_ms = 1000000; /* longer than the test */
    fixture_begin(&f, THREADS);
    struct member *bad = &f.group->members[4];
    assert_true(member_fail(f.group, bad, WHY_CONNECT_REFUSED, 1));
    struct loop_thread threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = (struct loop_thread){.fixture = &f, .loop = i};
        assert_int_equal(pthread_create(&threads[i].thread, NULL, loop_run, &threads[i]), 0);
    }
    unsigned let_in = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        let_in += threads[i].let_in;
    }
    assert_int_equal(let_in, 1); /* its window passed at 1,000,002 */
    assert_int_equal(bad->peer->epoch, 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(f.group->members[i].peer->fails, 0);
    fixture_fini(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smooth_sequence),
        cmocka_unit_test(test_equal_weights_take_turns),
        cmocka_unit_test(test_loops_begin_apart),
        cmocka_unit_test(test_weights_are_exact_over_a_period),
        cmocka_unit_test(test_retry_gives_nobody_twice),
        cmocka_unit_test(test_set_aside_and_let_in_once),
        cmocka_unit_test(test_late_answer_does_not_end_the_window),
        cmocka_unit_test(test_fails_are_counted_in_a_window),
        cmocka_unit_test(test_failures_make_lighter),
        cmocka_unit_test(test_own_shortage_does_not_count),
        cmocka_unit_test(test_max_fails_0_is_never_set_aside),
        cmocka_unit_test(test_sole_member_is_never_set_aside),
        cmocka_unit_test(test_backups_only_in_need),
        cmocka_unit_test(test_down_and_full_are_passed_over),
        cmocka_unit_test(test_least_conn),
        cmocka_unit_test(test_least_conn_fills_by_weight),
        cmocka_unit_test(test_peers_live_over_a_reload),
        cmocka_unit_test(test_dead_becomes_sole),
        cmocka_unit_test(test_registry_lets_go),
        cmocka_unit_test(test_errors_are_said),
        cmocka_unit_test(test_no_memory_anywhere),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
