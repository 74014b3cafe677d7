#include "../unit.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/slab.h"

struct item {
    uint64_t number;
    struct list node;
    char rest[20];
};

static void objects_are_zeroed_apart_and_come_back(void **state) {
    enum { ITEMS = 3000 };
    static struct item *items[ITEMS];
    struct slab slab;
    uint64_t seed = 1;
    (void)state;
    slab_init(&slab, sizeof(struct item));
    for (unsigned step = 0; step < 60000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t i = (seed >> 33) % ITEMS;
        if (items[i]) {
            assert_int_equal(items[i]->number, i + 1);
            memset(items[i], 0xaa, sizeof *items[i]);
            slab_free(&slab, items[i]);
            items[i] = NULL;
            continue;
        }
        static const struct item zero;
        items[i] = slab_new(&slab);
        assert_non_null(items[i]);
        assert_int_equal((uintptr_t)items[i] % 16, 0);
        assert_memory_equal(items[i], &zero, sizeof zero);
        items[i]->number = i + 1;
    }
    size_t live = 0;
    for (size_t i = 0; i < ITEMS; i++)
        live += items[i] != NULL;
    assert_int_equal(slab.live, live);
    for (size_t i = 0; i < ITEMS; i++) {
        slab_free(&slab, items[i]);
        items[i] = NULL;
    }
    slab_free(&slab, NULL);
    assert_int_equal(slab.live, 0);
    slab_fini(&slab);
}

static void without_memory_there_is_none_and_then_there_is(void **state) {
    struct slab slab;
    void *items[2000];
    (void)state;
    for (uint64_t point = 0; point < 5; point++) {
        size_t count = 0;
        slab_init(&slab, 100);
        mem_fail_after(point);
        while (count < 1999 && (items[count] = slab_new(&slab)))
            count++;
        mem_fail_never();
        assert_int_equal(slab.live, count);
        items[count] = slab_new(&slab);
        assert_non_null(items[count++]);
        while (count)
            slab_free(&slab, items[--count]);
        slab_fini(&slab);
    }
}

#ifndef __SANITIZE_ADDRESS__
static void wave(struct slab *slab, bool needs_heap) {
    void *objects[650]; /* ten blocks */
    if (!needs_heap)
        mem_fail_after(0);
    for (size_t i = 0; i < 650; i++) {
        objects[i] = slab_new(slab);
        assert_non_null(objects[i]);
    }
    for (size_t i = 0; i < 650; i++)
        slab_free(slab, objects[i]);
    mem_fail_never();
}

static void a_wave_finds_the_memory_of_the_last_one(void **state) {
    struct slab slab;
    (void)state;
    slab_init(&slab, 1000);
    wave(&slab, true);
    for (int i = 0; i < 10; i++) {
        wave(&slab, false);
        slab_trim(&slab);
    }
    slab_fini(&slab);
}

static void what_no_wave_needed_is_given_back_but_for_a_block(void **state) {
    struct slab slab;
    (void)state;
    slab_init(&slab, 1000);
    wave(&slab, true);
    slab_trim(&slab); /* a moment ago all were in use */
    assert_int_equal(slab.empty_count, 11);
    void *one = slab_new(&slab);
    slab_free(&slab, one);
    slab_trim(&slab);
    assert_int_equal(slab.empty_count, 2);
    slab_trim(&slab);
    slab_trim(&slab);
    assert_int_equal(slab.empty_count, 1);
    slab_fini(&slab);
}
#endif

static void the_end_of_an_object_need_not_be_zeroed(void **state) {
    struct slab slab;
    (void)state;
    slab_init_partly(&slab, sizeof(struct item), offsetof(struct item, rest));
    for (int i = 0; i < 3; i++) {
        static const struct item zero;
        struct item *item = slab_new(&slab);
        assert_non_null(item);
        assert_memory_equal(item, &zero, offsetof(struct item, rest));
        memset(item, 0xaa, sizeof *item);
        slab_free(&slab, item);
    }
    slab_fini(&slab);
}

static unsigned number(struct list *node) {
    return (unsigned)LIST_OF(node, struct item, node)->number;
}

static void lists_keep_their_order(void **state) {
    struct list a, b;
    struct item items[6] = {0};
    unsigned sum = 0;
    (void)state;
    list_init(&a);
    list_init(&b);
    assert_null(list_shift(&a));
    for (unsigned i = 0; i < 6; i++) {
        items[i].number = i + 1;
        list_init(&items[i].node);
        list_append(i < 3 ? &a : &b, &items[i].node);
    }
    list_splice(&a, &b);
    assert_true(list_is_empty(&b));
    list_splice(&a, &b); /* of nothing */
    LIST_EACH (&a, at) {
        sum = sum * 10 + number(at);
        if (number(at) % 2 == 0)
            list_remove(at);
    }
    assert_int_equal(sum, 123456);
    list_remove(&items[1].node); /* twice is harmless */
    list_prepend(&a, &items[1].node);
    assert_int_equal(number(list_shift(&a)), 2);
    assert_int_equal(number(list_shift(&a)), 1);
    assert_int_equal(number(list_shift(&a)), 3);
    assert_int_equal(number(list_shift(&a)), 5);
    assert_true(list_is_empty(&a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_zeroed_apart_and_come_back),
        cmocka_unit_test(without_memory_there_is_none_and_then_there_is),
        cmocka_unit_test(the_end_of_an_object_need_not_be_zeroed),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(a_wave_finds_the_memory_of_the_last_one),
        cmocka_unit_test(what_no_wave_needed_is_given_back_but_for_a_block),
#endif
        cmocka_unit_test(lists_keep_their_order),
    };
    return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
