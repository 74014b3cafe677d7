#include "base/builder.h"
#include "codec/eio.h"
#include "fuzz.h"

/* Engine.IO: the first byte chooses what the rest is read as. */

static bool is_inside(struct str part, const char *ptr, size_t len) {
    return part.len == 0 || (part.ptr >= ptr && part.ptr + part.len <= ptr + len);
}

static void check_query(struct str text) {
    struct eio_query query, other;
    eio_query_parse(&query, text);
    FUZZ_CHECK(query.sid.len <= EIO_SID_MAX && query.transport <= EIO_OTHER_TRANSPORT);
    FUZZ_CHECK(query.version == 3 || query.version == 4);
    FUZZ_CHECK(is_inside(query.sid, text.ptr, text.len) || is_inside(query.sid, query.sid_bytes, EIO_SID_MAX));
    FUZZ_CHECK(!query.is_engine || query.transport != EIO_NO_TRANSPORT);
    /* other parameters, before and behind, change nothing */
    size_t room = text.len + 64;
    struct builder b = builder_make(mem_alloc(room), room);
    builder_str(&b, STR("t=Oabc&xsid=1&"));
    builder_str(&b, text);
    builder_str(&b, STR("&SID=2&sidx=3"));
    eio_query_parse(&other, builder_view(&b));
    FUZZ_CHECK(other.is_engine == query.is_engine);
    FUZZ_CHECK(other.version == query.version && other.transport == query.transport &&
               str_eq(other.sid, query.sid));
    mem_free(b.ptr);
    /* a sid that was understood, written with every byte escaped, is the same sid */
    char escaped[EIO_SID_MAX * 3 + 64];
    b = builder_make(escaped, sizeof escaped);
    builder_str(&b, STR("EIO=4&transport=polling&sid="));
    for (size_t i = 0; i < query.sid.len; i++)
        builder_format(&b, "%%%02x", (unsigned char)query.sid.ptr[i]);
    eio_query_parse(&other, builder_view(&b));
    FUZZ_CHECK(other.is_engine && str_eq(other.sid, query.sid));
}

static bool same(const struct eio_open *a, const struct eio_open *b) {
    return str_eq(str_make(a->sid, a->sid_len), str_make(b->sid, b->sid_len)) &&
           a->ping_interval_ms == b->ping_interval_ms && a->ping_timeout_ms == b->ping_timeout_ms;
}

/* What was said of the beginning must stay true of the whole. */
static void check_open(struct str body) {
    struct eio_open whole = {0}, part = {0}, ended = {0};
    enum codec_result verdict = eio_open_parse(&whole, body, false);
    enum codec_result end = eio_open_parse(&ended, body, true);
    FUZZ_CHECK(end != CODEC_MORE && (verdict == CODEC_MORE || end == verdict));
    FUZZ_CHECK(end != CODEC_DONE || (ended.sid_len > 0 && ended.sid_len <= EIO_SID_MAX));
    FUZZ_CHECK(verdict != CODEC_DONE || same(&whole, &ended));
    for (unsigned turn = 0; turn < 8; turn++) {
        struct str copy = fuzz_copy(str_head(body, fuzz_cut(body, turn)));
        enum codec_result early = eio_open_parse(&part, copy, false);
        FUZZ_CHECK(early == CODEC_MORE || early == end);
        FUZZ_CHECK(early != CODEC_DONE || same(&part, &ended));
        FUZZ_CHECK(eio_open_parse(&part, copy, true) != CODEC_MORE);
        fuzz_drop(copy);
    }
}

/* An open packet with this sid is read from all its wrappings. */
static void check_written(struct str input) {
    char json[EIO_SID_MAX * 2 + 64], text[2 * sizeof json];
    struct eio_open open;
    struct str sid = str_head(input, EIO_SID_MAX);
    for (size_t i = 0; i < sid.len; i++)
        if ((unsigned char)sid.ptr[i] < 0x20 || (unsigned char)sid.ptr[i] > 0x7e || strchr("\"\\", sid.ptr[i]))
            sid.len = i;
    if (sid.len == 0)
        return;
    for (unsigned kind = 0; kind < 4; kind++) {
        struct builder packet = builder_make(json, sizeof json), b = builder_make(text, sizeof text);
        builder_format(&packet, "0{\"pingTimeout\":5,\"sid\":\"%.*s\",\"x\":[{}]}", STR_ARG(sid));
        if (kind == 1)
            builder_format(&b, "%zu:", packet.len);
        if (kind == 2)
            builder_str(&b, str_make("\0\1\xff", 3));
        if (kind == 3)
            builder_str(&b, STR("___eio[7](\""));
        for (size_t i = 0; i < packet.len; i++) {
            if (kind == 3 && packet.ptr[i] == '"')
                builder_char(&b, '\\');
            builder_char(&b, packet.ptr[i]);
        }
        FUZZ_CHECK(!b.overflow && eio_open_parse(&open, builder_view(&b), false) == CODEC_DONE);
        FUZZ_CHECK(str_eq(str_make(open.sid, open.sid_len), sid) && open.ping_timeout_ms == 5);
    }
}

static void check_close(struct str body) {
    bool closes = eio_has_close(body, 4), wanted = str_starts(body, STR("1"));
    for (size_t i = 1; i < body.len; i++)
        wanted = wanted || (body.ptr[i - 1] == 0x1e && body.ptr[i] == '1');
    FUZZ_CHECK(closes == wanted);
    /* in front of another payload, its close packet still counts; and one may be put in front */
    bool closes3 = eio_has_close(body, 3);
    size_t room = body.len + 3;
    struct builder b = builder_make(mem_alloc(room), room);
    builder_str(&b, STR("1:4"));
    builder_str(&b, body);
    FUZZ_CHECK(eio_has_close(builder_view(&b), 3) == closes3);
    b.len = 0;
    builder_str(&b, STR("1:1"));
    builder_str(&b, body);
    FUZZ_CHECK(eio_has_close(builder_view(&b), 3));
    mem_free(b.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    switch (fuzz_byte(&input) % 4) {
    case 0:
        check_query(input);
        break;
    case 1:
        check_open(input);
        break;
    case 2:
        check_close(input);
        break;
    default:
        check_written(input);
    }
    return 0;
}
