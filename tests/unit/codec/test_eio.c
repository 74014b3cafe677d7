#include "edge.h"

#include "base/builder.h"
#include "codec/eio.h"

static const struct query {
    const char *text;
    bool is_engine;
    unsigned version;
    enum eio_transport transport;
    const char *sid;
} queries[] = {
    {"EIO=4&transport=polling&t=Oabc", true, 4, EIO_POLLING, ""},
    {"t=1&sid=lv_VI97HAXpY6yYWAAAC&transport=websocket&EIO=4", true, 4, EIO_WEBSOCKET, "lv_VI97HAXpY6yYWAAAC"},
    {"EIO=3&transport=polling&j=0", true, 3, EIO_POLLING, ""},
    {"transport=polling&sid=a", true, 3, EIO_POLLING, "a"},
    {"transport=polling", false, 3, EIO_POLLING, ""},
    {"EIO=4", false, 4, EIO_NO_TRANSPORT, ""},
    {"EIO=4&sid=a", false, 4, EIO_NO_TRANSPORT, "a"},
    {"", false, 3, EIO_NO_TRANSPORT, ""},
    {"&&", false, 3, EIO_NO_TRANSPORT, ""},
    {"EIO=4&transport=webtransport", true, 4, EIO_OTHER_TRANSPORT, ""},
    {"EIO=4&transport=Polling", true, 4, EIO_OTHER_TRANSPORT, ""},
    {"EIO=4&transport", true, 4, EIO_OTHER_TRANSPORT, ""},
    {"EIO=4&transport=poll%69ng", true, 4, EIO_POLLING, ""},
    {"EIO=%34&transport=polling", true, 4, EIO_POLLING, ""},
    {"EIO=04&transport=polling", true, 3, EIO_POLLING, ""},
    {"EIO=4&EIO=3&transport=polling&transport=websocket", true, 4, EIO_POLLING, ""},
    {"EIO=3&EIO=4&transport=polling", true, 3, EIO_POLLING, ""},
    {"eio=4&TRANSPORT=polling&SID=a", false, 3, EIO_NO_TRANSPORT, ""},
    {"EIO=4&transport=polling&xsid=a&sidx=b&user[sid]=c", true, 4, EIO_POLLING, ""},
    {"EIO=4&transport=polling&sid=", true, 4, EIO_POLLING, ""},
    {"EIO=4&transport=polling&sid", true, 4, EIO_POLLING, ""},
    {"EIO=4&transport=polling&sid=a&sid=a", true, 4, EIO_POLLING, "a"},
    {"EIO=4&transport=polling&sid=a&sid=%61", true, 4, EIO_POLLING, "a"},
    {"EIO=4&transport=polling&sid=a&sid=b", false, 4, EIO_POLLING, "a"},
    {"EIO=4&transport=polling&sid=a&sid=", false, 4, EIO_POLLING, "a"},
    {"EIO=4&transport=polling&sid=&sid=a", false, 4, EIO_POLLING, ""},
    {"EIO=4&transport=polling&sid=a%2Fb%3D+c", true, 4, EIO_POLLING, "a/b= c"},
    {"EIO=4&transport=polling&sid=a%2", true, 4, EIO_POLLING, "a%2"},
    {"EIO=4&transport=polling&sid=%zz%4", true, 4, EIO_POLLING, "%zz%4"},
    {"EIO=4&transport=polling&sid=%z1%1z", true, 4, EIO_POLLING, "%z1%1z"},
    {"EIO=4&transport=polling&sid=a+b", true, 4, EIO_POLLING, "a b"},
    {"EIO=4&transport=polling&sid=%0a%F0", true, 4, EIO_POLLING, "\n\xf0"},
    {"EIO=4&transport=polling&sid=a=b", true, 4, EIO_POLLING, "a=b"},
    {"sid=a?sid=b&EIO=4&transport=polling", true, 4, EIO_POLLING, "a?sid=b"},
};

static void test_queries(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct eio_query query;
        const struct query *row = &queries[i];
        eio_query_parse(&query, edge_place(str_of(row->text)));
        if (query.is_engine != row->is_engine || query.version != row->version ||
            query.transport != row->transport || !str_eq(query.sid, str_of(row->sid)))
            fail_msg("%s: %d %d %d %.*s", row->text, query.is_engine, query.version, query.transport,
                     STR_ARG(query.sid));
    }
}

static void test_sid_len(void **state) {
    (void)state;
    for (unsigned len = EIO_SID_MAX - 1; len < EIO_SID_MAX + 2; len++)
        for (unsigned escaped = 0; escaped < 2; escaped++) {
            char text[1024];
            struct eio_query query;
            struct builder b = builder_make(text, sizeof text);
            builder_str(&b, STR("EIO=4&transport=polling&sid="));
            for (unsigned i = 0; i < len; i++)
                builder_str(&b, escaped ? STR("%41") : STR("A"));
            eio_query_parse(&query, edge_place(builder_view(&b)));
            assert_int_equal(query.is_engine, len <= EIO_SID_MAX);
            assert_int_equal(query.sid.len, len <= EIO_SID_MAX ? len : 0);
        }
}

#define JSON "{\"sid\":\"abc-_1\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,\"pingTimeout\":20000}"
#define JSON_LEN 82
#define QUOTED                                                                                     \
    "{\\\"sid\\\":\\\"abc-_1\\\",\\\"upgrades\\\":[\\\"websocket\\\"],\\\"pingInterval\\\":25000," \
    "\\\"pingTimeout\\\":20000}"

/* Each gives the packet above. `len`: for texts with NUL. */
static const struct open {
    const char *text;
    size_t len;
} opens[] = {
    {"0" JSON, 0},
    {"0" JSON "\x1e"
     "40",
     0},
    {"0" JSON "garbage", 0},
    {"83:0" JSON, 0},
    {"83:0" JSON "2:40", 0},
    {"97:0" JSON "2:40", 0},
    {"1:0" JSON, 0},
    {"0{\"pingTimeout\": 20000.0, \"x\":{\"sid\":\"no\",\"}\":[\"\\\"]\\\\\"]},\n \"pingInterval\":25000, "
     "\"sid\" :\"abc-_\\u0031\"}",
     0},
    {"90:0{\"n\":\"\xc3\xa9\xf0\x9f\x98\x80\",\"sid\":\"abc-_1\",\"pingInterval\":25000,\"pingTimeout\":20000}"
     "2:40",
     0},
    {"\x00\x08\x03\xff"
     "0" JSON,
     4 + 1 + JSON_LEN},
    {"\x00\x08\x03\xff"
     "0" JSON "\x00\x02\xff"
     "40",
     4 + 1 + JSON_LEN + 5},
    {"\x01\x08\x03\xff\x00" JSON, 5 + JSON_LEN},
    {"___eio[0](\"0" QUOTED "\");", 0},
    {"___eio[0](\"0" QUOTED "\\u00zz\");", 0},
    {"___eio[1290](\"83:0" QUOTED "2:40\");", 0},
    {"___eio[](\"0" QUOTED "\\u001e40\");", 0},
    {"___eio[0](\"\\u0030" QUOTED "\");", 0},
    {"114:"
     "b0eyJzaWQiOiJhYmMtXzEiLCJ1cGdyYWRlcyI6WyJ3ZWJzb2NrZXQiXSwicGluZ0ludGVydmFsIjoyNTAwMCwicGluZ1RpbWVvdXQiOjI"
     "wMDAwfQ==",
     0},
};

static void open_is(const struct eio_open *open) {
    assert_str(str_make(open->sid, open->sid_len), STR("abc-_1"));
    assert_int_equal(open->ping_interval_ms, 25000);
    assert_int_equal(open->ping_timeout_ms, 20000);
}

static void test_opens(void **state) {
    (void)state;
    assert_int_equal(sizeof JSON - 1, JSON_LEN);
    for (unsigned i = 0; i < sizeof opens / sizeof opens[0]; i++) {
        struct eio_open open;
        size_t len = opens[i].len ? opens[i].len : strlen(opens[i].text), first_done = len + 1;
        for (size_t cut = 0; cut <= len; cut++) {
            struct str body = edge_place(str_make(opens[i].text, cut));
            enum codec_result early = eio_open_parse(&open, body, false);
            if (early == CODEC_BAD || (early == CODEC_MORE && first_done < cut))
                fail_msg("row %u: %d after %zu", i, early, cut);
            if (early == CODEC_DONE)
                open_is(&open);
            if (early == CODEC_DONE && first_done > len)
                first_done = cut;
            assert_int_equal(eio_open_parse(&open, body, true), early == CODEC_DONE ? CODEC_DONE : CODEC_BAD);
        }
        assert_true(first_done <= len);
    }
}

static void test_open_refused(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{\"code\":1,\"message\":\"Session ID unknown\"}",
        "ok",
        "1",
        "4hello",
        "0[]",
        "00",
        "0\"a\"",
        "0{}",
        "0{]",
        "0{\"sid\":1}",
        "0{\"sid\":\"\"}",
        "0{\"sid\":null}",
        "0{\"sid\":\"a\",}",
        "0{\"sid\":\"\xff\"}",
        "0{\"sid\":\"a\\u0000\"}",
        "0 {\"sid\":\"a\"}",
        "12:",
        "12:1",
        "12:4{}",
        "a:0{}",
        ":0{}",
        "12345678901:0{}",
        "4:b4aa",
        "3:b0a",
        "0:b0aaaa",
        "99999:b0aaaa",
        "\x01\x01\xff"
        "0",
        "___eio[a](\"",
        "___eio[0]('",
        "__eio",
        "___eio[0](\"4\"",
        "___eio[0](\"\\u00zz",
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eio_open open;
        struct str body = edge_place(str_of(rows[i]));
        if (eio_open_parse(&open, body, true) != CODEC_BAD)
            fail_msg("taken: %s", rows[i]);
        bool is_length = strcmp(rows[i], "1") == 0 || strcmp(rows[i], "12:") == 0;
        if (!is_length && i < 20 && eio_open_parse(&open, body, false) != CODEC_BAD)
            fail_msg("not refused early: %s", rows[i]);
    }
}

static void test_open_ends_early(void **state) {
    (void)state;
    struct eio_open open;
    assert_int_equal(eio_open_parse(&open, STR("___eio[0](\"0{"), false), CODEC_MORE);
    assert_int_equal(eio_open_parse(&open, STR("___eio[0](\"0{\""), false), CODEC_BAD);
    assert_int_equal(eio_open_parse(&open, STR("___eio[0](\"0{\\u00z"), false), CODEC_BAD);
    assert_int_equal(eio_open_parse(&open, STR("0{\"sid\":\"a\"\x1e}"), false), CODEC_BAD);
    assert_int_equal(eio_open_parse(&open,
                                    STR("\x00\xff"
                                        "0{\"sid\":\"a\"}"),
                                    true),
                     CODEC_BAD);
    assert_int_equal(eio_open_parse(&open, STR("18:b1eyJzaWQiOiJhIn0="), true), CODEC_BAD);
    assert_int_equal(eio_open_parse(&open, STR("18:b0eyJzaWQiOiJhIn0="), true), CODEC_DONE);
    assert_int_equal(eio_open_parse(&open, STR("17:b0eyJzaWQiOiJhIn0="), true), CODEC_BAD);
    assert_int_equal(eio_open_parse(&open, STR("9999:b0eyJz"), false), CODEC_BAD);
}

static void test_open_values(void **state) {
    (void)state;
    struct eio_open open;
    struct str body = STR("___eio[0](\"0{\\\"sid\\\":\\\"\\u00e9\\u20AC\\u0080\\u07ff\\u0800\\/"
                          "\\\",\\t\\\"pingInterval\\\":1}\");");
    assert_int_equal(eio_open_parse(&open, body, true), CODEC_DONE);
    assert_str(str_make(open.sid, open.sid_len), STR("\xc3\xa9\xe2\x82\xac\xc2\x80\xdf\xbf\xe0\xa0\x80/"));
    assert_true(open.ping_interval_ms == 1 && open.ping_timeout_ms == 0);
}

static void test_open_bounds(void **state) {
    (void)state;
    static char text[20000];
    struct eio_open open;
    for (unsigned kind = 0; kind < 3; kind++)
        for (size_t size = 4096; size <= 4097; size++) {
            struct builder b = builder_make(text, sizeof text);
            builder_str(&b, kind == 0   ? STR("0")
                            : kind == 1 ? STR("___eio[0](\"0")
                                        : str_make("\x00\x01\xff"
                                                   "0",
                                                   4));
            size_t start = b.len;
            builder_str(&b, kind == 1 ? STR("{\\\"sid\\\":\\\"a\\\",\\\"b\\\":\\\"")
                                      : STR("{\"sid\":\"a\",\"b\":\""));
            size_t escapes = kind == 1 ? 7 : 0;
            while (b.len - start - escapes < size - 2)
                builder_char(&b, 'x');
            builder_str(&b, kind == 1 ? STR("\\\"}\")") : STR("\"}"));
            enum codec_result wanted = size > 4096 ? CODEC_BAD : CODEC_DONE;
            assert_int_equal(eio_open_parse(&open, edge_place(builder_view(&b)), true), wanted);
        }
    for (unsigned len = EIO_SID_MAX; len <= EIO_SID_MAX + 1; len++) {
        struct builder b = builder_make(text, sizeof text);
        builder_str(&b, STR("0{\"sid\":\""));
        for (unsigned i = 0; i < len; i++)
            builder_char(&b, 'a');
        builder_str(&b, STR("\"}"));
        assert_int_equal(eio_open_parse(&open, builder_view(&b), true),
                         len > EIO_SID_MAX ? CODEC_BAD : CODEC_DONE);
    }
    memset(text, '[', sizeof text);
    memcpy(text, "0{\"a\":", 6);
    assert_int_equal(eio_open_parse(&open, str_make(text, 4000), false), CODEC_BAD);
    assert_int_equal(
        eio_open_parse(&open, STR("0{\"sid\":\"a\",\"pingInterval\":-5,\"pingTimeout\":1e300}"), true),
        CODEC_DONE);
    assert_true(open.ping_interval_ms == 0 && open.ping_timeout_ms == 0);
}

static const struct payload {
    const char *text;
    size_t len;
    unsigned version;
    bool closes;
} payloads[] = {
    {"1", 1, 4, true},
    {"6\x1e"
     "1",
     3, 4, true},
    {"1\x1e"
     "4a",
     4, 4, true},
    {"41", 2, 4, false},
    {"4a\x1e"
     "41\x1e"
     "b1",
     8, 4, false},
    {"", 0, 4, false},
    {"\x1e\x1e", 2, 4, false},
    {"1:1", 3, 4, true},
    {"1:1", 3, 3, true},
    {"2:411:1", 7, 3, true},
    {"2:41", 4, 3, false},
    {"1", 1, 3, false},
    {"3:4\xc3\xa9\xe2\x82\xac"
     "1:1",
     11, 3, true},
    {"3:4\xf0\x9f\x98\x80"
     "1:1",
     10, 3, true},
    {"2:4\xf0\x9f\x98\x80"
     "1:1",
     10, 3, false},
    {"9:41", 4, 3, false},
    {"2:4\xe0\xa4\x85"
     "1:1",
     9, 3, true},
    {"0:1:1", 5, 3, true},
    {"9:4abcdefgh1:1", 14, 3, true},
    {":1", 2, 3, false},
    {"99999999999:1", 13, 3, false},
    {"\x00\x01\xff"
     "1",
     4, 3, true},
    {"\x01\x01\xff\x01", 4, 3, true},
    {"\x01\x01\xff"
     "1",
     4, 3, false},
    {"\x01\x02\xff\x04\x01\x00\x01\xff"
     "1",
     9, 3, true},
    {"\x00\x09\xff"
     "1",
     4, 3, false},
    {"\x00\xff"
     "1",
     3, 3, false},
};

static void test_close(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        if (eio_has_close(edge_place(str_make(payloads[i].text, payloads[i].len)), payloads[i].version) !=
            payloads[i].closes)
            fail_msg("row %u", i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queries),         cmocka_unit_test(test_sid_len),
        cmocka_unit_test(test_opens),           cmocka_unit_test(test_open_refused),
        cmocka_unit_test(test_open_ends_early), cmocka_unit_test(test_open_values),
        cmocka_unit_test(test_open_bounds),     cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
