/* The whole file: records are made here with types and padding that tls_record_write never sends. */
#include "net/tls/tls_record.c"

#include "fuzz.h"

/* What the other side of a tunnel with TLS may send once it has the keys, and what whoever has none may. The
 * first byte chooses the suite; then one step after the other: what it is, its length, its bytes. */

enum { STEPS_MAX = 64, ROOM = 65536 };

enum { STEP_DATA, STEP_TYPED, STEP_PADDED, STEP_RAW, STEP_BENT, STEP_UPDATE, STEP_END, STEP_KINDS };

static struct tls_record *record_new(struct tls_record_pool *pool, const struct suite *suite) {
    struct tls_record *record = mem_zero(1, sizeof *record);
    FUZZ_CHECK(record);
    record->pool = pool;
    record->suite = suite;
    record->is_13 = suite->is_13;
    memset(record->in.secret, 7, sizeof record->in.secret);
    memset(record->out.secret, 7, sizeof record->out.secret);
    if (record->is_13)
        FUZZ_CHECK(half_key(record, &record->in) && half_key(record, &record->out));
    return record;
}

/* One record as `from` would send it; what is to come of it in *wanted, -1: anything. */
static size_t step_make(struct tls_record *from, unsigned kind, struct str bytes, char *out, int *wanted) {
    char padded[256 + 8];
    *wanted = -1;
    switch (kind) {
    case STEP_DATA:
        *wanted = bytes.len ? TLS_STEP_DONE : -1; /* too many empty ones are refused */
        return tls_record_write(from, bytes, out);
    case STEP_TYPED:
        return record_seal(from, bytes.len ? (uint8_t)bytes.ptr[0] : 0, str_from(bytes, 1), out);
    case STEP_PADDED:
        memcpy(padded, bytes.ptr, bytes.len);
        memset(padded + bytes.len, 0, sizeof padded - bytes.len);
        return record_seal(from, bytes.len & 1 ? SSL3_RT_HANDSHAKE : 0, str_make(padded, sizeof padded), out);
    case STEP_UPDATE:
        *wanted = from->is_13 ? TLS_STEP_DONE : TLS_STEP_FAILED;
        return from->is_13 ? tls_record_write_update(from, out)
                           : record_seal(from, SSL3_RT_HANDSHAKE, STR("\x18\0\0\1\1"), out);
    case STEP_END:
        *wanted = TLS_STEP_ENDED;
        return tls_record_write_end(from, out);
    case STEP_BENT: { /* authentic but for one bit */
        size_t len = tls_record_write(from, bytes, out);
        size_t at = fuzz_cut(bytes, 1) % len;
        out[at] = (char)(out[at] ^ 1 << (bytes.len & 7));
        *wanted = at < HEAD && !from->is_13 && at > 2 ? -1 : TLS_STEP_FAILED;
        return len;
    }
    default:
        if (bytes.len)
            memcpy(out, bytes.ptr, bytes.len);
        return bytes.len;
    }
}

static enum tls_step step_run(struct tls_record *from, struct tls_record *to, unsigned kind, struct str bytes) {
    static char wire[ROOM];
    int wanted;
    size_t got = 0, len = step_make(from, kind, bytes, wire, &wanted);
    FUZZ_CHECK(len <= bytes.len + 512);
    struct str in = fuzz_copy(str_make(wire, len));
    char *out = mem_alloc(len);
    FUZZ_CHECK(out);
    enum tls_step step = tls_record_read(to, in, out, &got);
    FUZZ_CHECK(got <= len && (wanted < 0 || step == (enum tls_step)wanted));
    FUZZ_CHECK(kind != STEP_DATA || str_eq(str_make(out, got), bytes));
    /* it was a change of keys, made by hand */
    if (memcmp(to->in.secret, from->out.secret, to->suite->secret_bytes) != 0)
        FUZZ_CHECK(half_update(from, &from->out));
    mem_free(out);
    fuzz_drop(in);
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct tls_record_pool *pool;
    struct str input = str_make((const char *)data, size);
    if (!pool)
        pool = tls_record_pool_new();
    const struct suite *suite = &suites[fuzz_byte(&input) % (sizeof suites / sizeof *suites)];
    struct tls_record *from = record_new(pool, suite), *to = record_new(pool, suite);
    for (unsigned i = 0; i < STEPS_MAX && input.len; i++) {
        unsigned kind = fuzz_byte(&input) % STEP_KINDS;
        size_t len = fuzz_byte(&input);
        struct str bytes = str_head(input, len);
        input = str_from(input, len);
        enum tls_step step = step_run(from, to, kind, bytes);
        if (step != TLS_STEP_DONE && step != TLS_STEP_MORE)
            break;
    }
    tls_record_free(from);
    tls_record_free(to);
    return 0;
}
