#include "../unit.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

#include <stdio.h>

static struct arena_pool pool;
static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_pool_init(&pool, 4, 1 << 20);
    arena_init(&arena, &pool);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    mem_fail_never();
    arena_fini(&arena);
    assert_int_equal(pool.bytes_out, 0);
    arena_pool_fini(&pool);
    return 0;
}

static void blocks_are_aligned_apart_and_writable(void **state) {
    enum { BLOCKS = 400 };
    static struct {
        unsigned char *at;
        size_t size;
    } blocks[BLOCKS];
    (void)state;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i].size = i * 37 % (i % 50 == 0 ? 9000 : 300);
        blocks[i].at = arena_alloc(&arena, blocks[i].size);
        assert_non_null(blocks[i].at);
        assert_int_equal((uintptr_t)blocks[i].at % 8, 0);
        memset(blocks[i].at, (int)(i & 255), blocks[i].size);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t j = 0; j < blocks[i].size; j++)
            assert_int_equal(blocks[i].at[j], i & 255);
}

static void nothing_asked_is_no_failure(void **state) {
    (void)state;
    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_zero(&arena, 0, 8));
    assert_non_null(arena_copy(&arena, STR("")).ptr);
}

static void impossible_sizes_are_refused(void **state) {
    (void)state;
    volatile size_t huge = SIZE_MAX;
    for (size_t less = 0; less < 20; less++) {
        assert_null(arena_alloc(&arena, huge - less));
        assert_null(arena_alloc(&arena, huge / 2 - less));
    }
    assert_null(arena_zero(&arena, huge / 2, 3));
    assert_null(arena_copy(&arena, str_make("", huge)).ptr);
    assert_non_null(arena_alloc(&arena, 8));
}

static void the_budget_holds(void **state) {
    size_t taken = 0;
    (void)state;
    while (arena_alloc(&arena, 1000))
        taken += 1000;
    assert_true(pool.bytes_out <= pool.max_bytes);
    assert_true(taken > pool.max_bytes * 9 / 10);
    assert_null(arena_alloc(&arena, pool.max_bytes));
    arena_fini(&arena);
    assert_int_equal(pool.bytes_out, 0);
    assert_int_equal(pool.spare_count, 4);
    assert_non_null(arena_alloc(&arena, 1000));
    assert_int_equal(pool.spare_count, 3);
}

static void spare_pages_cost_no_heap(void **state) {
    (void)state;
    assert_non_null(arena_alloc(&arena, 100));
    arena_fini(&arena);
    mem_fail_after(0);
    assert_non_null(arena_alloc(&arena, 100));
    assert_null(arena_alloc(&arena, 5000));
    assert_non_null(arena_alloc(&arena, 100)); /* the page in use goes on */
}

static void a_copy_ends_with_nul(void **state) {
    (void)state;
    struct str copy = arena_copy(&arena, STR("a\0b"));
    assert_str(copy, STR("a\0b"));
    assert_int_equal(copy.ptr[3], 0);
}

static void an_array_grows_zeroed(void **state) {
    VEC(uint64_t) numbers = {0};
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t *number = VEC_ADD(&numbers, &arena);
        assert_non_null(number);
        assert_int_equal(*number, 0);
        *number = i;
    }
    assert_int_equal(numbers.count, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i);
}

static struct str key(unsigned i) {
    static char memory[40];
    int len = snprintf(memory, sizeof memory, "Key-%u", i);
    return str_make(memory, (size_t)len);
}

static void a_map_holds_what_was_put(void **state) {
    static int values[2000];
    struct map map;
    (void)state;
    map_init(&map, &arena, false);
    assert_null(map_get(&map, STR("none")));
    for (unsigned i = 0; i < 2000; i++) {
        assert_null(map_get(&map, key(i)));
        assert_true(map_put(&map, arena_copy(&arena, key(i)), &values[i]));
    }
    for (unsigned i = 0; i < 2000; i++)
        assert_ptr_equal(map_get(&map, key(i)), &values[i]);
    assert_int_equal(map.count, 2000);
    assert_null(map_get(&map, STR("key-1")));
    assert_true(map_put(&map, STR("Key-1"), &values[7]));
    assert_ptr_equal(map_get(&map, STR("Key-1")), &values[7]);
    assert_int_equal(map.count, 2000);
}

static void a_map_may_fold_case(void **state) {
    struct map map;
    int value;
    (void)state;
    map_init(&map, &arena, true);
    assert_true(map_put(&map, STR("Content-Type"), &value));
    assert_ptr_equal(map_get(&map, STR("cONTENT-tYPE")), &value);
    assert_null(map_get(&map, STR("content_type")));
    assert_true(map_put(&map, STR(""), &value));
    assert_ptr_equal(map_get(&map, STR("")), &value);
}

/* Whatever allocation fails, what was there stays whole, and later all goes on. */
static void failing_everywhere_leaves_all_whole(void **state) {
    static int values[300];
    (void)state;
    for (uint64_t point = 0; point < 40; point++) {
        struct arena_pool small;
        struct arena own;
        struct map map;
        VEC(unsigned) numbers = {0};
        unsigned refused = 0;
        arena_pool_init(&small, 0, 1 << 20);
        arena_init(&own, &small);
        map_init(&map, &own, false);
        mem_fail_after(point);
        for (unsigned i = 0; i < 300; i++) {
            struct str name = arena_copy(&own, key(i));
            unsigned *number = name.ptr ? VEC_ADD(&numbers, &own) : NULL;
            if (number)
                *number = i;
            if (!number || !map_put(&map, name, &values[i])) {
                numbers.count -= number != NULL;
                refused++;
                mem_fail_never();
            }
        }
        mem_fail_never();
        assert_true(refused <= 1);
        assert_int_equal(map.count, 300 - refused);
        assert_int_equal(numbers.count, 300 - refused);
        for (size_t i = 0; i < numbers.count; i++)
            assert_ptr_equal(map_get(&map, key(numbers.items[i])), &values[numbers.items[i]]);
        arena_fini(&own);
        assert_int_equal(small.bytes_out, 0);
        arena_pool_fini(&small);
    }
}

/* Keys as they occur, with the low bits that a table uses: none may be far from its share. */
static void hashes_spread(void **state) {
    enum { KEYS = 65536, PLACES = 256 };
    (void)state;
    for (int nocase = 0; nocase < 2; nocase++) {
        for (unsigned shift = 0; shift <= 56; shift += 8) {
            static unsigned counts[PLACES];
            memset(counts, 0, sizeof counts);
            for (unsigned i = 0; i < KEYS; i++) {
                uint64_t hash = nocase ? hash_str_nocase(key(i), 5) : hash_str(key(i), 5);
                counts[hash >> shift & (PLACES - 1)]++;
            }
            double chi = 0, want = (double)KEYS / PLACES;
            for (unsigned i = 0; i < PLACES; i++)
                chi += (counts[i] - want) * (counts[i] - want) / want;
            assert_true(chi > 140 && chi < 400); /* 255 degrees of freedom: 255 +- 6 sigma */
        }
    }
}

static void each_bit_of_the_key_changes_half_the_hash(void **state) {
    char text[33] = "GZ9xQ0-abcdefghijklmnopqrstuv";
    (void)state;
    for (size_t len = 1; len <= 29; len++) {
        uint64_t before = hash_str(str_make(text, len), 1);
        int flips = 0;
        for (size_t bit = 0; bit < len * 8; bit++) {
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
            uint64_t change = before ^ hash_str(str_make(text, len), 1);
            assert_true(change != 0);
            flips += __builtin_popcountll(change);
            text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        }
        double mean = (double)flips / (double)(len * 8);
        assert_true(mean > 26 && mean < 38);
    }
}

static void hashes_are_keyed_and_fold_case_only_when_told(void **state) {
    (void)state;
    assert_true(hash_str(STR("abc"), 1) != hash_str(STR("abc"), 2));
    assert_true(hash_str(STR("a"), 1) != hash_str(STR("a\0"), 1));
    assert_true(hash_str(STR(""), 1) != hash_str(STR("\0"), 1));
    assert_true(hash_str(STR("Host"), 1) != hash_str(STR("host"), 1));
    assert_true(hash_str_nocase(STR("Host"), 1) == hash_str_nocase(STR("hOST"), 1));
    assert_true(hash_str_nocase(STR("@"), 1) != hash_str_nocase(STR("`"), 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blocks_are_aligned_apart_and_writable, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_asked_is_no_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_sizes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(the_budget_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(spare_pages_cost_no_heap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_ends_with_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(an_array_grows_zeroed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_map_holds_what_was_put, setup, teardown),
        cmocka_unit_test_setup_teardown(a_map_may_fold_case, setup, teardown),
        cmocka_unit_test(failing_everywhere_leaves_all_whole),
        cmocka_unit_test(hashes_spread),
        cmocka_unit_test(each_bit_of_the_key_changes_half_the_hash),
        cmocka_unit_test(hashes_are_keyed_and_fold_case_only_when_told),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
