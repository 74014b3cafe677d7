#include "../unit.h"

#include "base/mem.h"
#include "upstream/sid.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct world {
    struct registry *registry;
    struct peer *peers[3]; /* the first two of upstream "a", the third of "b" */
    struct sid_table *table;
};

static void world_init(struct world *w, size_t max_entries) {
    w->registry = registry_new(4);
    w->table = sid_table_new(max_entries, false);
    assert_true(w->registry && w->table);
    for (uint16_t i = 0; i < 3; i++) {
        struct address address;
        assert_true(address_parse(STR("127.0.0.1"), (uint16_t)(3001 + i), &address));
        w->peers[i] = registry_peer(w->registry, i < 2 ? STR("a") : STR("b"), &address, 0);
        assert_non_null(w->peers[i]);
    }
}

static void world_fini(struct world *w) {
    sid_table_drop(w->table);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(w->peers[i]->references, 2); /* nothing holds one but we and the registry */
        peer_drop(w->peers[i]);
    }
    registry_free(w->registry);
}

/* Finds and lets go: the verdict, and the number of the peer or -1. */
static enum sid_verdict look(struct world *w, struct str sid, uint64_t now_ms, int *which) {
    struct sid *entry;
    struct peer *peer;
    enum sid_verdict verdict = sid_find(w->table, w->peers[0]->upstream_hash, sid, now_ms, &entry, &peer);
    *which = -1;
    for (int i = 0; i < 3; i++)
        if (peer == w->peers[i])
            *which = i;
    assert_true((verdict == SID_HERE) == (peer != NULL));
    assert_true((verdict == SID_UNKNOWN) == (entry == NULL));
    if (entry)
        sid_unpin(w->table, entry, now_ms);
    peer_drop(peer);
    return verdict;
}

static struct str number_sid(unsigned number, char memory[32]) {
    int len = snprintf(memory, 32, "Xk3_session-%08u", number);
    return str_make(memory, (size_t)len);
}

static void test_learn_and_find(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    int which;
    assert_int_equal(look(&w, STR("abc"), 0, &which), SID_UNKNOWN);
    assert_true(sid_learn(w.table, STR("abc"), w.peers[1], 1000, 0));
    assert_true(sid_learn(w.table, STR("abcd"), w.peers[0], 1000, 0));
    assert_int_equal(look(&w, STR("abc"), 5, &which), SID_HERE);
    assert_int_equal(which, 1);
    assert_int_equal(look(&w, STR("ab"), 5, &which), SID_UNKNOWN);
    assert_true(sid_learn(w.table, STR("abc"), w.peers[0], 1000, 6)); /* moved */
    assert_int_equal(look(&w, STR("abc"), 7, &which), SID_HERE);
    assert_int_equal(which, 0);
    assert_int_equal(sid_count(w.table), 2);
    assert_false(sid_learn(w.table, STR(""), w.peers[0], 1000, 6));
    world_fini(&w);
}

static void test_upstreams_are_namespaces(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    int which;
    assert_true(sid_learn(w.table, STR("abc"), w.peers[2], 1000, 0));
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_UNKNOWN);
    assert_true(sid_learn(w.table, STR("abc"), w.peers[1], 1000, 0));
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_HERE);
    assert_int_equal(which, 1);
    assert_int_equal(sid_count(w.table), 2);
    world_fini(&w);
}

static void test_long_sids(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    char text[600];
    int which;
    memset(text, 'z', sizeof text);
    for (size_t len = 1; len <= 512; len++)
        assert_true(sid_learn(w.table, str_make(text, len), w.peers[len % 2], 1000, 0));
    for (size_t len = 1; len <= 512; len++) {
        assert_int_equal(look(&w, str_make(text, len), 1, &which), SID_HERE);
        assert_int_equal(which, len % 2);
    }
    assert_false(sid_learn(w.table, str_make(text, 513), w.peers[0], 1000, 0));
    assert_int_equal(look(&w, str_make(text, 513), 1, &which), SID_UNKNOWN);
    world_fini(&w);
}

static void test_forgotten_with_the_last_pin(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    struct sid *one, *two;
    struct peer *peer;
    int which;
    sid_learn(w.table, STR("abc"), w.peers[0], 1000, 0);
    assert_int_equal(sid_find(w.table, w.peers[0]->upstream_hash, STR("abc"), 1, &one, &peer), SID_HERE);
    peer_drop(peer);
    assert_int_equal(sid_find(w.table, w.peers[0]->upstream_hash, STR("abc"), 1, &two, &peer), SID_HERE);
    peer_drop(peer);
    sid_forget(w.table, one);
    sid_unpin(w.table, one, 2);
    assert_int_equal(sid_count(w.table), 1);
    sid_unpin(w.table, two, 2);
    assert_int_equal(sid_count(w.table), 0);
    assert_int_equal(look(&w, STR("abc"), 3, &which), SID_UNKNOWN);
    /* Learned anew while pinned: it stays. */
    sid_learn(w.table, STR("abc"), w.peers[0], 1000, 4);
    sid_find(w.table, w.peers[0]->upstream_hash, STR("abc"), 4, &one, &peer);
    peer_drop(peer);
    sid_forget(w.table, one);
    sid_learn(w.table, STR("abc"), w.peers[1], 1000, 4);
    sid_unpin(w.table, one, 5);
    assert_int_equal(look(&w, STR("abc"), 6, &which), SID_HERE);
    assert_int_equal(which, 1);
    world_fini(&w);
}

static void test_lost(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    int which;
    sid_learn(w.table, STR("abc"), w.peers[0], 1000, 0);
    w.peers[0]->is_dead = true;
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_LOST);
    w.peers[0]->is_dead = false;
    w.peers[0]->was_named = true;
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_LOST);
    w.peers[0]->was_named = false;
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_HERE);
    w.peers[0]->epoch++;
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_LOST);
    sid_learn(w.table, STR("abc"), w.peers[0], 1000, 1); /* the node gave the same again */
    assert_int_equal(look(&w, STR("abc"), 1, &which), SID_HERE);
    world_fini(&w);
}

static void sweep(struct world *w, uint64_t now_ms) {
    for (unsigned loop = 0; loop < 3; loop++)
        sid_sweep(w->table, loop, 3, now_ms);
}

static void test_idle_expiry(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 100000);
    int which;
    struct sid *entry;
    struct peer *peer;
    sid_learn(w.table, STR("long"), w.peers[0], 85000, 0);
    sid_learn(w.table, STR("short"), w.peers[0], 1000, 0);
    sid_learn(w.table, STR("pinned"), w.peers[0], 1000, 0);
    sid_find(w.table, w.peers[0]->upstream_hash, STR("pinned"), 0, &entry, &peer);
    peer_drop(peer);
    sweep(&w, 1000);
    assert_int_equal(sid_count(w.table), 3);
    assert_int_equal(look(&w, STR("short"), 900, &which), SID_HERE); /* and so lives on */
    sweep(&w, 1900);
    assert_int_equal(sid_count(w.table), 3);
    sweep(&w, 1901);
    assert_int_equal(sid_count(w.table), 2);
    sweep(&w, 86000);
    assert_int_equal(sid_count(w.table), 1); /* the pinned one */
    sid_unpin(w.table, entry, 86000);
    assert_int_equal(look(&w, STR("pinned"), 87001, &which), SID_UNKNOWN); /* unswept, but too old */
    assert_int_equal(sid_count(w.table), 0);
    world_fini(&w);
}

/* A session that has ended is known a while longer, for the poll that its close packet overtook. */
static void test_ended_lingers(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000);
    struct sid *entry;
    struct peer *peer;
    int which;
    sid_learn(w.table, STR("abc"), w.peers[0], 45000, 0);
    sid_find(w.table, w.peers[0]->upstream_hash, STR("abc"), 0, &entry, &peer);
    peer_drop(peer);
    sid_end(w.table, entry);
    sid_unpin(w.table, entry, 1);
    assert_int_equal(look(&w, STR("abc"), SID_LINGER_MS, &which), SID_HERE); /* which lets it linger anew */
    sweep(&w, 2 * SID_LINGER_MS);
    assert_int_equal(sid_count(w.table), 1);
    sweep(&w, 2 * SID_LINGER_MS + 2);
    assert_int_equal(sid_count(w.table), 0);
    world_fini(&w);
}

static void test_sweep_is_bounded_and_ends(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 100000);
    char memory[32];
    for (unsigned i = 0; i < 50000; i++)
        assert_true(sid_learn(w.table, number_sid(i, memory), w.peers[i % 2], 1000, 0));
    size_t before = sid_count(w.table);
    assert_int_equal(before, 50000);
    for (int calls = 0; sid_count(w.table); calls++) {
        assert_true(calls < 100);
        sweep(&w, 2000);
        assert_true(before - sid_count(w.table) <= 256 * 32);
        before = sid_count(w.table);
    }
    world_fini(&w);
}

static void test_longest_idle_makes_room(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 64);
    char memory[32];
    int which;
    struct sid *entry;
    struct peer *peer;
    for (unsigned i = 0; i < 64; i++)
        sid_learn(w.table, number_sid(i, memory), w.peers[0], 100000, i);
    sid_find(w.table, w.peers[0]->upstream_hash, number_sid(0, memory), 70, &entry, &peer);
    peer_drop(peer);
    look(&w, number_sid(1, memory), 71, &which); /* now the youngest */
    for (unsigned i = 64; i < 126; i++)
        assert_true(sid_learn(w.table, number_sid(i, memory), w.peers[0], 100000, i + 10));
    assert_int_equal(sid_count(w.table), 64);
    assert_int_equal(look(&w, number_sid(0, memory), 200, &which), SID_HERE);
    assert_int_equal(look(&w, number_sid(1, memory), 200, &which), SID_HERE);
    assert_int_equal(look(&w, number_sid(2, memory), 200, &which), SID_UNKNOWN);
    assert_int_equal(look(&w, number_sid(63, memory), 200, &which), SID_UNKNOWN);
    assert_int_equal(look(&w, number_sid(64, memory), 200, &which), SID_HERE);
    sid_unpin(w.table, entry, 300);
    world_fini(&w);
}

static void test_exact_forgets_the_longest_idle_of_all(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1);
    sid_table_drop(w.table);
    w.table = sid_table_new(1000, true);
    char memory[32];
    int which;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(sid_learn(w.table, number_sid(i, memory), w.peers[0], 10000, i), SID_LEARNED);
    for (unsigned i = 1000; i < 1500; i++)
        assert_int_equal(sid_learn(w.table, number_sid(i, memory), w.peers[0], 10000, i),
                         SID_LEARNED_FOR_ANOTHER);
    assert_int_equal(sid_count(w.table), 1000);
    assert_int_equal(look(&w, number_sid(499, memory), 1500, &which), SID_UNKNOWN);
    assert_int_equal(look(&w, number_sid(500, memory), 1500, &which), SID_HERE);
    /* One whose time is over is not forgotten for another. */
    assert_int_equal(sid_learn(w.table, number_sid(1, memory), w.peers[0], 10000, 10502), SID_LEARNED);
    sid_table_take(w.table);
    sid_table_drop(w.table);
    sweep(&w, 30000);
    assert_int_equal(sid_count(w.table), 0);
    world_fini(&w);
}

static void test_all_pinned_is_full(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct sid *entry;
    struct peer *peer;
    assert_true(sid_learn(w.table, STR("a"), w.peers[0], 1000, 0));
    sid_find(w.table, w.peers[0]->upstream_hash, STR("a"), 0, &entry, &peer);
    peer_drop(peer);
    assert_false(sid_learn(w.table, STR("b"), w.peers[0], 1000, 0));
    sid_unpin(w.table, entry, 0);
    assert_true(sid_learn(w.table, STR("b"), w.peers[0], 1000, 0));
    world_fini(&w);
}

static void test_no_memory(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 100000);
    char memory[32];
    int which;
    for (uint64_t after = 0; after < 3; after++) {
        mem_fail_after(after);
        bool is_known = sid_learn(w.table, STR("abc"), w.peers[0], 1000, 0);
        mem_fail_never();
        assert_int_equal(is_known, after == 2); /* buckets and entry */
    }
    mem_fail_after(0);
    assert_null(sid_table_new(10, false));
    mem_fail_never();
    /* Chains grow longer where buckets cannot. */
    for (unsigned i = 0; i < 20000; i++) {
        mem_fail_after(i % 3);
        sid_learn(w.table, number_sid(i, memory), w.peers[0], 1000, 0);
        mem_fail_never();
    }
    unsigned known = 0;
    for (unsigned i = 0; i < 20000; i++)
        known += look(&w, number_sid(i, memory), 1, &which) == SID_HERE;
    assert_int_equal(known + 1, sid_count(w.table));
    assert_true(known > 6000);
    world_fini(&w);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void test_memory_comes_back(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 1000000);
    char memory[32];
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 100000; i++)
        sid_learn(w.table, number_sid(i, memory), w.peers[0], 1000, 0);
    size_t full = mallinfo2().uordblks - before;
    print_message("%zu bytes a session\n", full / 100000);
    assert_true(full / 100000 <= 128);
    while (sid_count(w.table))
        sweep(&w, 2000);
    assert_int_equal(mallinfo2().uordblks, before);
    world_fini(&w);
}
#endif

/* ---- threads ---- */

enum { THREADS = 8, SESSIONS = 400, ROUNDS = 20000 };

struct hammer {
    pthread_t thread;
    struct world *world;
    unsigned seed, number;
    size_t here;
};

static unsigned next_random(struct hammer *hammer) {
    hammer->seed = hammer->seed * 1664525u + 1013904223u;
    return hammer->seed >> 8;
}

static void hammer_once(struct hammer *hammer, uint64_t now_ms) {
    struct world *w = hammer->world;
    char memory[32];
    struct str sid = number_sid(next_random(hammer) % SESSIONS, memory);
    struct sid *entry;
    struct peer *peer;
    enum sid_verdict verdict = sid_find(w->table, w->peers[0]->upstream_hash, sid, now_ms, &entry, &peer);
    if (verdict == SID_UNKNOWN) {
        sid_learn(w->table, sid, w->peers[next_random(hammer) % 2], 1 + next_random(hammer) % 50, now_ms);
        return;
    }
    hammer->here += verdict == SID_HERE;
    peer_drop(peer);
    if (next_random(hammer) % 10 == 0)
        sid_forget(w->table, entry);
    if (next_random(hammer) % 1000 == 0)
        atomic_fetch_add(&w->peers[0]->epoch, 1);
    sid_unpin(w->table, entry, now_ms);
}

static void *hammer_run(void *context) {
    struct hammer *hammer = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        hammer_once(hammer, round / 16);
        if (round % 512 == 0)
            sid_sweep(hammer->world->table, hammer->number, THREADS, round / 16);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct world w;
    world_init(&w, 300); /* less than there are sessions, so that some make room for others */
    struct hammer hammers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        hammers[i] = (struct hammer){.world = &w, .seed = i * 77 + 1, .number = i};
        assert_int_equal(pthread_create(&hammers[i].thread, NULL, hammer_run, &hammers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(hammers[i].thread, NULL);
        assert_true(hammers[i].here > 0);
    }
    assert_true(sid_count(w.table) <= 304);
    world_fini(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learn_and_find),
        cmocka_unit_test(test_ended_lingers),
        cmocka_unit_test(test_upstreams_are_namespaces),
        cmocka_unit_test(test_long_sids),
        cmocka_unit_test(test_forgotten_with_the_last_pin),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_idle_expiry),
        cmocka_unit_test(test_sweep_is_bounded_and_ends),
        cmocka_unit_test(test_longest_idle_makes_room),
        cmocka_unit_test(test_exact_forgets_the_longest_idle_of_all),
        cmocka_unit_test(test_all_pinned_is_full),
        cmocka_unit_test(test_no_memory),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(test_memory_comes_back),
#endif
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
