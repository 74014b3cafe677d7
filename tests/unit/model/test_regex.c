#include "../arena.h"

#include "base/mem.h"
#include "model/regex.h"

static struct regex *make(const char *pattern, bool is_nocase) {
    struct str error;
    size_t at;
    return regex_new(str_of(pattern), is_nocase, &arena, &error, &at);
}

static void matches(void **state) {
    (void)state;
    struct regex *regex = make("^/(?<room>[a-z]+)/(\\d+)$", false);
    struct regex_match match;
    assert_true(regex_matches(regex, STR("/chat/42"), &match));
    assert_int_equal(match.count, 3);
    assert_str(match.groups[0], STR("/chat/42"));
    assert_str(match.groups[1], STR("chat"));
    assert_str(match.groups[2], STR("42"));
    assert_str(match.groups[3], STR(""));
    unsigned group = 0;
    assert_str(regex_name(regex, 0, &group), STR("room"));
    assert_int_equal(group, 1);
    assert_str(regex_name(regex, 1, &group), STR(""));
    assert_ptr_equal(match.regex, regex);
    size_t count;
    assert_true(regex_bind(regex, (struct regex_binding){.group = 1, .slot = 7}, &arena));
    assert_int_equal(regex_bindings(regex, &count)[0].slot, 7);
    assert_int_equal(count, 1);
    assert_false(regex_matches(regex, STR("/CHAT/42"), NULL));
    assert_false(regex_matches(regex, (struct str){NULL, 0}, NULL));
    regex_free(regex);
    regex = make("^/chat", true);
    assert_true(regex_matches(regex, STR("/CHAT/42"), NULL));
    regex_free(regex);
    regex_free(NULL);
}

static void groups_beyond_the_last_place(void **state) {
    (void)state;
    struct regex *regex = make("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)(m)(n)(o)(p)(q)(r)(s)(t)(u)", false);
    struct regex_match match;
    assert_true(regex_matches(regex, STR("abcdefghijklmnopqrstu"), &match));
    assert_int_equal(match.count, REGEX_GROUPS_MAX);
    assert_str(match.groups[19], STR("s"));
    regex_free(regex);
}

static void wrong_patterns(void **state) {
    (void)state;
    struct str error;
    size_t at;
    assert_null(regex_new(STR("a(b"), false, &arena, &error, &at));
    assert_str(error, STR("missing closing parenthesis"));
    assert_int_equal(at, 3);
    assert_null(regex_new(STR("[z-a]"), false, &arena, &error, &at));
    assert_true(error.len > 0);
}

/* A pattern that backtracks without end gives up, and soon. */
static void bounded(void **state) {
    (void)state;
    static char text[4096];
    memset(text, 'a', sizeof text);
    struct regex *regex = make("^(a+)+$", false);
    text[sizeof text - 1] = 'b';
    assert_false(regex_matches(regex, str_make(text, sizeof text), NULL));
    regex_free(regex);
}

static void without_memory(void **state) {
    (void)state;
    bool is_made = false;
    for (uint64_t count = 0; !is_made; count++) {
        struct str error;
        size_t at;
        mem_fail_after(count);
        struct regex *regex = regex_new(STR("^(a|b)+c{2,5}$"), false, &arena, &error, &at);
        mem_fail_never();
        is_made = regex != NULL;
        if (!is_made)
            assert_str(error, STR("out of memory"));
        regex_free(regex);
    }
}

/* The usual match takes nothing from the heap. */
static void match_without_heap(void **state) {
    (void)state;
    struct regex *regex = make("^/(a|b)+/(\\d+)", false);
    struct regex_match match;
    mem_fail_after(0);
    assert_true(regex_matches(regex, STR("/abab/1"), &match));
    mem_fail_never();
    assert_str(match.groups[2], STR("1"));
    regex_free(regex);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),        cmocka_unit_test(groups_beyond_the_last_place),
        cmocka_unit_test(wrong_patterns), cmocka_unit_test(bounded),
        cmocka_unit_test(without_memory), cmocka_unit_test(match_without_heap),
    };
    return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
