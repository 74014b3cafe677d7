#include "../unit.h"

#include "admin/text.h"

static char memory[4096];

typedef void text_build(struct builder *out, struct str text);

static void builds(text_build *build, struct str text, const char *wanted) {
    struct builder out = builder_make(memory, sizeof memory);
    build(&out, text);
    assert_false(out.overflow);
    assert_str(builder_view(&out), str_of(wanted));
}

#define FFFD "\xef\xbf\xbd"

/* RFC 3629 4: what is no UTF-8, and what each of it becomes, in every form but CSV. */
static const struct {
    const char *text, *wanted;
} sequences[] = {
    {"plain", "plain"},
    {"h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\xff", FFFD},
    {"a\x80z", "a" FFFD "z"},
    {"\xc3", FFFD},
    {"\xc3z", FFFD "z"},
    {"\xc0\xaf", FFFD FFFD},
    {"\xe0\x80\x80", FFFD FFFD FFFD},
    {"\xed\xa0\x80", FFFD FFFD FFFD},
    {"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
    {"\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD},
    {"\xe2\x82", FFFD FFFD},
    {"\xed\x9f\xbf", "\xed\x9f\xbf"},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
};

static void bytes_that_are_no_utf8(void **state) {
    static text_build *const forms[] = {text_build_json, text_build_label, text_build_html};
    (void)state;
    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++)
        for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
            builds(forms[form], str_of(sequences[i].text), sequences[i].wanted);
}

static void json(void **state) {
    (void)state;
    builds(text_build_json, STR(""), "");
    builds(text_build_json, STR("\"\\/"), "\\\"\\\\/");
    builds(text_build_json, STR("\0\x1f\n\x7f"), "\\u0000\\u001f\\u000a\x7f");
}

static void label(void **state) {
    (void)state;
    builds(text_build_label, STR("unix:/a\"b\\c\nd"), "unix:/a\\\"b\\\\c\\nd");
}

static void html(void **state) {
    (void)state;
    builds(text_build_html, STR("<a b=\"&\">"), "&#60;a b=&#34;&#38;&#34;&#62;");
}

static void csv(void **state) {
    (void)state;
    builds(text_build_csv, STR("a b"), "a b");
    builds(text_build_csv, STR("a,b"), "\"a,b\"");
    builds(text_build_csv, STR("a\"b"), "\"a\"\"b\"");
    builds(text_build_csv, STR("a\nb"), "\"a\nb\"");
    builds(text_build_csv, STR("\xff"), "\xff");
}

static void too_little_room_is_said(void **state) {
    static text_build *const forms[] = {text_build_json, text_build_label, text_build_html, text_build_csv};
    (void)state;
    for (size_t form = 0; form < sizeof forms / sizeof *forms; form++) {
        struct builder out = builder_make(memory, 3);
        forms[form](&out, STR("a\",\"b"));
        assert_true(out.overflow);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_are_no_utf8),
        cmocka_unit_test(json),
        cmocka_unit_test(label),
        cmocka_unit_test(html),
        cmocka_unit_test(csv),
        cmocka_unit_test(too_little_room_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
