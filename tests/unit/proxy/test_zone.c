#include "../unit.h"

#include "proxy/guard/zone.h"

#include <stdio.h>

static struct limit_zone ten = {
    .kind = LIMIT_REQUESTS, .name = {"ten", 3}, .key_text = {"$k", 2}, .bytes = 32768, .rate = 10000};
static struct limit_zone places = {
    .kind = LIMIT_CONNECTIONS, .name = {"places", 6}, .key_text = {"$k", 2}, .bytes = 32768};

enum { BEGIN_MS = 1000000 };

static enum zone_answer ask(struct zone *zone, const struct request_limit *limit, const char *key,
                            uint64_t at_ms, uint64_t want_excess) {
    uint64_t excess;
    struct zone_state *state;
    enum zone_answer answer = zone_request(zone, str_of(key), limit, BEGIN_MS + at_ms, true, &excess, &state);
    assert_int_equal(excess, want_excess);
    return answer;
}

/* nginx's arithmetic: 10 a second drain 10 thousandths a millisecond; what is refused is not counted. */
static void bucket_leaks(void **state) {
    (void)state;
    struct zone *zone = zone_new(&ten);
    struct request_limit limit = {.zone = &ten, .burst = 2000};
    assert_int_equal(ask(zone, &limit, "a", 0, 0), ZONE_PASSES);
    assert_int_equal(ask(zone, &limit, "a", 0, 1000), ZONE_PASSES);
    assert_int_equal(ask(zone, &limit, "a", 50, 1500), ZONE_PASSES);
    assert_int_equal(ask(zone, &limit, "a", 60, 2400), ZONE_REFUSES);
    assert_int_equal(ask(zone, &limit, "a", 60, 2400), ZONE_REFUSES);
    assert_int_equal(ask(zone, &limit, "b", 60, 0), ZONE_PASSES);
    assert_int_equal(ask(zone, &limit, "a", 100, 2000), ZONE_PASSES);
    assert_int_equal(ask(zone, &limit, "a", 99, 3000), ZONE_REFUSES); /* a loop whose clock is behind */
    assert_int_equal(ask(zone, &limit, "a", 10000000, 0), ZONE_PASSES);
    zone_drop(zone);
}

static void pinned_states_are_counted_later(void **state) {
    (void)state;
    struct zone *zone = zone_new(&ten);
    struct request_limit limit = {.zone = &ten};
    struct zone_state *pinned = NULL;
    uint64_t excess;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(zone_request(zone, STR("a"), &limit, BEGIN_MS, false, &excess, &pinned), ZONE_PINNED);
        zone_unpin(zone, pinned);
    }
    assert_int_equal(zone_request(zone, STR("a"), &limit, BEGIN_MS, false, &excess, &pinned), ZONE_PINNED);
    assert_int_equal(zone_account(zone, pinned, ten.rate, BEGIN_MS), 0);
    assert_int_equal(ask(zone, &limit, "a", 0, 1000), ZONE_REFUSES);
    zone_drop(zone);
}

static void connections_come_and_go(void **state) {
    (void)state;
    struct zone *zone = zone_new(&places);
    struct zone_state *held[3];
    assert_int_equal(zone_enter(zone, STR("a"), 2, &held[0]), ZONE_PINNED);
    assert_int_equal(zone_enter(zone, STR("a"), 2, &held[1]), ZONE_PINNED);
    assert_int_equal(zone_enter(zone, STR("a"), 2, &held[2]), ZONE_REFUSES);
    assert_int_equal(zone_enter(zone, STR("b"), 2, &held[2]), ZONE_PINNED);
    zone_leave(zone, held[0]);
    assert_int_equal(zone_enter(zone, STR("a"), 2, &held[0]), ZONE_PINNED);
    for (int i = 0; i < 3; i++)
        zone_leave(zone, held[i]);
    zone_drop(zone);
}

static void size_bounds(void **state) {
    (void)state;
    struct zone *requests = zone_new(&ten), *connections = zone_new(&places);
    struct request_limit limit = {.zone = &ten};
    struct zone_state *held[513] = {NULL};
    char key[16];
    unsigned entered = 0;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%u", i);
        assert_int_equal(ask(requests, &limit, key, 0, 0), ZONE_PASSES);
        if (i < 513 && zone_enter(connections, str_of(key), 1, &held[i]) == ZONE_PINNED)
            entered++;
    }
    assert_int_equal(entered, 32768 / 64);
    assert_int_equal(ask(requests, &limit, "0", 0, 0), ZONE_PASSES); /* forgotten: the oldest went */
    assert_int_equal(ask(requests, &limit, "999", 0, 1000), ZONE_REFUSES);
    for (unsigned i = 0; i < entered; i++)
        zone_leave(connections, held[i]);
    zone_drop(requests);
    zone_drop(connections);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_leaks),
        cmocka_unit_test(pinned_states_are_counted_later),
        cmocka_unit_test(connections_come_and_go),
        cmocka_unit_test(size_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
