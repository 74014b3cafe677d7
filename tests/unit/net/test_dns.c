#include "../unit.h"

#include "base/mem.h"
#include "net/dns.h"

#include <stdio.h>
#include <unistd.h>

/* A name server of a few names in this process, asked over UDP, or over TCP where its answer is cut. */

static struct loop loop;
static struct dns *dns;
static int server, listener, connection = -1;
static uint16_t port;
static unsigned questions; /* that reached the server */
static unsigned char rcode;
static bool is_mute;

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28 };

/* Answers in place: the question stays, records with the TTL 300, 60, ... are put behind it. */
static size_t reply_make(unsigned char *bytes, size_t len, bool is_cut) {
    bool is_v6 = bytes[len - 3] == TYPE_AAAA,
         is_long = bytes[HEADER] == 4 && !memcmp(bytes + HEADER + 1, "long", 4);
    bool is_known = bytes[HEADER] == 3 || is_long;
    unsigned records = rcode || !is_known ? 0 : is_v6 ? 1 : 2;
    is_cut &= is_long;
    bytes[2] = (unsigned char)(0x84 | (is_cut ? 2 : 0));
    bytes[3] = rcode ? rcode : is_known ? 0 : 3;
    memset(bytes + 6, 0, 6);
    if (is_cut)
        return len;
    bytes[7] = (unsigned char)records;
    for (unsigned i = 0; i < records; i++) {
        const unsigned char head[] = {0xc0,
                                      HEADER,
                                      0,
                                      is_v6 ? TYPE_AAAA : TYPE_A,
                                      0,
                                      1,
                                      0,
                                      0,
                                      (unsigned char)(i ? 0 : 1),
                                      (unsigned char)(i ? 60 : 44),
                                      0,
                                      is_v6 ? 16 : 4};
        memcpy(bytes + len, head, sizeof head);
        len += sizeof head;
        memset(bytes + len, 0, 16);
        bytes[len + (is_v6 ? 15 : 3)] = (unsigned char)(i + 1);
        bytes[len] = is_v6 ? 0xfd : 10;
        len += is_v6 ? 16 : 4;
    }
    return len;
}

static void serve_udp(void) {
    unsigned char bytes[2048];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t got;
    while ((got = recvfrom(server, bytes, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &size)) > HEADER) {
        questions++;
        size_t len = reply_make(bytes, (size_t)got, true);
        if (!is_mute)
            sendto(server, bytes, len, 0, (struct sockaddr *)&from, size);
    }
}

static void serve_tcp(void) {
    unsigned char bytes[2048];
    if (connection < 0)
        connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    ssize_t got = connection < 0 ? -1 : recv(connection, bytes, 512, 0);
    if (got <= 2 + HEADER)
        return;
    size_t len = reply_make(bytes + 2, (size_t)got - 2, false);
    bytes[0] = (unsigned char)(len >> 8);
    bytes[1] = (unsigned char)len;
    assert_int_equal(send(connection, bytes, 2, 0), 2); /* in pieces */
    assert_int_equal(send(connection, bytes + 2, len, 0), (ssize_t)(len));
}

struct asker {
    struct dns_query query;
    unsigned told;
    struct dns_answer answer;
    struct address addresses[2 * NAMESERVER_RECORDS_MAX];
};

static void told(struct dns_query *query, const struct dns_answer *answer) {
    struct asker *asker = LIST_OF(query, struct asker, query);
    asker->told++;
    asker->answer = *answer;
    for (unsigned i = 0; i < answer->count; i++)
        asker->addresses[i] = answer->addresses[i];
}

static void wait_for(struct asker *asker) {
    for (unsigned i = 0; i < 500 && !asker->told; i++) {
        loop_turn(&loop, 10);
        serve_udp();
        serve_tcp();
    }
    assert_int_equal(asker->told, 1);
}

static void dns_make(bool has_v4, bool has_v6, uint64_t valid_ms) {
    char list[64];
    snprintf(list, sizeof list, "127.0.0.1:%u", port);
    struct dns_setup setup = {
        .loop = &loop, .servers = str_of(list), .valid_ms = valid_ms, .has_v4 = has_v4, .has_v6 = has_v6};
    dns = dns_new(&setup);
    assert_non_null(dns);
}

static int setup(void **state) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof own;
    (void)state;
    questions = 0;
    rcode = 0;
    is_mute = false;
    assert_int_equal(loop_init(&loop), 0);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&own, &size), 0);
    server = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&own, size), 0);
    port = ntohs(own.sin_port);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    dns_free(dns);
    loop_turn(&loop, 0);
    loop_fini(&loop);
    close(server);
    close(listener);
    if (connection >= 0)
        close(connection);
    connection = -1;
    return 0;
}

static void a_name_is_found_and_kept(void **state) {
    struct asker first = {0}, second = {0};
    (void)state;
    dns_make(true, false, 0);
    assert_null(dns_begin(dns, &first.query, STR("App.example"), 5000, told));
    wait_for(&first);
    assert_int_equal(first.answer.code, NAMESERVER_FOUND);
    assert_int_equal(first.answer.count, 2);
    assert_int_equal(first.answer.valid_ms, 60000); /* the least */
    address_set_port(&first.addresses[1], 80);
    struct address expected;
    address_parse(STR("10.0.0.2"), 80, &expected);
    assert_true(address_eq(&first.addresses[1], &expected));
    const struct dns_answer *known = dns_begin(dns, &second.query, STR("app.EXAMPLE."), 5000, told);
    assert_non_null(known);
    assert_int_equal(known->count, 2);
    assert_int_equal(questions, 1);
}

static void both_families_are_asked_for(void **state) {
    struct asker asker = {0};
    (void)state;
    dns_make(true, true, 7000);
    assert_null(dns_begin(dns, &asker.query, STR("app.example"), 5000, told));
    wait_for(&asker);
    assert_int_equal(asker.answer.count, 3);
    assert_int_equal(asker.answer.valid_ms, 7000);
    assert_int_equal(questions, 2);
}

static void a_cut_answer_is_asked_for_again_over_tcp(void **state) {
    struct asker asker = {0};
    (void)state;
    dns_make(true, false, 0);
    assert_null(dns_begin(dns, &asker.query, STR("long.example"), 5000, told));
    wait_for(&asker);
    assert_int_equal(asker.answer.code, NAMESERVER_FOUND);
    assert_int_equal(asker.answer.count, 2);
    assert_true(connection >= 0);
}

static void failures_are_told_and_not_kept(void **state) {
    (void)state;
    static const struct {
        unsigned char rcode;
        const char *text;
    } cases[] = {{1, "Format error"},
                 {2, "Server failure"},
                 {3, "Host not found"},
                 {4, "Unimplemented"},
                 {5, "Operation refused"}};
    dns_make(true, false, 0);
    for (unsigned i = 0; i < 5; i++) {
        struct asker asker = {0};
        rcode = cases[i].rcode;
        assert_null(dns_begin(dns, &asker.query, STR("app.example"), 5000, told));
        wait_for(&asker);
        assert_int_equal(asker.answer.code, rcode);
        assert_string_equal(dns_code_text(asker.answer.code), cases[i].text);
    }
    assert_int_equal(questions, 5);
    struct asker none = {0};
    const struct dns_answer *known = dns_begin(dns, &none.query, STR("."), 5000, told);
    assert_non_null(known);
    assert_int_equal(known->code, NAMESERVER_FORMAT);
}

static void nobody_waits_for_ever(void **state) {
    struct asker asker = {0};
    (void)state;
    dns_make(true, false, 0);
    is_mute = true;
    assert_null(dns_begin(dns, &asker.query, STR("app.example"), 50, told));
    wait_for(&asker);
    assert_int_equal(asker.answer.code, NAMESERVER_TIMEOUT);
    assert_string_equal(dns_code_text(asker.answer.code), "Operation timed out");
}

static void who_waits_together_asks_once(void **state) {
    struct asker askers[3] = {0};
    (void)state;
    dns_make(true, false, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_null(dns_begin(dns, &askers[i].query, STR("app.example"), 5000, told));
    dns_cancel(&askers[1].query);
    dns_cancel(&askers[1].query);
    wait_for(&askers[0]);
    wait_for(&askers[2]);
    assert_int_equal(askers[1].told, 0);
    assert_int_equal(questions, 1);
}

static void no_memory_is_a_failure(void **state) {
    struct asker asker = {0};
    (void)state;
    dns_make(true, true, 0);
    for (uint64_t i = 0; i < 40; i++) {
        char name[] = "app.examplexx";
        name[sizeof name - 3] = (char)('a' + i / 26);
        name[sizeof name - 2] = (char)('a' + i % 26);
        mem_fail_after(i);
        const struct dns_answer *known = dns_begin(dns, &asker.query, str_of(name), 20, told);
        mem_fail_never();
        if (known)
            assert_int_equal(known->code, NAMESERVER_FAILURE);
        else
            wait_for(&asker);
        asker.told = 0;
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_name_is_found_and_kept),
        TEST(both_families_are_asked_for),
        TEST(a_cut_answer_is_asked_for_again_over_tcp),
        TEST(failures_are_told_and_not_kept),
        TEST(nobody_waits_for_ever),
        TEST(who_waits_together_asks_once),
        TEST(no_memory_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
