#include "codec/client_hello.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_MAX = 16384,
    HANDSHAKE_CLIENT_HELLO = 1,
    HELLO_MAX = 65536,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_VERSIONS = 43,
    NAME_HOST = 0,
    RANDOM_BYTES = 32,
};

/* A message that may be cut over several records. */
struct cursor {
    struct str bytes;
    size_t record_left;       /* of the present record's payload */
    enum codec_result result; /* DONE as long as all is well; sticky */
};

static void stop(struct cursor *c, enum codec_result result) {
    if (c->result == CODEC_DONE)
        c->result = result;
}

static unsigned char at(struct str bytes, size_t i) {
    return (unsigned char)bytes.ptr[i];
}

/* Makes the next byte one of a record's payload. */
static bool record_enter(struct cursor *c) {
    while (c->result == CODEC_DONE && c->record_left == 0) {
        if (c->bytes.len && at(c->bytes, 0) != RECORD_HANDSHAKE)
            stop(c, CODEC_BAD);
        else if (c->bytes.len > 1 && at(c->bytes, 1) != 3)
            stop(c, CODEC_BAD);
        else if (c->bytes.len < 5)
            stop(c, CODEC_MORE);
        if (c->result != CODEC_DONE)
            return false;
        c->record_left = (size_t)at(c->bytes, 3) << 8 | at(c->bytes, 4);
        if (c->record_left == 0 || c->record_left > RECORD_MAX)
            stop(c, CODEC_BAD);
        c->bytes = str_from(c->bytes, 5);
    }
    if (c->result == CODEC_DONE && c->bytes.len == 0)
        stop(c, CODEC_MORE);
    return c->result == CODEC_DONE;
}

static unsigned take(struct cursor *c, unsigned bytes) {
    unsigned value = 0;
    while (bytes-- && record_enter(c)) {
        value = value << 8 | at(c->bytes, 0);
        c->bytes = str_from(c->bytes, 1);
        c->record_left--;
    }
    return c->result == CODEC_DONE ? value : 0;
}

static void skip(struct cursor *c, size_t bytes) {
    while (bytes && record_enter(c)) {
        size_t step = bytes < c->record_left ? bytes : c->record_left;
        step = step < c->bytes.len ? step : c->bytes.len;
        c->bytes = str_from(c->bytes, step);
        c->record_left -= step;
        bytes -= step;
    }
}

/* Takes `len` of the *left bytes of what holds it. False, and BAD, when it holds fewer. */
static bool within(struct cursor *c, size_t *left, size_t len) {
    if (len > *left)
        stop(c, CODEC_BAD);
    else
        *left -= len;
    return c->result == CODEC_DONE;
}

static void name_read(struct cursor *c, struct client_hello *hello, size_t left) {
    if (!within(c, &left, 2))
        return;
    size_t list = take(c, 2);
    while (list && within(c, &left, 3) && within(c, &list, 3)) {
        unsigned type = take(c, 1);
        size_t len = take(c, 2);
        if (!within(c, &list, len) || !within(c, &left, len))
            return;
        bool is_taken = type == NAME_HOST && len <= CLIENT_HELLO_NAME_MAX && hello->name_len == 0;
        for (size_t i = 0; is_taken && i < len && c->result == CODEC_DONE; i++)
            hello->name[hello->name_len++] = str_lower_char((char)take(c, 1));
        if (!is_taken)
            skip(c, len);
    }
    skip(c, left);
}

static void alpn_read(struct cursor *c, struct client_hello *hello, size_t left) {
    if (!within(c, &left, 2))
        return;
    skip(c, 2); /* the list's length: the extension's, less two */
    while (left && within(c, &left, 1)) {
        size_t len = take(c, 1);
        if (!within(c, &left, len))
            return;
        if (hello->alpn_len + len + 1 > CLIENT_HELLO_ALPN_MAX) {
            skip(c, len);
            continue;
        }
        if (hello->alpn_len)
            hello->alpn[hello->alpn_len++] = ',';
        for (size_t i = 0; i < len && c->result == CODEC_DONE; i++)
            hello->alpn[hello->alpn_len++] = (char)take(c, 1);
    }
}

/* Values such as 0x0a0a are there to keep servers from choking on unknown ones (RFC 8701). */
static void versions_read(struct cursor *c, struct client_hello *hello, size_t left) {
    if (!within(c, &left, 1))
        return;
    skip(c, 1);
    while (left > 1 && within(c, &left, 2)) {
        unsigned version = take(c, 2);
        if (version > hello->version && version >> 8 == 3 && version <= 0x0304)
            hello->version = (uint16_t)version;
    }
    skip(c, left);
}

static void extensions_read(struct cursor *c, struct client_hello *hello, size_t left) {
    while (left && c->result == CODEC_DONE && within(c, &left, 4)) {
        unsigned type = take(c, 2);
        size_t len = take(c, 2);
        if (!within(c, &left, len))
            return;
        if (type == EXTENSION_SERVER_NAME && len)
            name_read(c, hello, len);
        else if (type == EXTENSION_ALPN)
            alpn_read(c, hello, len);
        else if (type == EXTENSION_VERSIONS)
            versions_read(c, hello, len);
        else
            skip(c, len);
    }
}

enum codec_result client_hello_read(struct client_hello *hello, struct str bytes) {
    struct cursor c = {.bytes = bytes};
    c.result = CODEC_DONE;
    hello->version = hello->name_len = hello->alpn_len = 0;
    if (take(&c, 1) != HANDSHAKE_CLIENT_HELLO)
        stop(&c, CODEC_BAD);
    size_t left = take(&c, 3);
    if (left > HELLO_MAX)
        stop(&c, CODEC_BAD);
    if (!within(&c, &left, 2 + RANDOM_BYTES + 1))
        return c.result;
    hello->version = (uint16_t)take(&c, 2);
    skip(&c, RANDOM_BYTES);
    size_t session = take(&c, 1);
    if (within(&c, &left, session))
        skip(&c, session);
    size_t suites = within(&c, &left, 2) ? take(&c, 2) : 0;
    if (within(&c, &left, suites))
        skip(&c, suites);
    size_t methods = within(&c, &left, 1) ? take(&c, 1) : 0;
    if (within(&c, &left, methods))
        skip(&c, methods);
    if (c.result != CODEC_DONE || left == 0)
        return c.result;
    size_t extensions = within(&c, &left, 2) ? take(&c, 2) : 0;
    if (left != extensions)
        stop(&c, CODEC_BAD);
    extensions_read(&c, hello, extensions);
    return c.result;
}

const char *client_hello_version(uint16_t version) {
    switch (version) {
    case 0x0300:
        return "SSLv3";
    case 0x0301:
        return "TLSv1";
    case 0x0302:
        return "TLSv1.1";
    case 0x0303:
        return "TLSv1.2";
    case 0x0304:
        return "TLSv1.3";
    default:
        return "";
    }
}
