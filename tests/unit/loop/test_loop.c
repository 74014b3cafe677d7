#include "../unit.h"

#include "base/mem.h"
#include "loop/clock.h"
#include "loop/loop.h"
#include "loop/random.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct loop loop;
static char trace[64];

static void note(char c) {
    size_t len = strlen(trace);
    assert_true(len + 1 < sizeof trace);
    trace[len] = c;
    trace[len + 1] = '\0';
}

static int setup(void **state) {
    (void)state;
    trace[0] = '\0';
    return loop_init(&loop);
}

static int teardown(void **state) {
    (void)state;
    loop_fini(&loop);
    return 0;
}

static void event_note(struct ev *ev, unsigned what) {
    (void)ev;
    (void)what;
    note('e');
}
static void timer_note(struct timer *timer) {
    (void)timer;
    note('t');
}
static void task_note(struct task *task) {
    (void)task;
    note('s');
}
static void dead_note(struct task *task) {
    (void)task;
    note('d');
}
static void letter_note(struct letter *letter) {
    (void)letter;
    note('l');
}

static void a_turn_has_its_order(void **state) {
    (void)state;
    int ends[2];
    struct timer timer;
    struct task soon = {.run = task_note}, dead = {.run = dead_note};
    struct letter letter = {.open = letter_note};
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    struct ev ev = {event_note, ends[1]};
    loop_bury(&loop, &dead);
    loop_soon(&loop, &soon);
    timer_init(&timer, timer_note);
    loop_arm(&loop, &timer, 0);
    assert_int_equal(loop_watch(&loop, &ev), 0);
    loop_post(&loop, &letter);
    loop_turn(&loop, -1);
    assert_string_equal(trace, "letsd");
    loop_turn(&loop, 0); /* edge-triggered: still writable is no event */
    assert_string_equal(trace, "letsd");
    loop_forget(&ev);
    close(ends[0]);
    close(ends[1]);
}

struct pair {
    struct ev evs[2];
};
static struct pair pair;

static void forget_other(struct ev *ev, unsigned what) {
    assert_true(what & POLLER_WRITE);
    note('e');
    loop_forget(&pair.evs[ev == &pair.evs[0]]);
}

static void nothing_is_delivered_to_the_forgotten(void **state) {
    (void)state;
    int a[2], b[2];
    assert_int_equal(pipe2(a, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_NONBLOCK | O_CLOEXEC), 0);
    pair.evs[0] = (struct ev){forget_other, a[1]};
    pair.evs[1] = (struct ev){forget_other, b[1]};
    assert_int_equal(loop_watch(&loop, &pair.evs[0]), 0);
    assert_int_equal(loop_watch(&loop, &pair.evs[1]), 0);
    loop_turn(&loop, 0);
    assert_string_equal(trace, "e");
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

static void a_bad_descriptor_is_refused(void **state) {
    (void)state;
    struct ev ev = {event_note, 1000000};
    assert_true(loop_watch(&loop, &ev) < 0);
}

static struct task again = {.run = NULL};
static void soon_again(struct task *task) {
    note('s');
    if (strlen(trace) < 3)
        loop_soon(&loop, task);
}

static void a_task_from_a_task_runs_in_the_next_turn_without_waiting(void **state) {
    (void)state;
    again.run = soon_again;
    loop_soon(&loop, &again);
    uint64_t before = clock_mono_ms();
    loop_turn(&loop, 60000);
    assert_string_equal(trace, "s");
    loop_turn(&loop, 60000);
    assert_string_equal(trace, "ss");
    loop_turn(&loop, 60000);
    assert_string_equal(trace, "sss");
    assert_true(clock_mono_ms() - before < 30000);
}

static void bury_again(struct task *task) {
    note('d');
    if (strlen(trace) < 3)
        loop_bury(&loop, task);
}

static void what_a_burial_buries_goes_in_the_same_turn(void **state) {
    (void)state;
    struct task dead = {.run = bury_again};
    loop_bury(&loop, &dead);
    loop_turn(&loop, 0);
    assert_string_equal(trace, "ddd");
}

static void stop_fire(struct timer *timer) {
    (void)timer;
    loop_stop(&loop);
}

static void run_sleeps_until_the_timer(void **state) {
    (void)state;
    struct timer timer;
    timer_init(&timer, stop_fire);
    loop_arm(&loop, &timer, 30);
    uint64_t due = loop.now_ms + 30;
    loop_run(&loop);
    assert_true(loop.now_ms >= due);
    assert_true(loop.turns <= 4); /* slept, not spun */
}

/* Letters from several threads: none lost, none twice, each sender's in order. */

enum { SENDERS = 3, LETTERS = 20000 };
struct parcel {
    struct letter letter;
    unsigned sender, number;
};
static unsigned next_number[SENDERS], arrived;

static void parcel_open(struct letter *letter) {
    struct parcel *parcel = (struct parcel *)letter;
    assert_int_equal(parcel->number, next_number[parcel->sender]);
    next_number[parcel->sender]++;
    mem_free(parcel);
    if (++arrived == SENDERS * LETTERS)
        loop_stop(&loop);
}

static void *send_all(void *context) {
    const unsigned *sender = context;
    for (unsigned i = 0; i < LETTERS; i++) {
        struct parcel *parcel = mem_zero(1, sizeof *parcel);
        if (!parcel)
            abort();
        *parcel = (struct parcel){{NULL, parcel_open}, *sender, i};
        loop_post(&loop, &parcel->letter);
    }
    return NULL;
}

static void letters_arrive_once_and_in_order(void **state) {
    (void)state;
    pthread_t threads[SENDERS];
    unsigned numbers[SENDERS];
    arrived = 0;
    for (unsigned i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        next_number[i] = 0;
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &numbers[i]), 0);
    }
    loop_run(&loop);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(arrived, SENDERS * LETTERS);
}

static void post_again(struct letter *letter) {
    note('l');
    if (strlen(trace) < 3)
        loop_post(&loop, letter);
}

static void a_letter_posted_by_a_letter_wakes_the_next_turn(void **state) {
    (void)state;
    struct letter letter = {.open = post_again};
    loop_post(&loop, &letter);
    for (int i = 0; i < 3; i++)
        loop_turn(&loop, 60000);
    assert_string_equal(trace, "lll");
}

static void unread_letters_are_opened_at_the_end(void **state) {
    (void)state;
    struct letter letter = {.open = letter_note};
    loop_post(&loop, &letter);
    loop_fini(&loop);
    assert_string_equal(trace, "l");
    assert_int_equal(loop_init(&loop), 0);
}

static void without_memory_there_is_no_loop(void **state) {
    (void)state;
    struct loop other;
    for (uint64_t i = 0; i < 2; i++) {
        mem_fail_after(i);
        int error = loop_init(&other);
        mem_fail_never();
        assert_true(error < 0);
    }
}

static void clocks_and_random_move(void **state) {
    (void)state;
    uint64_t ms = clock_mono_ms(), us = clock_mono_us();
    assert_true(us / 1000 >= ms && us / 1000 < ms + 10000);
    assert_true(clock_wall_ms() > 1700000000000u);
    unsigned char bytes[64] = {0}, zero[64] = {0};
    random_fill(bytes, sizeof bytes);
    assert_memory_not_equal(bytes, zero, sizeof bytes);
    assert_true(random_u64() != random_u64());
}

enum { CROWD = LOOP_EVENTS * 2 + 10 };
static unsigned heard[CROWD];
static struct ev crowd[CROWD];

static void crowd_note(struct ev *ev, unsigned what) {
    assert_int_equal(what, POLLER_WRITE);
    heard[ev - crowd]++;
}

static void more_events_than_a_turn_takes_come_in_the_next(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct ev){crowd_note, fcntl(ends[1], F_DUPFD_CLOEXEC, 0)};
        assert_true(crowd[i].fd >= 0);
        assert_int_equal(loop_watch(&loop, &crowd[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        loop_turn(&loop, 0);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(heard[i], 1);
        close(crowd[i].fd);
    }
    close(ends[0]);
    close(ends[1]);
}

static void without_descriptors_there_is_no_loop(void **state) {
    (void)state;
    struct loop other;
    struct rlimit before, less;
    int next = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int room = 0; room < 2; room++) {
        less = (struct rlimit){(rlim_t)(next + room), before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
        assert_int_equal(loop_init(&other), -EMFILE);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_turn_has_its_order, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_delivered_to_the_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_descriptor_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_task_from_a_task_runs_in_the_next_turn_without_waiting, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_burial_buries_goes_in_the_same_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(run_sleeps_until_the_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(letters_arrive_once_and_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_letter_posted_by_a_letter_wakes_the_next_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(unread_letters_are_opened_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(more_events_than_a_turn_takes_come_in_the_next, setup, teardown),
        cmocka_unit_test(without_descriptors_there_is_no_loop),
        cmocka_unit_test(without_memory_there_is_no_loop),
        cmocka_unit_test(clocks_and_random_move),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
