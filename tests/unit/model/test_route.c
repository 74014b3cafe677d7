#include "../arena.h"

#include "model/site.h"

static struct regex *regexes[16];
static size_t regex_count;

static struct regex *regex(const char *pattern, bool is_nocase) {
    struct str error;
    size_t at;
    struct regex *made = regex_new(str_of(pattern), is_nocase, &arena, &error, &at);
    assert_non_null(made);
    assert_true(regex_count < 16);
    regexes[regex_count++] = made;
    return made;
}

static void regexes_free(void) {
    while (regex_count)
        regex_free(regexes[--regex_count]);
}

static struct route *add(struct route_table *table, enum route_match match, const char *pattern) {
    struct route *route = arena_zero(&arena, 1, sizeof *route);
    route->match = match;
    route->pattern = str_of(pattern);
    if (match == ROUTE_REGEX)
        route->regex = regex(pattern, false);
    assert_int_equal(route_table_add(table, route, &arena), ROUTE_ADDED);
    return route;
}

static struct route fallback = {.match = ROUTE_DEFAULT, .pattern = {"fallback", 8}};

static void finds(const struct route_table *table, const char *path, const char *pattern) {
    assert_str(route_find(table, &fallback, str_of(path), NULL)->pattern, str_of(pattern));
}

/* The example of nginx's documentation: = /, /, /documents/, ^~ /images/, ~* \.(gif|jpg|jpeg)$ */
static void documented_choice(void **state) {
    (void)state;
    struct route_table table = {0};
    add(&table, ROUTE_EXACT, "/");
    struct route *root = add(&table, ROUTE_PREFIX, "/");
    add(&table, ROUTE_PREFIX, "/documents/");
    add(&table, ROUTE_PREFIX_FINAL, "/images/");
    add(&table, ROUTE_REGEX, "\\.(gif|jpg|jpeg)$");
    assert_int_equal(route_find(&table, &fallback, STR("/"), NULL)->match, ROUTE_EXACT);
    assert_ptr_equal(route_find(&table, &fallback, STR("/index.html"), NULL), root);
    finds(&table, "/documents/document.html", "/documents/");
    finds(&table, "/images/1.gif", "/images/");
    finds(&table, "/documents/1.jpg", "\\.(gif|jpg|jpeg)$");
    finds(&table, "", "fallback");
    finds(&table, "x", "fallback");
    regexes_free();
}

static void longest_prefix(void **state) {
    (void)state;
    struct route_table table = {0};
    static const char *const patterns[] = {"/b", "/", "/a/b/c", "/a", "/a/b", "/a/bb", "/ab", "/a/b/", "/c/"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        add(&table, ROUTE_PREFIX, patterns[i]);
    finds(&table, "/", "/");
    finds(&table, "/a", "/a");
    finds(&table, "/aa", "/a");
    finds(&table, "/ab", "/ab");
    finds(&table, "/abc", "/ab");
    finds(&table, "/a/b", "/a/b");
    finds(&table, "/a/b/", "/a/b/");
    finds(&table, "/a/b/cc", "/a/b/c");
    finds(&table, "/a/b/d", "/a/b/");
    finds(&table, "/a/bbb", "/a/bb");
    finds(&table, "/a/bc", "/a/b");
    finds(&table, "/c", "/");
    finds(&table, "/zzz", "/");
    finds(&table, "/\xff", "/");
}

/* Against the obvious way, for random tables. */
static void longest_prefix_always(void **state) {
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 300; round++) {
        struct route_table table = {0};
        struct str patterns[20];
        size_t count = 0;
        for (int i = 0; i < 20; i++) {
            char text[8];
            size_t len = 1 + (seed = seed * 1103515245u + 12345u) / 65536u % 6;
            for (size_t j = 0; j < len; j++)
                text[j] = "/ab"[(seed = seed * 1103515245u + 12345u) / 65536u % 3];
            struct route *route = arena_zero(&arena, 1, sizeof *route);
            route->pattern = arena_copy(&arena, str_make(text, len));
            if (route_table_add(&table, route, &arena) == ROUTE_ADDED)
                patterns[count++] = route->pattern;
        }
        assert_int_equal(table.prefix_count, count);
        for (int i = 0; i < 40; i++) {
            char text[10];
            struct str best = STR("fallback");
            size_t len = (seed = seed * 1103515245u + 12345u) / 65536u % 9, longest = 0;
            for (size_t j = 0; j < len; j++)
                text[j] = "/ab"[(seed = seed * 1103515245u + 12345u) / 65536u % 3];
            for (size_t j = 0; j < count; j++)
                if (str_starts(str_make(text, len), patterns[j]) && patterns[j].len > longest) {
                    best = patterns[j];
                    longest = best.len;
                }
            assert_str(route_find(&table, &fallback, str_make(text, len), NULL)->pattern, best);
        }
    }
}

static void duplicates(void **state) {
    (void)state;
    struct route_table table = {0};
    struct route again = {.match = ROUTE_PREFIX_FINAL, .pattern = STR("/a")};
    struct route exact = {.match = ROUTE_EXACT, .pattern = STR("/a")};
    struct route exact_again = exact;
    add(&table, ROUTE_PREFIX, "/a");
    assert_int_equal(route_table_add(&table, &again, &arena), ROUTE_IS_DUPLICATE);
    assert_int_equal(route_table_add(&table, &exact, &arena), ROUTE_ADDED);
    assert_int_equal(route_table_add(&table, &exact_again, &arena), ROUTE_IS_DUPLICATE);
}

static void nested(void **state) {
    (void)state;
    struct route_table table = {0};
    struct route *outer = add(&table, ROUTE_PREFIX, "/a/");
    add(&outer->children, ROUTE_PREFIX, "/a/b/");
    add(&outer->children, ROUTE_EXACT, "/a/e.php");
    add(&outer->children, ROUTE_REGEX, "\\.in$");
    struct route *final = add(&table, ROUTE_PREFIX_FINAL, "/f/");
    add(&final->children, ROUTE_REGEX, "\\.in$");
    struct route *expression = add(&table, ROUTE_REGEX, "\\.php$");
    add(&expression->children, ROUTE_REGEX, "^/x");
    finds(&table, "/a/x", "/a/");
    finds(&table, "/a/b/x", "/a/b/");
    finds(&table, "/a/x.in", "\\.in$");
    finds(&table, "/a/b/x.php", "\\.php$"); /* outer expressions come behind nested prefixes */
    finds(&table, "/a/e.php", "/a/e.php");
    finds(&table, "/x.php", "^/x");
    finds(&table, "/y.php", "\\.php$");
    finds(&table, "/f/y.php", "/f/");
    finds(&table, "/f/y.in", "\\.in$");
    regexes_free();
}

static void captures(void **state) {
    (void)state;
    struct route_table table = {0};
    struct regex_match match = {.count = 1, .groups = {STR("kept")}};
    add(&table, ROUTE_PREFIX, "/");
    add(&table, ROUTE_REGEX, "^/(a)(b)?(c)$");
    route_find(&table, &fallback, STR("/x"), &match);
    assert_str(match.groups[0], STR("kept"));
    route_find(&table, &fallback, STR("/ac"), &match);
    assert_int_equal(match.count, 4);
    assert_str(match.groups[1], STR("a"));
    assert_str(match.groups[2], STR(""));
    assert_str(match.groups[3], STR("c"));
    regexes_free();
}

static struct site sites[8];

static void name(struct listen *listen, size_t site, const char *text) {
    struct regex *made = text[0] == '~' ? regex(text + 1, true) : NULL;
    assert_int_equal(listen_add_name(listen, &sites[site], str_of(text), made, &arena), SITE_NAME_ADDED);
}

static void site_is(const struct listen *listen, const char *host, size_t site) {
    assert_ptr_equal(listen_find_site(listen, str_of(host), NULL), &sites[site]);
}

static void server_names(void **state) {
    (void)state;
    struct listen listen = {.default_site = &sites[0]};
    name(&listen, 1, "example.com");
    name(&listen, 2, "*.example.com");
    name(&listen, 3, "*.deep.example.com");
    name(&listen, 4, "www.example.*");
    name(&listen, 5, ".example.org");
    name(&listen, 6, "~^(?<sub>\\w+)\\.example\\.net$");
    name(&listen, 7, "");
    site_is(&listen, "example.com", 1);
    site_is(&listen, "a.example.com", 2);
    site_is(&listen, "a.b.example.com", 2);
    site_is(&listen, "a.deep.example.com", 3);
    site_is(&listen, "deep.example.com", 2);
    site_is(&listen, "www.example.com", 2); /* a wildcard at the beginning goes before one at the end */
    site_is(&listen, "www.example.de", 4);
    site_is(&listen, "www.example.co.uk", 4);
    site_is(&listen, "example.org", 5);
    site_is(&listen, "a.example.org", 5);
    site_is(&listen, "a.example.net", 6);
    site_is(&listen, "", 7);
    site_is(&listen, "other", 0);
    site_is(&listen, ".example.com", 0);
    site_is(&listen, "www.example.", 0);
    assert_int_equal(listen_add_name(&listen, &sites[2], STR("example.com"), NULL, &arena), SITE_NAME_TAKEN);
    assert_int_equal(listen_add_name(&listen, &sites[1], STR("example.com"), NULL, &arena), SITE_NAME_ADDED);
    assert_int_equal(listen_add_name(&listen, &sites[2], STR(".example.org"), NULL, &arena), SITE_NAME_TAKEN);
    struct regex_match match = {0};
    listen_find_site(&listen, STR("room.example.net"), &match);
    assert_str(match.groups[1], STR("room"));
    regexes_free();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(documented_choice, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(longest_prefix, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(longest_prefix_always, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(duplicates, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(nested, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(captures, arena_begin, arena_end),
        cmocka_unit_test_setup_teardown(server_names, arena_begin, arena_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
