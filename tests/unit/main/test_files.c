#include "../unit.h"

#include "main/disk.h"
#include "main/pid_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct arena_pool pool;
    struct arena arena;
    char directory[64], path[128];
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.directory = "/tmp/hawser-test-XXXXXX"};
    arena_pool_init(&f.pool, 0, 16 << 20);
    arena_init(&f.arena, &f.pool);
    *state = &f;
    return mkdtemp(f.directory) ? 0 : -1;
}

static const char *path(struct fixture *f, const char *name) {
    snprintf(f->path, sizeof f->path, "%s/%s", f->directory, name);
    return f->path;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"a.conf", "b.conf", "c.txt", "pid"};
    for (size_t i = 0; i < 4; i++)
        unlink(path(f, names[i]));
    arena_fini(&f->arena);
    arena_pool_fini(&f->pool);
    return rmdir(f->directory);
}

static void file_write(const char *name, size_t size) {
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        fputc('a' + (int)(i % 26), file);
    fclose(file);
}

static void files_of_any_size_are_read_whole(void **state) {
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct str contents = STR("");
        const char *reason = NULL;
        file_write(path(f, "a.conf"), sizes[i]);
        assert_true(disk_read(NULL, &f->arena, str_of(f->path), &contents, &reason));
        assert_int_equal(contents.len, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k += 997)
            assert_int_equal(contents.ptr[k], 'a' + (int)(k % 26));
    }
}

static void what_cannot_be_read_says_why(void **state) {
    struct fixture *f = *state;
    struct str contents;
    const char *reason = NULL;
    assert_false(disk_read(NULL, &f->arena, str_of(path(f, "none")), &contents, &reason));
    assert_string_equal(reason, "2: No such file or directory");
    assert_false(disk_read(NULL, &f->arena, str_of(f->directory), &contents, &reason));
    assert_string_equal(reason, "21: Is a directory");
}

static void patterns_give_sorted_paths(void **state) {
    struct fixture *f = *state;
    struct str *paths;
    size_t count;
    file_write(path(f, "b.conf"), 1);
    file_write(path(f, "a.conf"), 1);
    file_write(path(f, "c.txt"), 1);
    assert_true(disk_glob(NULL, &f->arena, str_of(path(f, "*.conf")), &paths, &count));
    assert_int_equal(count, 2);
    assert_string_equal(paths[0].ptr, path(f, "a.conf"));
    assert_string_equal(paths[1].ptr, path(f, "b.conf"));
    assert_true(disk_glob(NULL, &f->arena, str_of(path(f, "*.none")), &paths, &count));
    assert_int_equal(count, 0);
}

static void pid_files_hold_a_number(void **state) {
    struct fixture *f = *state;
    const char *pid = path(f, "pid");
    assert_int_equal(pid_file_read(pid), -ENOENT);
    assert_int_equal(pid_file_write(pid, 4711), 0);
    assert_int_equal(pid_file_read(pid), 4711);
    assert_int_equal(pid_file_write(pid, 5), 0);
    assert_int_equal(pid_file_read(pid), 5);
    file_write(pid, 10);
    assert_int_equal(pid_file_read(pid), -EINVAL);
    file_write(pid, 0);
    assert_int_equal(pid_file_read(pid), -EINVAL);
    assert_int_equal(pid_file_write(f->directory, 1), -EISDIR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_of_any_size_are_read_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(patterns_give_sorted_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(pid_files_hold_a_number, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
