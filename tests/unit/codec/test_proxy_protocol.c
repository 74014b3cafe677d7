#include "edge.h"

#include "codec/proxy_protocol.h"

#include <arpa/inet.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* Whole at once, and in every part of it: what is a header stays one to its last byte. */
static size_t reads(struct str bytes, enum codec_result want, struct proxy_protocol *header) {
    size_t len = 0;
    assert_int_equal(proxy_protocol_read(edge_place(bytes), header, &len), want);
    for (size_t i = 0; want == CODEC_DONE && i < len; i++) {
        struct proxy_protocol part;
        size_t part_len = 0;
        assert_int_equal(proxy_protocol_read(edge_place(str_head(bytes, i)), &part, &part_len), CODEC_MORE);
    }
    assert_int_equal(proxy_protocol_read(edge_place(bytes), header, &len), want);
    return len;
}

static void ends_are(const struct proxy_protocol *header, int family, const char *source, uint16_t source_port,
                     const char *destination, uint16_t destination_port) {
    char text[INET6_ADDRSTRLEN];
    assert_int_equal(header->family, family == AF_INET ? PROXY_PROTOCOL_V4 : PROXY_PROTOCOL_V6);
    assert_string_equal(inet_ntop(family, header->source.ip, text, sizeof text), source);
    assert_string_equal(inet_ntop(family, header->destination.ip, text, sizeof text), destination);
    assert_int_equal(header->source.port, source_port);
    assert_int_equal(header->destination.port, destination_port);
}

static void version_1(void **state) {
    (void)state;
    struct proxy_protocol header;
    assert_int_equal(reads(STR("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\nGET"), CODEC_DONE, &header), 41);
    ends_are(&header, AF_INET, "192.0.2.1", 123, "192.0.2.2", 5678);
    reads(STR("PROXY TCP6 2001:Db8::1 2001:db8::2 0 65535\r\n"), CODEC_DONE, &header);
    ends_are(&header, AF_INET6, "2001:db8::1", 0, "2001:db8::2", 65535);
    assert_int_equal(reads(STR("PROXY UNKNOWN\r\n"), CODEC_DONE, &header), 15);
    assert_int_equal(header.family, PROXY_PROTOCOL_UNKNOWN);
    reads(STR("PROXY UNKNOWN 1 2 3 4 5 6\r\n"), CODEC_DONE, &header);
    reads(
        STR("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
            "65535\r\n"),
        CODEC_DONE, &header);
}

static void version_1_broken(void **state) {
    (void)state;
    struct proxy_protocol header;
    static const struct str broken[] = {
#define BAD(text) {"" text, sizeof(text) - 1}
        BAD("GET / HTTP/1.1\r\n"),
        BAD("proxy"),
        BAD("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n"),
        BAD("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
        BAD("PROXY TCP4 ::1 ::1 1 2\r\n"),
        BAD("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
        BAD("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
        BAD("PROXY UNKNOWNS\r\n"),
        BAD("PROXY \r\n"),
        BAD("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n\r\n"),
        BAD("PROXY UNKNOWN "
            "34567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
            "9012345678901\r\n"),
#undef BAD
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        reads(broken[i], CODEC_BAD, &header);
}

static void version_2(void **state) {
    (void)state;
    struct proxy_protocol header;
    assert_int_equal(
        reads(STR(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x7b\x16\x2eGET"), CODEC_DONE, &header), 28);
    ends_are(&header, AF_INET, "192.0.2.1", 123, "192.0.2.2", 5678);
    assert_int_equal(header.tlvs.len, 0);
    reads(
        STR(V2
            "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
            "\0\x7b\x16\x2e"),
        CODEC_DONE, &header);
    ends_are(&header, AF_INET6, "2001:db8::1", 123, "2001:db8::2", 5678);
    static const struct str unknown[] = {
#define GOOD(text) {"" text, sizeof(text) - 1}
        GOOD(V2 "\x21\x01\0\0"),                                             /* no family */
        GOOD(V2 "\x21\x41\0\x04\x01\x02\x03\x04"),                           /* none that there is */
        GOOD(V2 "\x21\x12\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x7b\x16\x2e"), /* UDP */
        GOOD(V2 "\x20\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x7b\x16\x2e"), /* LOCAL */
        GOOD(V2 "\x20\0\0\0"),
#undef GOOD
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(reads(unknown[i], CODEC_DONE, &header), unknown[i].len);
        assert_int_equal(header.family, PROXY_PROTOCOL_UNKNOWN);
    }
    reads(STR(V2 "\x21\x11\0\x0b\xc0\0\x02\x01\xc0\0\x02\x02\0\x7b\x16"), CODEC_BAD, &header); /* too short */
    reads(STR(V2 "\x11\x11\0\x0c"), CODEC_BAD, &header);
    reads(STR(V2 "\x22\x11\0\x0c"), CODEC_BAD, &header);
    reads(STR(V2 "\x21\x11\xff\xff"), CODEC_BAD, &header);
    reads(STR("\r\n\r\n\0\r\nQUIT\r"), CODEC_BAD, &header);
}

static void says(struct str tlvs, const char *name, const char *want) {
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    proxy_protocol_build_tlv(&out, edge_place(tlvs), str_of(name));
    assert_str(builder_view(&out), str_of(want));
}

static void tlvs(void **state) {
    (void)state;
    struct str all = STR("\x01\0\x05"
                         "ALPN1"
                         "\x02\0\x09localhost"
                         "\x20\0\x18\x01\0\0\0\xff\x21\0\x07TLSv1.2\x22\0\x06"
                         "a.test"
                         "\xae\0\x03"
                         "123"
                         "\x30\0\0");
    says(all, "alpn", "ALPN1");
    says(all, "0x1", "ALPN1");
    says(all, "authority", "localhost");
    says(all, "0x0002", "localhost");
    says(all, "ssl_verify", "255");
    says(all, "ssl_version", "TLSv1.2");
    says(all, "ssl_0x22", "a.test");
    says(all, "ssl_cn", "a.test");
    says(all, "ssl_cipher", "");
    says(all, "0xae", "123");
    says(all, "0xAE", "123");
    says(all, "netns", "");
    says(all, "unique_id", "");
    says(all, "0x1ae", "");
    says(all, "0x", "");
    says(all, "nothing", "");
    says(all, "ssl_alpn", "");
    says(STR("\x01\0\x05"
             "ALPN"),
         "alpn", "");
    says(STR("\x20\0\x02\x01\0"), "ssl_verify", "");
    says(STR(""), "alpn", "");
}

static void writes_what_it_reads(void **state) {
    (void)state;
    static const char *const lines[] = {"PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n",
                                        "PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n", "PROXY UNKNOWN\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char v1[PROXY_PROTOCOL_V1_MAX], v2[PROXY_PROTOCOL_V2_MAX];
        struct builder out1 = builder_make(v1, sizeof v1), out2 = builder_make(v2, sizeof v2);
        struct proxy_protocol header, again;
        reads(str_of(lines[i]), CODEC_DONE, &header);
        proxy_protocol_build_v2(&out2, &header);
        assert_false(out2.overflow);
        assert_int_equal(reads(builder_view(&out2), CODEC_DONE, &again), out2.len);
        proxy_protocol_build_v1(&out1, &again);
        assert_str(builder_view(&out1), str_of(lines[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1), cmocka_unit_test(version_1_broken),     cmocka_unit_test(version_2),
        cmocka_unit_test(tlvs),      cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
