#include "../unit.h"

#include "upstream/meter.h"

#include <string.h>

static struct meter_sum sum_of(const struct meter *meter) {
    struct meter_sum sum = {0};
    meter_sum_add(&sum, meter);
    return sum;
}

static void answers_by_status_and_latency(void **state) {
    (void)state;
    struct meter meter;
    memset(&meter, 0, sizeof meter);
    meter_answer(&meter, 200, 100); /* a bound belongs to its class */
    meter_answer(&meter, 204, 101);
    meter_answer(&meter, 101, 0);
    meter_answer(&meter, 503, 30000001);
    meter_answer(&meter, 999, 30000000);
    struct meter_sum sum = sum_of(&meter);
    assert_int_equal(sum.answers[1], 1);
    assert_int_equal(sum.answers[2], 2);
    assert_int_equal(sum.answers[5], 1);
    assert_int_equal(sum.answers[0], 1);
    assert_int_equal(sum.latencies[0], 2);
    assert_int_equal(sum.latencies[1], 1);
    assert_int_equal(sum.latencies[METER_LATENCIES - 1], 1);
    assert_int_equal(sum.latencies[METER_LATENCIES], 1);
    assert_int_equal(sum.latency_us, 60000202);
}

static void bounds_rise(void **state) {
    (void)state;
    for (unsigned i = 1; i < METER_LATENCIES; i++)
        assert_true(meter_latency_us[i] > meter_latency_us[i - 1]);
}

static void quantiles(void **state) {
    (void)state;
    struct meter meter;
    memset(&meter, 0, sizeof meter);
    struct meter_sum sum = sum_of(&meter);
    assert_int_equal(meter_sum_quantile_us(&sum, 0.5), 0);
    for (unsigned i = 0; i < 98; i++)
        meter_answer(&meter, 200, 700); /* from 500 to 1000 */
    meter_answer(&meter, 200, 40000);
    meter_answer(&meter, 200, 40000); /* from 25,000 to 50,000 */
    sum = sum_of(&meter);
    assert_in_range(meter_sum_quantile_us(&sum, 0.5), 750, 760);
    assert_int_equal(meter_sum_quantile_us(&sum, 0.98), 1000);
    assert_int_equal(meter_sum_quantile_us(&sum, 0.99), 37500);
    assert_int_equal(meter_sum_quantile_us(&sum, 1), 50000);
}

static void beyond_the_last_bound_it_is_the_bound(void **state) {
    (void)state;
    struct meter meter;
    memset(&meter, 0, sizeof meter);
    meter_answer(&meter, 200, UINT64_MAX / 2);
    struct meter_sum sum = sum_of(&meter);
    assert_int_equal(meter_sum_quantile_us(&sum, 0.5), 30000000);
}

static void loops_add_up(void **state) {
    (void)state;
    struct meter meters[3];
    struct meter_sum sum = {0};
    memset(meters, 0, sizeof meters);
    for (unsigned i = 0; i < 3; i++) {
        counter_add(&meters[i].bytes_up, 1ULL << 40);
        counter_add(&meters[i].failures[WHY_CONNECT_REFUSED], i);
        counter_add(&meters[i].tunnels, 2);
        counter_sub(&meters[i].tunnels, 1);
        meter_sum_add(&sum, &meters[i]);
    }
    assert_int_equal(sum.bytes_up, 3ULL << 40);
    assert_int_equal(sum.failures[WHY_CONNECT_REFUSED], 3);
    assert_int_equal(sum.tunnels, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_by_status_and_latency),
        cmocka_unit_test(bounds_rise),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(beyond_the_last_bound_it_is_the_bound),
        cmocka_unit_test(loops_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
