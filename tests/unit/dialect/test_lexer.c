#include "../arena.h"

#include "dialect/nginx/lexer.h"
#include "dialect/nginx/unit.h"

#include <sys/mman.h>

/* The tokens of a text in short: words in <>, then ; { } ! (bad) ? (unclosed). The text ends at an unreadable
 * page. */
static void lexes(const char *text, const char *want) {
    size_t len = strlen(text), page = 4096;
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    char *place = pages + page - len;
    memcpy(place, text, len);
    struct source_file file = {STR("f"), str_make(place, len)};
    struct lexer lexer;
    char have[500];
    struct builder out = builder_make(have, sizeof have);
    enum token token;
    lexer_init(&lexer, &file);
    do {
        struct word word;
        token = lexer_next(&lexer, &arena, &word);
        if (token == TOKEN_WORD)
            builder_format(&out, "<%.*s>", STR_ARG(word.text));
        else if (token != TOKEN_END)
            builder_char(&out, ";{}.!?"[token - TOKEN_SEMICOLON]);
    } while (token != TOKEN_END && !out.overflow);
    assert_str(builder_view(&out), str_of(want));
    munmap(pages, 2 * page);
}

static void words(void **state) {
    (void)state;
    lexes("", "");
    lexes(" \t\r\n", "");
    lexes("a", "<a>");
    lexes("a b;c{d;}", "<a><b>;<c>{<d>;}");
    lexes("a;;", "<a>;;");
    lexes("# comment ; { \"\na;# end", "<a>;");
    lexes("a#b c;", "<a#b><c>;");
    lexes("a #b c;\nd;", "<a><d>;");
    lexes("a}b;", "<a}b>;");
    lexes("}}", "}}");
    lexes("a\"b\";", "<a\"b\">;");
}

static void quotes(void **state) {
    (void)state;
    lexes("\"\" '';", "<><>;");
    lexes("\"a b;{}\" 'c\"d';", "<a b;{}><c\"d>;");
    lexes("\"a\\\"b\\\\c\\t\\n\\r\\x\";", "<a\"b\\c\t\n\r\\x>;");
    lexes("'a\\'b';", "<a'b>;");
    lexes("\"a\nb\";", "<a\nb>;");
    lexes("\"a\";\"b\"{\"c\" }", "<a>;<b>{<c>}");
    lexes("\"a\"b;", "<a>!;");
    lexes("\"a\"};", "<a>!};");
    lexes("\"a\");", "<a><)>;");
    lexes("\"a\"#b;", "<a>!<b>;");
    lexes("\"abc", "?");
    lexes("'abc\\", "?");
    lexes("\"abc\\\"", "?");
}

static void escapes_and_variables(void **state) {
    (void)state;
    lexes("a\\ b;", "<a\\ b>;");
    lexes("a\\;b;", "<a\\;b>;");
    lexes("\\\"a\\\";", "<\"a\">;");
    lexes("a\\", "<a\\>");
    lexes("${a}b{", "<${a}b>{");
    lexes("x${a}{", "<x${a}>{");
    lexes("$a{", "<$a>{");
    lexes("${{a;", "<${{a>;");
    lexes("$", "<$>");
    lexes("${", "<${>");
}

static void places(void **state) {
    (void)state;
    struct source_file file = {STR("f"), STR("a \"b\nc\" d;\n\n  e {\n}")};
    static const unsigned want[][2] = {{1, 1}, {1, 3}, {2, 4}, {2, 5}, {4, 3}, {4, 5}, {5, 1}, {5, 2}};
    struct lexer lexer;
    lexer_init(&lexer, &file);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct word word;
        lexer_next(&lexer, &arena, &word);
        assert_int_equal(word.line, want[i][0]);
        assert_int_equal(word.column, want[i][1]);
        if (i == 4)
            assert_str(word_source(&word), STR("  e {"));
    }
    lexes("\xef\xbb\xbfhttp{", "<http>{");
}

static void sizes(void **state) {
    (void)state;
    uint64_t bytes;
    static const struct {
        const char *text;
        uint64_t small, huge; /* UINT64_MAX: refused */
    } rows[] = {
        {"0", 0, 0},
        {"512", 512, 512},
        {"8k", 8192, 8192},
        {"8K", 8192, 8192},
        {"1m", 1048576, 1048576},
        {"2g", UINT64_MAX, 2147483648u},
        {"1t", UINT64_MAX, UINT64_MAX},
        {"", UINT64_MAX, UINT64_MAX},
        {"k", UINT64_MAX, UINT64_MAX},
        {"-1", UINT64_MAX, UINT64_MAX},
        {"1 k", UINT64_MAX, UINT64_MAX},
        {"18446744073709551615", UINT64_MAX, UINT64_MAX},
        {"9223372036854775807k", UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool fits = unit_size(str_of(rows[i].text), false, &bytes);
        assert_int_equal(fits ? bytes : UINT64_MAX, rows[i].small);
        fits = unit_size(str_of(rows[i].text), true, &bytes);
        assert_int_equal(fits ? bytes : UINT64_MAX, rows[i].huge);
    }
}

static void times(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms, s; /* UINT64_MAX: refused */
    } rows[] = {
        {"0", 0, 0},
        {"60", 60000, 60},
        {"60s", 60000, 60},
        {"500ms", 500, UINT64_MAX},
        {"1h30m", 5400000, 5400},
        {"1d 12h", 129600000, 129600},
        {"1m 30", 90000, 90},
        {"1w1d1h1m1s", 694861000, 694861},
        {"1y", 31536000000u, 31536000},
        {"1M", 2592000000u, 2592000},
        {"30m1h", UINT64_MAX, UINT64_MAX},
        {"1h1h", UINT64_MAX, UINT64_MAX},
        {"1.5s", UINT64_MAX, UINT64_MAX},
        {"s", UINT64_MAX, UINT64_MAX},
        {"", UINT64_MAX, UINT64_MAX},
        {" 1", UINT64_MAX, UINT64_MAX},
        {"1 h", UINT64_MAX, UINT64_MAX},
        {"1x", UINT64_MAX, UINT64_MAX},
        {"30 30", UINT64_MAX, UINT64_MAX},
        {"99999999999999999999", UINT64_MAX, UINT64_MAX},
        {"9999999999999999999y", UINT64_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value;
        bool fits = unit_time_ms(str_of(rows[i].text), &value);
        assert_int_equal(fits ? value : UINT64_MAX, rows[i].ms);
        fits = unit_time_s(str_of(rows[i].text), &value);
        assert_int_equal(fits ? value : UINT64_MAX, rows[i].s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),  cmocka_unit_test(quotes), cmocka_unit_test(escapes_and_variables),
        cmocka_unit_test(places), cmocka_unit_test(sizes),  cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
