#include "../unit.h"

#include "loop/timer.h"

#include <limits.h>

/* The wheel against the plainest model there is: each timer's due time in an array. */

enum { TIMERS = 300 };

struct subject {
    struct timer timer; /* first */
    uint64_t want_ms;   /* the model: when it shall fire */
    bool is_armed;
    struct bench *bench;
};

struct bench {
    struct timer_wheel wheel;
    struct subject subjects[TIMERS];
    uint64_t run_ms, last_ms; /* this run's end; due time of what fired last in it */
    uint64_t seed;
    bool is_acting; /* what fires arms and disarms others */
    size_t fired;
};

static uint64_t roll(struct bench *bench, uint64_t below) {
    bench->seed = bench->seed * 6364136223846793005u + 1442695040888963407u;
    return (bench->seed >> 33) % below;
}

static void arm(struct subject *subject, uint64_t due_ms) {
    subject->want_ms = due_ms;
    subject->is_armed = true;
    timer_arm(&subject->bench->wheel, &subject->timer, due_ms);
    assert_true(timer_is_armed(&subject->timer));
    assert_true(subject->timer.placed_ms <= due_ms);
}

static void disarm(struct subject *subject) {
    subject->is_armed = false;
    timer_disarm(&subject->timer);
    assert_false(timer_is_armed(&subject->timer));
}

static uint64_t span(struct bench *bench) {
    static const uint64_t spans[] = {1, 3, 64, 65, 4096, 5000, 300000, 20000000, 1100000000, 3000000000};
    return roll(bench, spans[roll(bench, sizeof spans / sizeof *spans)]);
}

static void act(struct bench *bench, uint64_t now) {
    struct subject *other = &bench->subjects[roll(bench, TIMERS)];
    if (roll(bench, 3) == 0)
        disarm(other);
    else
        arm(other, now + 1 + span(bench));
}

static void fire(struct timer *timer) {
    struct subject *subject = (struct subject *)timer;
    struct bench *bench = subject->bench;
    assert_true(subject->is_armed);
    assert_false(timer_is_armed(timer));
    assert_true(subject->want_ms <= bench->run_ms);
    assert_true(subject->want_ms >= bench->last_ms);
    bench->last_ms = subject->want_ms;
    subject->is_armed = false;
    bench->fired++;
    if (bench->is_acting) {
        act(bench, bench->run_ms);
        if (roll(bench, 2))
            act(bench, subject->want_ms); /* may be due within this very run */
    }
}

static void bench_init(struct bench *bench, uint64_t now, uint64_t seed) {
    *bench = (struct bench){.seed = seed};
    timer_wheel_init(&bench->wheel, now);
    for (size_t i = 0; i < TIMERS; i++) {
        timer_init(&bench->subjects[i].timer, fire);
        bench->subjects[i].bench = bench;
    }
}

static uint64_t model_next(const struct bench *bench) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < TIMERS; i++)
        if (bench->subjects[i].is_armed && bench->subjects[i].want_ms < next)
            next = bench->subjects[i].want_ms;
    return next;
}

static void run(struct bench *bench, uint64_t now) {
    bench->run_ms = now;
    bench->last_ms = 0;
    timer_wheel_run(&bench->wheel, now);
    uint64_t next = model_next(bench);
    assert_true(next > now);
    /* The wheel never asks to be run later than the first timer wants. */
    assert_true((uint64_t)timer_wheel_wait(&bench->wheel, now, INT_MAX) <= next - now);
}

static void play(struct bench *bench, uint64_t now, int steps) {
    for (int step = 0; step < steps; step++) {
        for (uint64_t i = roll(bench, 20); i > 0; i--)
            act(bench, now);
        if (roll(bench, 3) == 0)
            now += roll(bench, 100);
        else if (roll(bench, 2) == 0)
            now += span(bench);
        else
            now += (uint64_t)timer_wheel_wait(&bench->wheel, now, INT_MAX);
        run(bench, now);
    }
    assert_true(bench->fired > 0);
}

static void random_operations_agree_with_the_model(void **state) {
    static struct bench bench;
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        bench_init(&bench, seed * 987654321, seed);
        bench.is_acting = seed % 2;
        play(&bench, seed * 987654321, 300);
    }
}

static void every_distance_fires_at_its_millisecond(void **state) {
    static struct bench bench;
    (void)state;
    for (unsigned bit = 0; bit < 36; bit++) {
        for (int off = -1; off <= 1; off++) {
            uint64_t start = 0x123456789abcu, due = start + ((uint64_t)1 << bit) + (uint64_t)off;
            bench_init(&bench, start, 1);
            arm(&bench.subjects[0], due);
            if (due > start) {
                run(&bench, due - 1);
                assert_int_equal(bench.fired, 0);
            }
            bench.run_ms = due;
            timer_wheel_run(&bench.wheel, due);
            assert_int_equal(bench.fired, 1);
        }
    }
}

static void sleeping_as_told_reaches_far_timers_in_few_steps(void **state) {
    static struct bench bench;
    (void)state;
    bench_init(&bench, 5, 1);
    arm(&bench.subjects[0], 5 + 5000000000u); /* 58 days: beyond the last level */
    uint64_t now = 5;
    int steps = 0;
    while (!bench.fired) {
        now += (uint64_t)timer_wheel_wait(&bench.wheel, now, INT_MAX);
        bench.run_ms = now;
        timer_wheel_run(&bench.wheel, now);
        steps++;
    }
    assert_int_equal(now, 5 + 5000000000u);
    assert_true(steps < 20);
    assert_int_equal(timer_wheel_wait(&bench.wheel, now, 1234), 1234);
}

static struct timer_wheel wheel;
static struct timer first, second;
static int count;

static void rearm(struct timer *timer) {
    count++;
    timer_arm(&wheel, timer, 100);
}

static void a_timer_rearmed_for_now_waits_for_the_next_run(void **state) {
    (void)state;
    count = 0;
    timer_wheel_init(&wheel, 90);
    timer_init(&first, rearm);
    timer_arm(&wheel, &first, 100);
    timer_wheel_run(&wheel, 100);
    assert_int_equal(count, 1);
    assert_int_equal(timer_wheel_wait(&wheel, 100, 10), 0);
    timer_wheel_run(&wheel, 100);
    assert_int_equal(count, 2);
    timer_wheel_run(&wheel, 100);
    assert_int_equal(count, 3);
    timer_disarm(&first);
    timer_wheel_run(&wheel, 101);
    assert_int_equal(count, 3);
}

static void disarm_other(struct timer *timer) {
    count++;
    timer_disarm(timer == &first ? &second : &first);
}

static void one_disarms_another_due_in_the_same_run(void **state) {
    (void)state;
    for (uint64_t gap = 0; gap < 200; gap += 63) {
        count = 0;
        timer_wheel_init(&wheel, 90);
        timer_init(&first, disarm_other);
        timer_init(&second, disarm_other);
        timer_arm(&wheel, &first, 100);
        timer_arm(&wheel, &second, 100 + gap);
        timer_wheel_run(&wheel, 1000);
        assert_int_equal(count, 1);
        assert_false(timer_is_armed(&first));
        assert_false(timer_is_armed(&second));
    }
}

static void moving_later_is_lazy_and_moving_earlier_is_not(void **state) {
    static struct bench bench;
    (void)state;
    bench_init(&bench, 0, 1);
    arm(&bench.subjects[0], 50);
    struct list *place = bench.subjects[0].timer.node.prev;
    for (uint64_t due = 51; due < 100000; due += 997)
        arm(&bench.subjects[0], due);
    assert_ptr_equal(bench.subjects[0].timer.node.prev, place);
    arm(&bench.subjects[0], 10);
    run(&bench, 9);
    assert_int_equal(bench.fired, 0);
    run(&bench, 10);
    assert_int_equal(bench.fired, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_the_model),
        cmocka_unit_test(every_distance_fires_at_its_millisecond),
        cmocka_unit_test(sleeping_as_told_reaches_far_timers_in_few_steps),
        cmocka_unit_test(a_timer_rearmed_for_now_waits_for_the_next_run),
        cmocka_unit_test(one_disarms_another_due_in_the_same_run),
        cmocka_unit_test(moving_later_is_lazy_and_moving_earlier_is_not),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
