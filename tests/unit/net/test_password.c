#include "../unit.h"

#include "base/base64.h"
#include "net/password.h"

/* Made with htpasswd, openssl passwd and mkpasswd. */
static const struct {
    const char *stored, *given;
} right[] = {
    {"{PLAIN}password", "password"},
    {"{PLAIN}", ""},
    {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "password"},
    {"{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0", "password"},
    {"$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.", "password"},
    {"$1$salt$qJH7.N4xYta3aEG/dfqo/0", "password"},
    {"sa3tHJ3/KuYvI", "password"},
    {"$apr1$abcdefgh$UJoJRVyaiGT.hatGeh/QM.", "a rather long password of more than sixteen bytes"},
    {"$5$saltsalt$gOjOtoMpVhru2uyjeJSEc/JaLQWOXMNmlOnj6T4AtC.", "password"},
    {"$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
     "password"},
    {"$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", "password"},
};

static void right_ones(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        if (!password_is_right(str_of(right[i].stored), str_of(right[i].given)))
            fail_msg("%s is not %s", right[i].given, right[i].stored);
        assert_false(password_is_right(str_of(right[i].stored), STR("123")));
        assert_false(password_is_right(str_of(right[i].stored), STR("passwor")));
    }
}

static void broken_ones(void **state) {
    (void)state;
    const char *broken[] = {"",
                            "$1$",
                            "$apr1$",
                            "{SSHA}_____wQadOA1e+/f+T+H3eCQQhRzYWx0",
                            "{SSHA}Zm9vCg==",
                            "{SHA}_____Mm5Pz8GgiULbPgzG37mj9g=",
                            "{SHA}Zm9vCg==",
                            "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9gAA",
                            "$9$nothing$x",
                            "*0",
                            "*"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_false(password_is_right(str_of(broken[i]), STR("")));
        assert_false(password_is_right(str_of(broken[i]), STR("1")));
        assert_false(password_is_right(str_of(broken[i]), str_of(broken[i])));
    }
}

static void decodes(const char *text, const char *want) {
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    assert_int_equal(base64_decode(&out, str_of(text)), want != NULL);
    if (want)
        assert_str(builder_view(&out), str_of(want));
}

static void base64(void **state) {
    (void)state;
    decodes("", "");
    decodes("Zg==", "f");
    decodes("Zg", "f");
    decodes("Zm9vYmFy", "foobar");
    decodes("Zm9vYg==", "foob");
    decodes("Z", NULL);
    decodes("Zm9v!", NULL);
    decodes("Zg==Zg==", NULL);
    decodes("Z===", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(right_ones), cmocka_unit_test(broken_ones),
                                       cmocka_unit_test(base64)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
