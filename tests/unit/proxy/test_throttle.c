#include "../unit.h"

#include "proxy/flow/throttle.h"

enum { BEGIN_MS = 5000 };

static void fire(struct timer *timer) {
    (void)timer;
}

/* Reads all that may be read until `until_ms`, looking whenever the throttle says so. */
static uint64_t read_until(struct throttles *throttles, uint64_t until_ms, size_t most) {
    uint64_t got = 0, now_ms = BEGIN_MS;
    for (;;) {
        size_t room = throttle_allow(&throttles->up, now_ms, most);
        throttle_spend(&throttles->up, now_ms, room);
        got += room;
        if (room)
            continue;
        uint64_t wait_ms = throttles_wait_ms(throttles, now_ms);
        assert_true(wait_ms > 0 && wait_ms <= 1001);
        if (now_ms + wait_ms > until_ms)
            return got;
        now_ms += wait_ms;
    }
}

static void rate_holds(void **state) {
    (void)state;
    static const struct {
        uint64_t rate;
        size_t most;
    } cases[] = {{1, 65536}, {2, 65536}, {1000, 65536}, {1000, 7}, {123457, 65536}, {100000000, 65536}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct throttles *throttles = throttles_new(cases[i].rate, 0, BEGIN_MS, fire, NULL);
        uint64_t got = read_until(throttles, BEGIN_MS + 10000, cases[i].most);
        assert_true(got >= cases[i].rate * 10 && got <= cases[i].rate * 11 + 65536);
        throttles_free(throttles);
    }
}

/* "ack" at 2 bytes a second takes a second. */
static void first_second_is_there(void **state) {
    (void)state;
    struct throttles *throttles = throttles_new(2, 0, BEGIN_MS, fire, NULL);
    assert_int_equal(throttle_allow(&throttles->up, BEGIN_MS, 65536), 2);
    throttle_spend(&throttles->up, BEGIN_MS, 2);
    assert_int_equal(throttle_allow(&throttles->up, BEGIN_MS + 999, 65536), 0);
    assert_int_equal(throttles_wait_ms(throttles, BEGIN_MS + 999), 1);
    assert_int_equal(throttle_allow(&throttles->up, BEGIN_MS + 1000, 65536), 2);
    throttles_free(throttles);
}

/* Who says nothing for long may not say it all at once later. */
static void silence_is_not_saved(void **state) {
    (void)state;
    struct throttles *throttles = throttles_new(1000, 0, BEGIN_MS, fire, NULL);
    uint64_t later_ms = BEGIN_MS + 60000;
    assert_int_equal(throttle_allow(&throttles->up, later_ms, 65536), 1000);
    throttle_spend(&throttles->up, later_ms, 1000);
    assert_int_equal(throttle_allow(&throttles->up, later_ms + 989, 65536), 0);
    assert_int_equal(throttle_allow(&throttles->up, later_ms + 1000, 65536), 1000);
    throttles_free(throttles);
}

static void none_is_free(void **state) {
    (void)state;
    struct throttles *throttles = throttles_new(0, 10, BEGIN_MS, fire, NULL);
    assert_int_equal(throttle_allow(&throttles->up, BEGIN_MS, 65536), 65536);
    throttle_spend(&throttles->up, BEGIN_MS, 65536);
    assert_int_equal(throttle_allow(&throttles->up, BEGIN_MS, 65536), 65536);
    assert_true(throttles_wait_ms(throttles, BEGIN_MS) == UINT64_MAX);
    throttles_free(throttles);
    throttles_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rate_holds), cmocka_unit_test(first_second_is_there),
                                       cmocka_unit_test(silence_is_not_saved), cmocka_unit_test(none_is_free)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
