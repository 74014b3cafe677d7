#include "fixture.h"

/* What must hold of the hash methods whatever the keys; that they place as nginx does is test_placement's. */

enum { KEYS = 10000, SERVERS = 10 };

static struct str key_of(unsigned number, char memory[32]) {
    int len = snprintf(memory, 32, "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
    return str_make(memory, (size_t)len);
}

static int place(struct fixture *f, unsigned number) {
    char memory[32];
    struct address address;
    struct pick pick = {.key = key_of(number, memory), .client = &address};
    assert_true(address_parse(pick.key, 0, &address));
    return fixture_index(f, group_pick(f->group, &pick, 0));
}

static void servers_begin(struct fixture *f, enum balance balance, unsigned count) {
    fixture_init(f, balance);
    for (unsigned i = 0; i < count; i++)
        fixture_server(f, 1);
    fixture_begin(f, 1);
}

/* Keys that are placed elsewhere when one server is added. */
static unsigned moved(enum balance balance, unsigned *astray) {
    struct fixture few, many;
    servers_begin(&few, balance, SERVERS);
    servers_begin(&many, balance, SERVERS + 1);
    unsigned count = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        int before = place(&few, i), after = place(&many, i);
        count += before != after;
        *astray += before != after && after != SERVERS;
    }
    fixture_fini(&few);
    fixture_fini(&many);
    return count;
}

static void test_ring_moves_few(void **state) {
    (void)state;
    unsigned astray = 0;
    unsigned count = moved(BALANCE_HASH_CONSISTENT, &astray);
    assert_int_equal(astray, 0); /* all that move go to the new one */
    assert_in_range(count, KEYS / (SERVERS + 1) * 7 / 10, KEYS / (SERVERS + 1) * 13 / 10);
    assert_in_range(moved(BALANCE_HASH, &astray), KEYS * 8 / 10, KEYS); /* what consistent hashing spares */
}

static void test_shares(void **state) {
    (void)state;
    static const enum balance methods[] = {BALANCE_HASH, BALANCE_HASH_CONSISTENT, BALANCE_IP_HASH};
    for (size_t m = 0; m < 3; m++) {
        struct fixture f;
        servers_begin(&f, methods[m], SERVERS);
        unsigned given[SERVERS] = {0};
        for (unsigned i = 0; i < KEYS; i++)
            given[place(&f, i * 271)]++;
        for (unsigned i = 0; i < SERVERS; i++)
            assert_in_range(given[i], KEYS / SERVERS * 6 / 10, KEYS / SERVERS * 14 / 10);
        fixture_fini(&f);
    }
}

static void test_ip_hash_takes_networks(void **state) {
    (void)state;
    struct fixture f;
    servers_begin(&f, BALANCE_IP_HASH, SERVERS);
    int first = place(&f, 0);
    for (unsigned i = 1; i < 256; i++)
        assert_int_equal(place(&f, i), first);
    struct address nobody = {.len = 0}, local;
    struct pick a = {.client = &nobody}, b = {.client = &local};
    assert_true(address_unix(STR("/run/x"), &local));
    assert_ptr_equal(group_pick(f.group, &a, 0), group_pick(f.group, &b, 0));
    fixture_fini(&f);
}

static void test_down_keeps_the_others_places(void **state) {
    (void)state;
    static const enum balance methods[] = {BALANCE_HASH, BALANCE_HASH_CONSISTENT, BALANCE_IP_HASH};
    for (size_t m = 0; m < 3; m++) {
        struct fixture whole, part;
        servers_begin(&whole, methods[m], SERVERS);
        fixture_init(&part, methods[m]);
        for (unsigned i = 0; i < SERVERS; i++)
            fixture_server(&part, 1)->is_down = i == 3;
        fixture_begin(&part, 1);
        for (unsigned i = 0; i < 1000; i++) {
            int before = place(&whole, i * 271), after = place(&part, i * 271);
            assert_true(before == 3 ? after != 3 : after == before);
        }
        fixture_fini(&whole);
        fixture_fini(&part);
    }
}

static void test_empty_key_goes_round(void **state) {
    (void)state;
    static const enum balance methods[] = {BALANCE_HASH, BALANCE_HASH_CONSISTENT};
    for (size_t m = 0; m < 2; m++) {
        struct fixture f;
        servers_begin(&f, methods[m], 3);
        assert_string_equal(fixture_letters(&f, 0, 6, 0), "abcabc");
        fixture_fini(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_moves_few),         cmocka_unit_test(test_shares),
        cmocka_unit_test(test_ip_hash_takes_networks), cmocka_unit_test(test_down_keeps_the_others_places),
        cmocka_unit_test(test_empty_key_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
