#include "../unit.h"

#include "base/builder.h"
#include "base/mem.h"

#include <sys/mman.h>
#include <unistd.h>

/* Impossible sizes are asked for on purpose: the sanitizer shall refuse them as the heap does. */
#if defined __SANITIZE_ADDRESS__
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}
#elif defined __SANITIZE_THREAD__
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
    return "allocator_may_return_null=1";
}
#endif

/* A copy of `text` that ends where an unreadable page begins: reading one byte more ends the test. */
static char *fence;

static struct str fenced(struct str text) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_true(text.len <= page);
    char *at = fence + page - text.len;
    if (text.len)
        memcpy(at, text.ptr, text.len);
    return str_make(at, text.len);
}

static int setup(void **state) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)state;
    fence = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return fence == MAP_FAILED || mprotect(fence + page, page, PROT_NONE);
}

static int teardown(void **state) {
    (void)state;
    return munmap(fence, 2 * (size_t)sysconf(_SC_PAGESIZE));
}

static void comparing(void **state) {
    (void)state;
    assert_true(str_eq(STR(""), str_make(NULL, 0)));
    assert_true(str_eq(fenced(STR("abc")), STR("abc")));
    assert_false(str_eq(STR("abc"), STR("abd")));
    assert_false(str_eq(STR("abc"), STR("ab")));
    assert_true(str_eq_nocase(fenced(STR("Content-Length")), STR("cONTENT-lENGTH")));
    assert_false(str_eq_nocase(STR("[\\]"), STR("{|}"))); /* only letters fold */
    assert_false(str_eq_nocase(STR("@`"), STR("`@")));
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("b"), STR("a")) > 0);
    assert_true(str_compare(STR("ab"), STR("abc")) < 0);
    assert_true(str_compare(STR("abc"), STR("ab")) > 0);
    assert_true(str_compare(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_compare(STR(""), str_make(NULL, 0)), 0);
    assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")));
    assert_false(str_starts(fenced(STR("ab")), STR("abc")));
    assert_true(str_starts_nocase(STR("Bearer x"), STR("bearer ")));
    assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(STR("abc"), STR("abc")) &&
                str_ends(STR(""), STR("")));
    assert_false(str_ends(fenced(STR("bc")), STR("abc")));
}

static void finding(void **state) {
    (void)state;
    assert_int_equal(str_find_char(fenced(STR("abca")), 'a'), 0);
    assert_int_equal(str_find_char(fenced(STR("abc")), 'x'), STR_NONE);
    assert_int_equal(str_find_char(str_make(NULL, 0), 'x'), STR_NONE);
    assert_int_equal(str_find(fenced(STR("hayneedle")), STR("needle")), 3);
    assert_int_equal(str_find(fenced(STR("hayneedl")), STR("needle")), STR_NONE);
    assert_int_equal(str_find(STR("x"), STR("")), 0);
    assert_int_equal(str_find(str_make(NULL, 0), STR("x")), STR_NONE);
    assert_str(str_from(STR("abc"), 1), STR("bc"));
    assert_str(str_from(STR("abc"), 3), STR(""));
    assert_str(str_from(STR("abc"), 99), STR(""));
    assert_str(str_head(STR("abc"), 2), STR("ab"));
    assert_str(str_head(STR("abc"), 99), STR("abc"));
    assert_str(str_trim(fenced(STR(" \t a b\t "))), STR("a b"));
    assert_str(str_trim(fenced(STR(" \t "))), STR(""));
    assert_str(str_trim(STR("\n a")), STR("\n a"));
    assert_str(str_of(NULL), STR(""));
}

static void split_shows(const char *text, const char *const *parts) {
    struct str rest = str_of(text), part;
    for (; *parts; parts++) {
        assert_true(str_split(&rest, ',', &part));
        assert_str(part, str_of(*parts));
    }
    assert_false(str_split(&rest, ',', &part));
}

static void splitting(void **state) {
    (void)state;
    split_shows("a,bc,d", (const char *const[]){"a", "bc", "d", NULL});
    split_shows("a", (const char *const[]){"a", NULL});
    split_shows("", (const char *const[]){"", NULL});
    split_shows(",", (const char *const[]){"", "", NULL});
    split_shows(",a,", (const char *const[]){"", "a", "", NULL});
    struct str none = str_make(NULL, 0), part;
    assert_false(str_split(&none, ',', &part));
}

static void numbers(void **state) {
    static const char *const bad[] = {
        "",   " 1",      "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616", "99999999999999999999999",
        "1a", "\xd9\xa1"};
    uint64_t value = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(str_to_u64(fenced(str_of(bad[i])), &value));
    assert_int_equal(value, 7);
    assert_true(str_to_u64(fenced(STR("18446744073709551615")), &value));
    assert_true(value == UINT64_MAX);
    assert_true(str_to_u64(fenced(STR("000000000000000000000000012")), &value));
    assert_int_equal(value, 12);
}

static void distances(void **state) {
    char longest[200];
    (void)state;
    memset(longest, 'a', sizeof longest);
    assert_int_equal(str_distance(STR(""), STR("")), 0);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
    assert_int_equal(str_distance(STR("abc"), STR("")), 3);
    assert_int_equal(str_distance(fenced(STR("proxy_pass")), STR("proxy_pas")), 1);
    assert_int_equal(str_distance(STR("porxy_pass"), STR("proxy_pass")), 1);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(str_distance(str_make(longest, 200), str_make(longest, 100)), 0);
    assert_int_equal(str_distance(str_make(longest, 200), STR("")), 63);
}

static void building(void **state) {
    char memory[8];
    (void)state;
    struct builder b = builder_make(memory, sizeof memory);
    builder_str(&b, STR("abc"));
    builder_str(&b, str_make(NULL, 0));
    builder_char(&b, 'd');
    builder_u64(&b, 1234);
    assert_false(b.overflow);
    assert_str(builder_view(&b), STR("abcd1234"));
    builder_char(&b, 'x');
    assert_true(b.overflow);
    builder_str(&b, STR("")); /* sticks */
    assert_true(b.overflow);
    assert_str(builder_view(&b), STR("abcd1234"));
}

static void what_does_not_fit_is_left_out_whole(void **state) {
    char memory[9];
    (void)state;
    memory[8] = '#';
    for (size_t capacity = 0; capacity <= 8; capacity++) {
        struct builder b = builder_make(memory, capacity);
        builder_format(&b, "%s-%d", "abc", 17);
        bool fits = capacity >= 7; /* printf's NUL wants room too */
        assert_int_equal(b.overflow, !fits);
        assert_int_equal(b.len, fits ? 6 : 0);
        assert_int_equal(memory[8], '#');
        fits = capacity >= 6;
        b = builder_make(memory, capacity);
        builder_u64(&b, 123456);
        assert_int_equal(b.overflow, !fits);
        assert_int_equal(b.len, fits ? 6 : 0);
    }
}

static void figures(void **state) {
    char memory[100];
    (void)state;
    struct builder b = builder_make(memory, sizeof memory);
    builder_u64(&b, 0);
    builder_char(&b, ' ');
    builder_u64(&b, UINT64_MAX);
    builder_char(&b, ' ');
    builder_thousandths(&b, 60001);
    builder_char(&b, ' ');
    builder_hex(&b, 0);
    builder_char(&b, ' ');
    builder_hex(&b, UINT64_MAX);
    builder_char(&b, ' ');
    builder_hex(&b, 0x1a0);
    assert_str(builder_view(&b), STR("0 18446744073709551615 60.001 0 ffffffffffffffff 1a0"));
}

static void escaping(void **state) {
    char memory[1100];
    (void)state;
    struct builder b = builder_make(memory, sizeof memory);
    builder_escaped(&b, STR("a\"\\\r\n\0z\x1b\x7f\xc3~ "));
    assert_str(builder_view(&b), STR("a\\x22\\x5C\\x0D\\x0A\\x00z\\x1B\\x7F\\xC3~ "));
    b = builder_make(memory, sizeof memory);
    for (int c = 0; c < 256; c++) {
        char one = (char)c;
        builder_escaped(&b, str_make(&one, 1));
    }
    assert_false(b.overflow);
    for (size_t i = 0; i < b.len; i++)
        assert_true(b.ptr[i] >= 0x20 && b.ptr[i] < 0x7f);
}

/* A byte at each place of a text, and what becomes of it. */
static void escaping_finds_each_byte_wherever_it_stands(void **state) {
    char text[25], memory[40];
    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            bool is_plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
            struct builder b = builder_make(memory, sizeof memory);
            builder_escaped(&b, str_make(text, sizeof text));
            assert_int_equal(b.len, sizeof text + (is_plain ? 0 : 3));
            assert_int_equal(memory[at], is_plain ? (char)c : '\\');
            assert_int_equal(builder_is_plain(str_make(text, sizeof text)), is_plain);
        }
}

static void escaping_gives_what_fits(void **state) {
    char memory[12];
    (void)state;
    struct builder b = builder_make(memory, sizeof memory);
    builder_escaped(&b, STR("a text that is too long"));
    assert_str(builder_view(&b), STR("a text that "));
    assert_true(b.overflow);
}

static void memory_fails_when_told(void **state) {
    (void)state;
    mem_fail_after(2);
    void *first = mem_alloc(0), *second = mem_zero(0, 0), *third = mem_alloc(1), *fourth = mem_aligned(64, 1);
    mem_fail_never();
    assert_non_null(first);
    assert_non_null(second);
    assert_null(third);
    assert_null(fourth);
    mem_fail_after(0);
    assert_null(mem_resize(first, 100)); /* the block stays */
    mem_fail_never();
    first = mem_resize(first, 0);
    assert_non_null(first);
    fourth = mem_aligned(64, 65);
    assert_int_equal((uintptr_t)fourth % 64, 0);
    volatile size_t huge = SIZE_MAX / 2;
    assert_null(mem_zero(huge, 3));
    assert_null(mem_aligned(64, SIZE_MAX - 3));
    mem_free(first);
    mem_free(second);
    mem_free(fourth);
    mem_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),
        cmocka_unit_test(finding),
        cmocka_unit_test(splitting),
        cmocka_unit_test(numbers),
        cmocka_unit_test(distances),
        cmocka_unit_test(building),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(figures),
        cmocka_unit_test(escaping),
        cmocka_unit_test(escaping_finds_each_byte_wherever_it_stands),
        cmocka_unit_test(escaping_gives_what_fits),
        cmocka_unit_test(memory_fails_when_told),
    };
    return cmocka_run_group_tests_name("str", tests, setup, teardown);
}
