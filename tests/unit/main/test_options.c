#include "../unit.h"

#include "main/options.h"

enum { WORDS_MAX = 12, WORD_MAX = 100 };

struct fixture {
    struct arena_pool pool;
    struct arena arena;
    struct options options;
    struct str complaint;
};

static int setup(void **state) {
    static struct fixture fixture;
    fixture = (struct fixture){0};
    arena_pool_init(&fixture.pool, 0, 1 << 20);
    arena_init(&fixture.arena, &fixture.pool);
    *state = &fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_fini(&f->arena);
    arena_pool_fini(&f->pool);
    return 0;
}

/* Parses "hawser" and the words that follow, up to NULL. */
static bool parse(struct fixture *f, ...) {
    static char memory[WORDS_MAX][WORD_MAX]; /* the options keep views of it */
    char *words[WORDS_MAX];
    int count = 0;
    va_list list;
    va_start(list, f);
    for (const char *word = "hawser"; word; word = va_arg(list, const char *)) {
        assert_true(count < WORDS_MAX && strlen(word) < WORD_MAX);
        words[count] = strcpy(memory[count], word);
        count++;
    }
    va_end(list);
    return options_parse(&f->options, count, words, &f->arena, &f->complaint);
}

static void assert_text(struct str is, const char *shall) {
    assert_int_equal(is.len, strlen(shall));
    assert_memory_equal(is.ptr, shall, is.len);
}

static void urls_are_kept_in_order(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "http://a:1", "b:2", NULL));
    assert_int_equal(f->options.action, ACTION_SERVE);
    assert_int_equal(f->options.url_count, 2);
    assert_text(f->options.urls[0], "http://a:1");
    assert_text(f->options.urls[1], "b:2");
    assert_text(f->options.listen, ":8080");
    assert_text(f->options.config, "");
}

static void listen_is_taken(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "-l", ":81", "a:1", NULL));
    assert_text(f->options.listen, ":81");
    assert_true(parse(f, "a:1", "-l:82", NULL));
    assert_text(f->options.listen, ":82");
}

static void status_is_taken(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "a:1", NULL));
    assert_text(f->options.status, "127.0.0.1:8081");
    assert_false(f->options.is_status_asked);
    assert_true(parse(f, "-a", ":82", "a:1", NULL));
    assert_text(f->options.status, ":82");
    assert_true(f->options.is_status_asked);
    assert_true(parse(f, "-a", "off", "a:1", NULL));
    assert_text(f->options.status, "");
    assert_true(parse(f, "-c", "x", NULL));
    assert_text(f->options.status, "");
    assert_false(parse(f, "-c", "x", "-a", ":82", NULL));
}

static void letters_may_stand_together(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "-tqc", "x.conf", NULL));
    assert_int_equal(f->options.action, ACTION_TEST);
    assert_true(f->options.is_quiet);
    assert_text(f->options.config, "x.conf");
    assert_true(parse(f, "-Ttcdir/x.conf", NULL));
    assert_int_equal(f->options.action, ACTION_DUMP);
    assert_text(f->options.config, "dir/x.conf");
    assert_text(f->options.prefix, "dir/");
}

static void prefix_goes_before_relative_paths(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "-p", "/srv/x", "-c", "n.conf", "-e", "error.log", "-g", "daemon off;", NULL));
    assert_text(f->options.prefix, "/srv/x/");
    assert_text(f->options.config, "/srv/x/n.conf");
    assert_text(f->options.error_log, "/srv/x/error.log");
    assert_text(f->options.globals, "daemon off;");
    assert_true(parse(f, "-p", "/srv/x/", "-c", "/etc/n.conf", "-e", "stderr", NULL));
    assert_text(f->options.prefix, "/srv/x/");
    assert_text(f->options.config, "/etc/n.conf");
    assert_text(f->options.error_log, "stderr");
    assert_true(parse(f, "-p", "/srv/x", NULL));
    assert_text(f->options.config, "/srv/x/conf/nginx.conf");
}

static void without_prefix_the_file_s_directory_holds(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "-c", "/etc/app/n.conf", NULL));
    assert_text(f->options.prefix, "/etc/app/");
    assert_true(parse(f, "-c", "n.conf", NULL));
    assert_text(f->options.prefix, "");
}

static void signals_are_known_by_name(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {"stop", "quit", "reload", "reopen"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(parse(f, "-s", names[i], "-c", "x", NULL));
        assert_int_equal(f->options.action, ACTION_SIGNAL);
        assert_text(f->options.signal, names[i]);
    }
    assert_false(parse(f, "-s", "halt", NULL));
    assert_true(str_find(f->complaint, STR("stop, quit, reload, reopen")) < f->complaint.len);
}

static void versions_and_help(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *word;
        enum action action;
    } rows[] = {{"-v", ACTION_VERSION}, {"--version", ACTION_VERSION}, {"-V", ACTION_BUILD},
                {"-h", ACTION_HELP},    {"-?", ACTION_HELP},           {"--help", ACTION_HELP}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(parse(f, rows[i].word, NULL));
        assert_int_equal(f->options.action, rows[i].action);
    }
}

static void what_does_not_fit_together_is_refused(void **state) {
    struct fixture *f = *state;
    assert_false(parse(f, "-x", NULL));
    assert_false(parse(f, "--verbose", NULL));
    assert_false(parse(f, "-", NULL));
    assert_false(parse(f, "-c", NULL));
    assert_false(parse(f, "-c", "", NULL));
    assert_false(parse(f, "a:1", "-c", "x", NULL));
    assert_false(parse(f, "a:1", "-g", "x;", NULL));
    assert_false(parse(f, "a:1", "-s", "stop", NULL));
    assert_false(parse(f, "-l", ":80", "-c", "x", NULL));
    assert_false(parse(f, "-l", ":80", "-l", ":81", "a:1", NULL));
    assert_false(parse(f, "run", "-n", "4", NULL));
    assert_false(parse(f, "convert", "x", NULL));
    assert_false(parse(f, "/proc/self/status", NULL)); /* a file */
}

static void dashes_end_the_letters(void **state) {
    struct fixture *f = *state;
    assert_true(parse(f, "--", "-odd:1", NULL));
    assert_text(f->options.urls[0], "-odd:1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(urls_are_kept_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(listen_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(status_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(letters_may_stand_together, setup, teardown),
        cmocka_unit_test_setup_teardown(prefix_goes_before_relative_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(without_prefix_the_file_s_directory_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_are_known_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(versions_and_help, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_together_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(dashes_end_the_letters, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
