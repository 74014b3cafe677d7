#include "../unit.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/hawser-unit-XXXXXX";
static char path[64], moved[64];

static uint64_t wall(void) {
    return 1795255200000u; /* a fixed moment; the zone is UTC below */
}

static int setup(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/log.1", folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    unlink(moved);
    return rmdir(folder);
}

static struct str content(const char *name) {
    static char bytes[20000];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, sizeof bytes);
    assert_true(len >= 0);
    close(fd);
    return str_make(bytes, (size_t)len);
}

static struct log_sink *open_fresh(void) {
    int error = 0;
    unlink(path);
    unlink(moved);
    struct log_sink *sink = log_sink_open(path, &error);
    assert_non_null(sink);
    return sink;
}

static void a_line_has_nginx_form_and_is_escaped(void **state) {
    char want[200];
    (void)state;
    struct log_sink *sink = open_fresh();
    struct log log = {.sink = sink, .level = LOG_INFO, .id = 3, .wall_ms = wall};
    log_line(&log, LOG_ERROR, "bad \"%s\" from %d", "a\nb\x1b\xff", 7);
    log_line(&log, LOG_DEBUG, "not wanted");
    snprintf(want, sizeof want, "2026/11/21 10:00:00 [error] %d#3: bad \"a\\x0Ab\\x1B\\xFF\" from 7\n",
             getpid());
    assert_str(content(path), str_of(want));
    log_sink_close(sink);
}

static void a_long_line_is_cut_and_still_one_line(void **state) {
    static char text[5000];
    (void)state;
    struct log_sink *sink = open_fresh();
    struct log log = {.sink = sink, .level = LOG_INFO, .wall_ms = wall};
    memset(text, '\n', sizeof text - 1);
    log_line(&log, LOG_ERROR, "%s", text);
    struct str got = content(path);
    assert_true(got.len > 1999 * 4 && got.len < 2000 * 4 + 100);
    assert_int_equal(str_find_char(got, '\n'), got.len - 1);
    log_sink_close(sink);
}

static void reopening_begins_a_new_file(void **state) {
    (void)state;
    struct log_sink *sink = open_fresh();
    log_sink_write(sink, STR("one\n"));
    assert_int_equal(rename(path, moved), 0);
    log_sink_write(sink, STR("two\n"));
    assert_int_equal(log_sink_reopen(sink), 0);
    log_sink_write(sink, STR("three\n"));
    assert_str(content(moved), STR("one\ntwo\n"));
    assert_str(content(path), STR("three\n"));
    log_sink_close(sink);
    sink = log_sink_open(path, &(int){0}); /* appends */
    log_sink_write(sink, STR("four\n"));
    assert_str(content(path), STR("three\nfour\n"));
    log_sink_close(sink);
}

static void a_failed_reopen_leaves_the_old_file(void **state) {
    (void)state;
    struct log_sink *sink = open_fresh();
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(log_sink_reopen(sink), -EISDIR);
    log_sink_write(sink, STR("still here\n"));
    assert_str(content(moved), STR("still here\n"));
    log_sink_close(sink);
    rmdir(path);
}

static void the_special_names(void **state) {
    int error = 0;
    (void)state;
    struct log_sink *off = log_sink_open("off", &error), *standard = log_sink_open("stderr", &error);
    assert_non_null(off);
    assert_non_null(standard);
    log_sink_write(off, STR("nothing\n"));
    assert_int_equal(log_sink_reopen(off), 0);
    assert_int_equal(log_sink_reopen(standard), 0);
    log_sink_close(off);
    log_sink_close(standard);
    log_sink_close(NULL);
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFD) >= 0, 1); /* not ours to close */
    assert_null(log_sink_open("/nonexistent/folder/log", &error));
    assert_int_equal(error, -ENOENT);
    mem_fail_after(0);
    assert_null(log_sink_open(path, &error));
    mem_fail_never();
    assert_int_equal(error, -ENOMEM);
}

static void a_pipe_that_nobody_reads_blocks_nobody(void **state) {
    static char line[4096];
    int error;
    (void)state;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct log_sink *sink = log_sink_open(path, &error);
    assert_non_null(sink);
    for (int i = 0; i < 1000; i++)
        log_sink_write(sink, str_make(line, sizeof line));
    struct log log = {.sink = log_sink_open(moved, &error), .level = LOG_INFO, .wall_ms = wall};
    log_tell_dropped(&log, sink, 1000);
    assert_true(str_find(content(moved), STR("failed (11: Resource temporarily unavailable)")) != STR_NONE);
    log_sink_close(log.sink);
    log_sink_close(sink);
    close(reader);
}

static void what_could_not_be_written_is_told_once_a_minute(void **state) {
    (void)state;
    int error;
    struct log_sink *full = log_sink_open("/dev/full", &error), *sink = open_fresh();
    struct log log = {.sink = sink, .level = LOG_INFO, .wall_ms = wall};
    assert_non_null(full);
    log_tell_dropped(&log, full, 1000);
    assert_int_equal(content(path).len, 0);
    for (int i = 0; i < 3; i++)
        log_sink_write(full, STR("a line\n"));
    log_tell_dropped(&log, full, 2000);
    struct str said = content(path);
    size_t len = said.len;
    assert_true(str_find(said, STR("[alert]")) != STR_NONE);
    assert_true(
        str_ends(said, STR("write() to \"/dev/full\" failed (28: No space left on device), 3 times\n")));
    log_sink_write(full, STR("a line\n"));
    log_tell_dropped(&log, full, 61000);
    assert_int_equal(content(path).len, len);
    log_tell_dropped(&log, full, 62000);
    said = content(path);
    assert_true(said.len > len && str_ends(said, STR("1 times\n")));
    log_tell_dropped(&log, full, 200000);
    assert_int_equal(content(path).len, said.len);
    log_sink_close(full);
    log_sink_close(sink);
}

/* The members of `from`, one behind the other. */
static struct str unpacked(struct str from) {
    static char out[20000];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)from.ptr, .avail_in = (unsigned)from.len};
    stream.next_out = (Bytef *)out;
    stream.avail_out = sizeof out;
    while (stream.avail_in) {
        assert_int_equal(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(inflateEnd(&stream), Z_OK);
    }
    return str_make(out, sizeof out - stream.avail_out);
}

static void what_is_gathered_is_compressed(void **state) {
    static char want[4000];
    size_t len = 0;
    (void)state;
    for (unsigned level = 1; level <= 9; level += 4) {
        struct log_sink *sink = open_fresh();
        assert_true(log_sink_buffer(sink, 300, 1000, level));
        len = 0;
        for (size_t size = 1; size < 400; size += 99) { /* the last does not fit the buffer */
            memset(want + len, (int)('a' + size % 7), size);
            log_sink_write(sink, str_make(want + len, size));
            len += size;
        }
        log_sink_write(sink, STR("waits\n"));
        assert_str(unpacked(content(path)), str_make(want, len));
        log_sink_tidy(sink, 1000);
        log_sink_tidy(sink, 2000);
        len += (size_t)snprintf(want + len, sizeof want - len, "waits\n");
        assert_str(unpacked(content(path)), str_make(want, len));
        log_sink_close(sink);
    }
}

static void what_finds_no_memory_is_told(void **state) {
    int error;
    (void)state;
    struct log_sink *sink = open_fresh();
    struct log log = {.sink = log_sink_open(moved, &error), .level = LOG_INFO, .wall_ms = wall};
    assert_true(log_sink_buffer(sink, 300, 1000, 1));
    for (unsigned at = 0; at < 6; at++) {
        mem_fail_after(at);
        log_sink_write(sink, STR("a line\n"));
        log_sink_reopen(sink);
        mem_fail_never();
    }
    log_tell_dropped(&log, sink, 1000);
    assert_true(str_find(content(moved), STR("failed (12: Cannot allocate memory), 6 times")) != STR_NONE);
    log_sink_close(log.sink);
    log_sink_close(sink);
}

static void levels_have_names(void **state) {
    (void)state;
    for (unsigned level = 0; level < LOG_COUNT; level++)
        assert_int_equal(log_level_find(str_of(log_level_name(level))), level);
    assert_int_equal(log_level_find(STR("verbose")), LOG_COUNT);
    assert_int_equal(log_level_find(STR("")), LOG_COUNT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_nginx_form_and_is_escaped),
        cmocka_unit_test(a_long_line_is_cut_and_still_one_line),
        cmocka_unit_test(reopening_begins_a_new_file),
        cmocka_unit_test(a_failed_reopen_leaves_the_old_file),
        cmocka_unit_test(the_special_names),
        cmocka_unit_test(a_pipe_that_nobody_reads_blocks_nobody),
        cmocka_unit_test(what_could_not_be_written_is_told_once_a_minute),
        cmocka_unit_test(what_is_gathered_is_compressed),
        cmocka_unit_test(what_finds_no_memory_is_told),
        cmocka_unit_test(levels_have_names),
    };
    return cmocka_run_group_tests_name("log", tests, setup, teardown);
}
