#include "net/password.h"

#include "base/base64.h"
#include "base/mem.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

enum {
    SHA1_BYTES = 20,
    MD5_BYTES = 16,
    STORED_MAX = 512,
    GIVEN_MAX = 4096,
    APR1_ROUNDS = 1000,
    APR1_SALT_MAX = 8
};

#define APR1 STR("$apr1$")

static bool is_equal(struct str a, struct str b) {
    return a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool sha1_is_right(struct str encoded, struct str given, bool is_salted) {
    char memory[STORED_MAX], text[GIVEN_MAX + STORED_MAX], digest[SHA1_BYTES];
    struct builder decoded = builder_make(memory, sizeof memory), salted = builder_make(text, sizeof text);
    if (!base64_decode(&decoded, encoded) || decoded.len < SHA1_BYTES ||
        (!is_salted && decoded.len != SHA1_BYTES))
        return false;
    builder_str(&salted, given);
    builder_str(&salted, str_from(builder_view(&decoded), SHA1_BYTES));
    return !salted.overflow &&
           EVP_Digest(text, salted.len, (unsigned char *)digest, NULL, EVP_sha1(), NULL) == 1 &&
           is_equal(str_make(digest, SHA1_BYTES), str_head(builder_view(&decoded), SHA1_BYTES));
}

/* ---- $apr1$: Apache's MD5, a thousand rounds ---- */

struct apr1 {
    EVP_MD_CTX *context;
    struct str given, salt;
    unsigned char digest[MD5_BYTES];
    bool is_fine;
};

static void begin(struct apr1 *a) {
    a->is_fine = a->is_fine && EVP_DigestInit_ex(a->context, EVP_md5(), NULL) == 1;
}

static void add(struct apr1 *a, struct str bytes) {
    a->is_fine = a->is_fine && EVP_DigestUpdate(a->context, bytes.ptr, bytes.len) == 1;
}

static void end(struct apr1 *a) {
    a->is_fine = a->is_fine && EVP_DigestFinal_ex(a->context, a->digest, NULL) == 1;
}

static void first_digest(struct apr1 *a) {
    begin(a);
    add(a, a->given);
    add(a, a->salt);
    add(a, a->given);
    end(a);
    unsigned char inner[MD5_BYTES];
    memcpy(inner, a->digest, sizeof inner);
    begin(a);
    add(a, a->given);
    add(a, APR1);
    add(a, a->salt);
    for (size_t left = a->given.len; left; left -= left < MD5_BYTES ? left : MD5_BYTES)
        add(a, str_make((const char *)inner, left < MD5_BYTES ? left : MD5_BYTES));
    for (size_t bits = a->given.len; bits; bits >>= 1)
        add(a, bits & 1 ? str_make("", 1) : str_head(a->given, 1));
    end(a);
}

static void next_digest(struct apr1 *a, unsigned round) {
    unsigned char before[MD5_BYTES];
    memcpy(before, a->digest, sizeof before);
    struct str digest = str_make((const char *)before, sizeof before);
    begin(a);
    add(a, round & 1 ? a->given : digest);
    if (round % 3)
        add(a, a->salt);
    if (round % 7)
        add(a, a->given);
    add(a, round & 1 ? digest : a->given);
    end(a);
}

static void sextets_build(struct builder *out, uint32_t value, unsigned count) {
    static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (; count; count--, value >>= 6)
        builder_char(out, letters[value & 63]);
}

static void apr1_build(struct builder *out, const struct apr1 *a) {
    const unsigned char *d = a->digest;
    builder_str(out, APR1);
    builder_str(out, a->salt);
    builder_char(out, '$');
    for (unsigned i = 0; i < 5; i++)
        sextets_build(out, (uint32_t)(d[i] << 16 | d[i + 6] << 8 | d[i == 4 ? 5 : i + 12]), 4);
    sextets_build(out, d[11], 2);
}

static bool apr1_is_right(struct str stored, struct str given) {
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    struct str salt = str_from(stored, APR1.len);
    salt = str_head(salt, str_find_char(salt, '$'));
    struct apr1 a = {EVP_MD_CTX_new(), given, str_head(salt, APR1_SALT_MAX), {0}, true};
    if (!a.context)
        return false;
    first_digest(&a);
    for (unsigned round = 0; round < APR1_ROUNDS; round++)
        next_digest(&a, round);
    EVP_MD_CTX_free(a.context);
    apr1_build(&out, &a);
    return a.is_fine && is_equal(builder_view(&out), stored);
}

/* ---- crypt(3) ---- */

static bool crypt_is_right(struct str stored, struct str given) {
    char setting[STORED_MAX], phrase[GIVEN_MAX];
    if (stored.len >= sizeof setting || given.len >= sizeof phrase || str_find_char(given, '\0') != STR_NONE)
        return false;
    memcpy(setting, stored.ptr, stored.len);
    setting[stored.len] = '\0';
    memcpy(phrase, given.ptr, given.len);
    phrase[given.len] = '\0';
    struct crypt_data *data = mem_zero(1, sizeof *data);
    const char *made = data ? crypt_r(phrase, setting, data) : NULL;
    bool is_right = made && made[0] != '*' && is_equal(str_of(made), stored);
    mem_free(data);
    return is_right;
}

bool password_is_slow(struct str stored) {
    return !str_starts(stored, STR("{"));
}

bool password_is_right(struct str stored, struct str given) {
    if (given.len >= GIVEN_MAX)
        return false;
    if (str_starts(stored, STR("{PLAIN}")))
        return is_equal(str_from(stored, 7), given);
    if (str_starts(stored, STR("{SHA}")))
        return sha1_is_right(str_from(stored, 5), given, false);
    if (str_starts(stored, STR("{SSHA}")))
        return sha1_is_right(str_from(stored, 6), given, true);
    if (str_starts(stored, APR1))
        return apr1_is_right(stored, given);
    return crypt_is_right(stored, given);
}
