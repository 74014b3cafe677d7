#include "net/tls/tls_record.h"

#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <stddef.h>

enum {
    HEAD = 5,
    TAG = 16,
    NONCE = 12,
    SALT = 4, /* of AES-GCM in TLS 1.2; the rest of the nonce is in the record */
    KEY_MAX = 32,
    SECRET_MAX = 48,
    KEYED_MAX = 1024, /* connections whose ciphers are kept keyed */
    EMPTY_MAX = 32,   /* records without payload in a row */
};

/* One direction. */
struct half {
    uint64_t sequence;
    uint8_t key[KEY_MAX], nonce[NONCE], secret[SECRET_MAX];
};

struct tls_record {
    struct tls_record_pool *pool;
    const struct suite *suite;
    uint16_t place; /* among the keyed */
    bool is_13;
    uint8_t empty; /* records without payload so far */
    struct half in, out;
};

enum { AES_128, AES_256, CHACHA, CIPHERS };

static const struct suite {
    uint16_t number;
    uint8_t cipher, key_bytes, secret_bytes;
    bool is_13;
    const char *digest;
} suites[] = {
    {0x1301, AES_128, 16, 32, true, "SHA256"}, {0x1302, AES_256, 32, 48, true, "SHA384"},
    {0x1303, CHACHA, 32, 32, true, "SHA256"},  {0xc02b, AES_128, 16, 0, false, "SHA256"},
    {0xc02c, AES_256, 32, 0, false, "SHA384"}, {0xc02f, AES_128, 16, 0, false, "SHA256"},
    {0xc030, AES_256, 32, 0, false, "SHA384"}, {0xcca8, CHACHA, 32, 0, false, "SHA256"},
    {0xcca9, CHACHA, 32, 0, false, "SHA256"},  {0x009c, AES_128, 16, 0, false, "SHA256"},
    {0x009d, AES_256, 32, 0, false, "SHA384"}, {0x009e, AES_128, 16, 0, false, "SHA256"},
    {0x009f, AES_256, 32, 0, false, "SHA384"}, {0xccaa, CHACHA, 32, 0, false, "SHA256"},
};

/* ---- keyed ciphers ---- */

struct keyed {
    const struct tls_record *owner;
    EVP_CIPHER_CTX *in, *out;
    bool is_in_keyed, is_out_keyed;
};

struct tls_record_pool {
    EVP_CIPHER *ciphers[CIPHERS];
    EVP_KDF *hkdf, *prf;
    unsigned next; /* to be taken from whoever has it */
    struct keyed keyed[KEYED_MAX];
};

struct tls_record_pool *tls_record_pool_new(void) {
    static const char *const names[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
    struct tls_record_pool *pool = mem_zero(1, sizeof *pool);
    if (!pool)
        return NULL;
    bool is_whole = (pool->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL)) != NULL;
    is_whole &= (pool->prf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL)) != NULL;
    for (int i = 0; i < CIPHERS; i++)
        pool->ciphers[i] =
            EVP_CIPHER_fetch(NULL, names[i], NULL); /* where one lacks its suites are not taken over */
    ERR_clear_error();
    if (is_whole)
        return pool;
    tls_record_pool_free(pool);
    return NULL;
}

void tls_record_pool_free(struct tls_record_pool *pool) {
    if (!pool)
        return;
    for (int i = 0; i < KEYED_MAX; i++) {
        EVP_CIPHER_CTX_free(pool->keyed[i].in);
        EVP_CIPHER_CTX_free(pool->keyed[i].out);
    }
    for (int i = 0; i < CIPHERS; i++)
        EVP_CIPHER_free(pool->ciphers[i]);
    EVP_KDF_free(pool->hkdf);
    EVP_KDF_free(pool->prf);
    mem_free(pool);
}

/* The record's place; the one whose turn it is loses its own. */
static struct keyed *place_find(struct tls_record *record) {
    struct tls_record_pool *pool = record->pool;
    struct keyed *keyed = &pool->keyed[record->place];
    if (keyed->owner == record)
        return keyed;
    record->place = (uint16_t)(pool->next++ % KEYED_MAX);
    keyed = &pool->keyed[record->place];
    if (!keyed->in)
        keyed->in = EVP_CIPHER_CTX_new();
    if (!keyed->out)
        keyed->out = EVP_CIPHER_CTX_new();
    if (!keyed->in || !keyed->out)
        return NULL;
    keyed->owner = record;
    keyed->is_in_keyed = keyed->is_out_keyed = false;
    return keyed;
}

/* A cipher ready for the next record of one direction. NULL without memory. */
static EVP_CIPHER_CTX *cipher_ready(struct tls_record *record, bool is_out, const uint8_t nonce[NONCE]) {
    struct keyed *keyed = place_find(record);
    if (!keyed)
        return NULL;
    EVP_CIPHER_CTX *cipher = is_out ? keyed->out : keyed->in;
    const struct half *half = is_out ? &record->out : &record->in;
    bool *is_keyed = is_out ? &keyed->is_out_keyed : &keyed->is_in_keyed;
    const EVP_CIPHER *kind = record->pool->ciphers[record->suite->cipher];
    bool is_same = EVP_CIPHER_CTX_get0_cipher(cipher) == kind;
    if (!EVP_CipherInit_ex(cipher, is_same ? NULL : kind, NULL, *is_keyed ? NULL : half->key, nonce, is_out))
        return NULL;
    *is_keyed = true;
    return cipher;
}

/* ---- keys ---- */

/* HKDF-Expand-Label with an empty context, RFC 8446 7.1. */
static bool label_expand(const struct tls_record *record, const uint8_t *secret, const char *label,
                         uint8_t *out, size_t len) {
    const struct suite *suite = record->suite;
    uint8_t info[32];
    size_t label_len = strlen(label), info_len = 4 + 6 + label_len;
    info[0] = 0;
    info[1] = (uint8_t)len;
    info[2] = (uint8_t)(6 + label_len);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, label_len);
    info[9 + label_len] = 0;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)suite->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, suite->secret_bytes),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, info_len),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(record->pool->hkdf);
    bool is_done = kdf && EVP_KDF_derive(kdf, out, len, params) > 0;
    EVP_KDF_CTX_free(kdf);
    return is_done;
}

static bool half_key(const struct tls_record *record, struct half *half) {
    half->sequence = 0;
    return label_expand(record, half->secret, "key", half->key, record->suite->key_bytes) &&
           label_expand(record, half->secret, "iv", half->nonce, NONCE);
}

/* The next generation of keys, RFC 8446 7.2. */
static bool half_update(struct tls_record *record, struct half *half) {
    uint8_t next[SECRET_MAX];
    struct keyed *keyed = &record->pool->keyed[record->place];
    if (!label_expand(record, half->secret, "traffic upd", next, record->suite->secret_bytes))
        return false;
    memcpy(half->secret, next, sizeof next);
    OPENSSL_cleanse(next, sizeof next);
    if (keyed->owner == record)
        keyed->owner = NULL; /* it has the old keys */
    return half_key(record, half);
}

/* TLS 1.2: the key block, RFC 5246 6.3. */
static bool block_key(struct tls_record *record, SSL *ssl, bool is_server) {
    const struct suite *suite = record->suite;
    uint8_t seed[13 + 2 * SSL3_RANDOM_SIZE], master[SSL_MAX_MASTER_KEY_LENGTH], block[2 * KEY_MAX + 2 * NONCE];
    size_t nonce = suite->cipher == CHACHA ? NONCE : SALT, key = suite->key_bytes;
    size_t master_len = SSL_SESSION_get_master_key(SSL_get0_session(ssl), master, sizeof master);
    memcpy(seed, "key expansion", 13);
    SSL_get_server_random(ssl, seed + 13, SSL3_RANDOM_SIZE);
    SSL_get_client_random(ssl, seed + 13 + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)suite->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(record->pool->prf);
    bool is_done = kdf && EVP_KDF_derive(kdf, block, 2 * key + 2 * nonce, params) > 0;
    EVP_KDF_CTX_free(kdf);
    struct half *client = is_server ? &record->in : &record->out,
                *server = is_server ? &record->out : &record->in;
    memcpy(client->key, block, key);
    memcpy(server->key, block + key, key);
    memcpy(client->nonce, block + 2 * key, nonce);
    memcpy(server->nonce, block + 2 * key + nonce, nonce);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(master, sizeof master);
    return is_done;
}

static const struct suite *suite_find(const struct tls_record_pool *pool, SSL *ssl) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    unsigned number = cipher ? SSL_CIPHER_get_protocol_id(cipher) : 0;
    bool is_13 = SSL_version(ssl) == TLS1_3_VERSION;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].number == number && suites[i].is_13 == is_13 && pool->ciphers[suites[i].cipher])
            return &suites[i];
    return NULL;
}

struct tls_record *tls_record_new(struct tls_record_pool *pool, const struct tls_session *session) {
    SSL *ssl = tls_session_ssl(session);
    struct tls_traffic traffic;
    const struct suite *suite = suite_find(pool, ssl);
    if (!suite || SSL_has_pending(ssl) || !tls_session_traffic(session, &traffic) ||
        (suite->is_13 && traffic.secret_bytes != suite->secret_bytes))
        return NULL;
    struct tls_record *record = mem_zero(1, sizeof *record);
    if (!record)
        return NULL;
    record->pool = pool;
    record->suite = suite;
    record->is_13 = suite->is_13;
    bool is_keyed;
    if (suite->is_13) {
        memcpy(record->in.secret, traffic.in.secret, suite->secret_bytes);
        memcpy(record->out.secret, traffic.out.secret, suite->secret_bytes);
        is_keyed = half_key(record, &record->in) && half_key(record, &record->out);
    } else {
        is_keyed = block_key(record, ssl, tls_session_is_server(session));
    }
    record->in.sequence = traffic.in.sequence;
    record->out.sequence = traffic.out.sequence;
    if (is_keyed)
        return record;
    ERR_clear_error();
    tls_record_free(record);
    return NULL;
}

void tls_record_free(struct tls_record *record) {
    if (!record)
        return;
    struct keyed *keyed = &record->pool->keyed[record->place];
    if (keyed->owner == record)
        keyed->owner = NULL;
    OPENSSL_cleanse(record, sizeof *record);
    mem_free(record);
}

/* ---- records ---- */

static void number_put(uint8_t *out, uint64_t value, size_t bytes) {
    for (size_t i = bytes; i-- > 0; value >>= 8)
        out[i] = (uint8_t)value;
}

static bool has_explicit_nonce(const struct tls_record *record) {
    return !record->is_13 && record->suite->cipher != CHACHA;
}

/* `given`: the nonce's part in the record, where there is one. */
static void nonce_make(const struct tls_record *record, const struct half *half, const uint8_t *given,
                       uint8_t nonce[NONCE]) {
    memcpy(nonce, half->nonce, NONCE);
    if (has_explicit_nonce(record)) {
        memcpy(nonce + SALT, given, NONCE - SALT);
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        nonce[NONCE - 1 - i] ^= (uint8_t)(half->sequence >> 8 * i);
}

/* What is authenticated beside the payload. Its length. */
static int extra_make(const struct tls_record *record, const struct half *half, const uint8_t head[HEAD],
                      size_t payload, uint8_t extra[13]) {
    if (record->is_13) {
        memcpy(extra, head, HEAD);
        return HEAD;
    }
    number_put(extra, half->sequence, 8);
    memcpy(extra + 8, head, 3);
    number_put(extra + 11, payload, 2);
    return 13;
}

static size_t record_seal(struct tls_record *record, uint8_t type, struct str bytes, char *out) {
    uint8_t *head = (uint8_t *)out, *at = head + HEAD, nonce[NONCE], extra[13];
    struct half *half = &record->out;
    size_t len = bytes.len + TAG + (record->is_13 ? 1 : 0) + (has_explicit_nonce(record) ? NONCE - SALT : 0);
    int done = 0;
    head[0] = record->is_13 ? SSL3_RT_APPLICATION_DATA : type;
    head[1] = head[2] = 3;
    number_put(head + 3, len, 2);
    if (has_explicit_nonce(record)) {
        number_put(at, half->sequence, NONCE - SALT);
        at += NONCE - SALT;
    }
    nonce_make(record, half, head + HEAD, nonce);
    EVP_CIPHER_CTX *cipher = cipher_ready(record, true, nonce);
    int extra_len = extra_make(record, half, head, bytes.len, extra);
    bool is_fine = cipher && EVP_EncryptUpdate(cipher, NULL, &done, extra, extra_len) &&
                   EVP_EncryptUpdate(cipher, at, &done, (const uint8_t *)bytes.ptr, (int)bytes.len) &&
                   (!record->is_13 || EVP_EncryptUpdate(cipher, at + bytes.len, &done, &type, 1));
    at += bytes.len + (record->is_13 ? 1 : 0);
    is_fine = is_fine && EVP_EncryptFinal_ex(cipher, at, &done) &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG, at);
    half->sequence++;
    return is_fine ? HEAD + len : 0;
}

size_t tls_record_write(struct tls_record *record, struct str bytes, char *out) {
    return record_seal(record, SSL3_RT_APPLICATION_DATA, bytes, out);
}

size_t tls_record_write_end(struct tls_record *record, char *out) {
    static const char alert[] = {SSL3_AL_WARNING, SSL_AD_CLOSE_NOTIFY};
    return record_seal(record, SSL3_RT_ALERT, str_make(alert, sizeof alert), out);
}

size_t tls_record_write_update(struct tls_record *record, char *out) {
    static const char update[] = {SSL3_MT_KEY_UPDATE, 0, 0, 1, 0};
    size_t len = record_seal(record, SSL3_RT_HANDSHAKE, str_make(update, sizeof update), out);
    return len && half_update(record, &record->out) ? len : 0;
}

/* The payload's length in *got, with the inner type at its end in TLS 1.3. */
static bool record_open(struct tls_record *record, struct str in, char *out, size_t *got) {
    const uint8_t *head = (const uint8_t *)in.ptr, *at = head + HEAD;
    uint8_t nonce[NONCE], extra[13], tag[TAG];
    struct half *half = &record->in;
    size_t explicit = has_explicit_nonce(record) ? NONCE - SALT : 0;
    if (in.len < HEAD + explicit + TAG)
        return false;
    size_t len = in.len - HEAD - explicit - TAG;
    int done = 0;
    nonce_make(record, half, at, nonce);
    at += explicit;
    memcpy(tag, at + len, TAG);
    EVP_CIPHER_CTX *cipher = cipher_ready(record, false, nonce);
    int extra_len = extra_make(record, half, head, len, extra);
    half->sequence++;
    *got = len;
    return cipher && EVP_DecryptUpdate(cipher, NULL, &done, extra, extra_len) &&
           EVP_DecryptUpdate(cipher, (uint8_t *)out, &done, at, (int)len) &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
           EVP_DecryptFinal_ex(cipher, (uint8_t *)out + len, &done) > 0;
}

/* Messages of a handshake that is over: a ticket, which comes too late to be of use, or a change of keys. */
static enum tls_step handshake_take(struct tls_record *record, const uint8_t *bytes, size_t len) {
    while (len) {
        size_t body = len < 4 ? len : (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
        if (len < 4 || body > len - 4 || !record->is_13)
            return TLS_STEP_FAILED;
        if (bytes[0] == SSL3_MT_KEY_UPDATE) {
            if (body != 1 || len != 5 || bytes[4] > 1 || !half_update(record, &record->in))
                return TLS_STEP_FAILED;
            return bytes[4] ? TLS_STEP_MORE : TLS_STEP_DONE;
        }
        if (bytes[0] != SSL3_MT_NEWSESSION_TICKET)
            return TLS_STEP_FAILED;
        bytes += 4 + body;
        len -= 4 + body;
    }
    return TLS_STEP_DONE;
}

static enum tls_step alert_take(const uint8_t *bytes, size_t len) {
    return len == 2 && bytes[1] == SSL_AD_CLOSE_NOTIFY ? TLS_STEP_ENDED : TLS_STEP_FAILED;
}

enum tls_step tls_record_read(struct tls_record *record, struct str in, char *out, size_t *got) {
    size_t len = 0;
    uint8_t type = in.len ? (uint8_t)in.ptr[0] : 0;
    *got = 0;
    if (!record_open(record, in, out, &len)) {
        ERR_clear_error();
        return TLS_STEP_FAILED;
    }
    if (record->is_13) { /* the type is behind the payload, and padding may be behind the type */
        if (type != SSL3_RT_APPLICATION_DATA)
            return TLS_STEP_FAILED;
        while (len && out[len - 1] == 0)
            len--;
        if (len == 0)
            return TLS_STEP_FAILED;
        type = (uint8_t)out[--len];
    }
    if (type == SSL3_RT_HANDSHAKE)
        return handshake_take(record, (const uint8_t *)out, len);
    if (type == SSL3_RT_ALERT)
        return alert_take((const uint8_t *)out, len);
    if (type != SSL3_RT_APPLICATION_DATA || len > SSL3_RT_MAX_PLAIN_LENGTH)
        return TLS_STEP_FAILED;
    record->empty = len ? 0 : (uint8_t)(record->empty + 1);
    *got = len;
    return record->empty > EMPTY_MAX ? TLS_STEP_FAILED : TLS_STEP_DONE;
}
