#include "../unit.h"

#include "base/mem.h"
#include "proxy/flow/spool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/hawser-unit-XXXXXX";
static char temp[64];
static struct temp_path path;
static struct loop loop;
static struct duct_pool *pool;
static size_t total;

static int setup(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(temp, sizeof temp, "%s/temp", folder);
    path = (struct temp_path){.directory = str_of(temp), .levels = {1, 2}};
    if (loop_init(&loop) < 0)
        return -1;
    pool = duct_pool_new(&loop);
    return pool ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    char command[128];
    duct_pool_free(pool);
    loop_fini(&loop);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct spool make(size_t memory_bytes, uint64_t file_bytes) {
    struct spool spool;
    const struct spool_limits limits = {memory_bytes, file_bytes, &path, false};
    spool_init(&spool, &limits, &total);
    return spool;
}

static void add(struct spool *spool, const char *text) {
    struct iovec parts[2] = {{(void *)(uintptr_t)text, 1}, {(void *)(uintptr_t)(text + 1), strlen(text) - 1}};
    assert_int_equal(spool_add(spool, parts, 2), 0);
}

static void ready(struct duct *duct) {
    (void)duct;
}

/* What comes out of the other end when all is sent in steps of `step`. */
static const char *sent(struct spool *spool, uint64_t step) {
    static char got[256];
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    struct duct *duct = duct_new(pool, ends[0], ready, NULL);
    assert_non_null(duct);
    while (spool_left(spool))
        assert_true(spool_send(spool, duct, step) > 0);
    ssize_t len = read(ends[1], got, sizeof got - 1);
    assert_true(len > 0);
    got[len] = '\0';
    duct_close(duct);
    loop_turn(&loop, 0);
    close(ends[1]);
    return got;
}

static void test_memory(void **state) {
    (void)state;
    struct spool spool = make(100, 0);
    assert_int_equal(spool_left(&spool), 0);
    assert_int_equal(spool_text(&spool).len, 0);
    add(&spool, "hello ");
    add(&spool, "world");
    assert_true(total >= 11);
    assert_true(str_eq(spool_text(&spool), STR("hello world")));
    assert_string_equal(sent(&spool, 3), "hello world");
    assert_int_equal(spool_left(&spool), 0);
    spool_rewind(&spool);
    assert_string_equal(sent(&spool, 100), "hello world");
    spool_shift(&spool);
    assert_int_equal(total, 0);
    add(&spool, "anew");
    assert_string_equal(sent(&spool, 100), "anew");
    spool_fini(&spool);
    assert_int_equal(total, 0);
}

/* Without a file the limit is looked at before something is added: what is there already is never lost. */
static void test_room(void **state) {
    (void)state;
    struct spool spool = make(8, 0);
    assert_true(spool_has_room(&spool));
    add(&spool, "0123456");
    assert_true(spool_has_room(&spool));
    add(&spool, "789");
    assert_false(spool_has_room(&spool));
    assert_string_equal(sent(&spool, 4), "0123456789");
    assert_true(spool_has_room(&spool));
    spool_fini(&spool);
}

static void test_file(void **state) {
    (void)state;
    struct spool spool = make(8, 20);
    add(&spool, "0123456");
    assert_int_equal(spool.file, -1);
    add(&spool, "789");
    assert_true(spool.file >= 0);
    assert_int_equal(total, 0); /* all of it is in the file */
    assert_int_equal(spool_text(&spool).len, 0);
    assert_true(spool_has_room(&spool));
    add(&spool, "abcdefghij");
    assert_false(spool_has_room(&spool));
    assert_string_equal(sent(&spool, 7), "0123456789abcdefghij");
    spool_rewind(&spool);
    assert_string_equal(sent(&spool, 100), "0123456789abcdefghij");
    spool_shift(&spool);
    assert_true(spool_has_room(&spool));
    add(&spool, "more");
    assert_string_equal(sent(&spool, 100), "more");
    struct stat found;
    assert_int_equal(fstat(spool.file, &found), 0);
    assert_int_equal(found.st_size, 4);
    assert_int_equal(found.st_nlink, 0); /* it has no name */
    spool_fini(&spool);
}

/* What was half sent goes to the file with what is left of it. */
static void test_file_of_the_rest(void **state) {
    (void)state;
    struct spool spool = make(8, 100);
    add(&spool, "01234567");
    spool.at = 5;
    add(&spool, "89");
    assert_string_equal(sent(&spool, 2), "56789");
    spool_fini(&spool);
}

/* A stream stays in memory while what is left of it fits there. */
static void test_stream(void **state) {
    (void)state;
    struct spool spool = make(5000, 10000);
    spool.limits.is_stream = true;
    for (int i = 0; i < 3000; i++) {
        add(&spool, "0123456789");
        if (i < 10)
            continue;
        spool.at += 10; /* sent */
        spool_shift(&spool);
    }
    assert_int_equal(spool.file, -1);
    assert_int_equal(spool_left(&spool), 100);
    assert_true(total <= 5000);
    spool_fini(&spool);
    assert_int_equal(total, 0);
}

static void test_name(void **state) {
    (void)state;
    struct arena_pool arenas;
    struct arena arena;
    unsigned number;
    arena_pool_init(&arenas, 0, 1 << 20);
    arena_init(&arena, &arenas);
    struct spool spool = make(100, UINT64_MAX);
    assert_int_equal(spool_open_named(&spool, &arena), 0);
    add(&spool, "named");
    assert_int_equal(strncmp(spool.name, temp, strlen(temp)), 0);
    const char *rest = spool.name + strlen(temp);
    assert_int_equal(strlen(rest), 1 + 1 + 1 + 2 + 1 + 10);
    assert_int_equal(rest[1], rest[strlen(rest) - 1]);
    assert_int_equal(sscanf(rest + 3, "%2u/", &number), 1);
    struct stat found;
    assert_int_equal(stat(spool.name, &found), 0);
    assert_int_equal(found.st_size, 5);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_string_equal(sent(&spool, 100), "named");
    spool_fini(&spool);
    arena_fini(&arena);
    arena_pool_fini(&arenas);
}

static void test_no_directory(void **state) {
    (void)state;
    static const char text[] = "0123456789";
    struct iovec part = {(void *)(uintptr_t)text, 10};
    struct temp_path nowhere = {.directory = STR("/nonexistent/deep/down")};
    const struct spool_limits limits = {8, 100, &nowhere, false};
    struct spool spool;
    spool_init(&spool, &limits, &total);
    assert_int_equal(spool_add(&spool, &part, 1), -ENOENT);
    spool_fini(&spool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),           cmocka_unit_test(test_room),   cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_of_the_rest), cmocka_unit_test(test_stream), cmocka_unit_test(test_name),
        cmocka_unit_test(test_no_directory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
