#include "codec/proxy_protocol.h"
#include "fuzz.h"

/* Headers: every part of one is a part of one, and what is written of it reads the same. */

static void check_parts(struct str header) {
    for (unsigned turn = 0; turn < 4; turn++) {
        struct proxy_protocol part;
        size_t len;
        struct str cut = fuzz_copy(str_head(header, fuzz_cut(header, turn) % header.len));
        FUZZ_CHECK(proxy_protocol_read(cut, &part, &len) == CODEC_MORE);
        fuzz_drop(cut);
    }
}

static void check_again(struct str written, const struct proxy_protocol *header) {
    struct proxy_protocol again;
    size_t len;
    struct str copy = fuzz_copy(written);
    FUZZ_CHECK(proxy_protocol_read(copy, &again, &len) == CODEC_DONE && len == written.len);
    FUZZ_CHECK(again.family == header->family);
    FUZZ_CHECK(memcmp(&again.source, &header->source, sizeof again.source) == 0);
    FUZZ_CHECK(memcmp(&again.destination, &header->destination, sizeof again.destination) == 0);
    fuzz_drop(copy);
}

static void check_tlvs(struct str tlvs) {
    static const char *const names[] = {"alpn", "ssl", "ssl_verify", "ssl_cn", "ssl_0xff", "0x0", "0xff", "x"};
    char memory[PROXY_PROTOCOL_MAX];
    struct str copy = fuzz_copy(tlvs);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct builder out = builder_make(memory, sizeof memory);
        proxy_protocol_build_tlv(&out, copy, str_of(names[i]));
        FUZZ_CHECK(!out.overflow);
    }
    fuzz_drop(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = fuzz_copy(str_make((const char *)data, size));
    struct proxy_protocol header;
    size_t len = 0;
    if (proxy_protocol_read(bytes, &header, &len) == CODEC_DONE) {
        char v1[PROXY_PROTOCOL_V1_MAX], v2[PROXY_PROTOCOL_V2_MAX];
        struct builder out1 = builder_make(v1, sizeof v1), out2 = builder_make(v2, sizeof v2);
        FUZZ_CHECK(len > 0 && len <= size && len <= PROXY_PROTOCOL_MAX);
        check_parts(str_head(bytes, len));
        proxy_protocol_build_v1(&out1, &header);
        proxy_protocol_build_v2(&out2, &header);
        FUZZ_CHECK(!out1.overflow && !out2.overflow);
        check_again(builder_view(&out1), &header);
        check_again(builder_view(&out2), &header);
        check_tlvs(header.tlvs);
    }
    fuzz_drop(bytes);
    return 0;
}
