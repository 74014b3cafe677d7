#include "proxy/guard/password_cache.h"

#include "base/mem.h"
#include "loop/random.h"
#include "net/password.h"

#include <openssl/evp.h>

enum { SLOTS = 1024, DIGEST_BYTES = 32, SECRET_BYTES = 32, PAIR_MAX = 8192 };

struct verdict {
    unsigned char digest[DIGEST_BYTES];
    enum { SLOT_EMPTY, SLOT_WRONG, SLOT_RIGHT } answer;
};

struct password_cache {
    char secret[SECRET_BYTES];
    struct verdict slots[SLOTS];
};

static struct password_cache *cache_of(struct engine *engine) {
    if (engine->passwords)
        return engine->passwords;
    struct password_cache *cache = mem_zero(1, sizeof *cache);
    if (cache)
        random_fill(cache->secret, sizeof cache->secret);
    return engine->passwords = cache;
}

static bool digest_make(const struct password_cache *cache, struct str stored, struct str given,
                        unsigned char *digest) {
    char memory[PAIR_MAX];
    struct builder pair = builder_make(memory, sizeof memory);
    builder_bytes(&pair, cache->secret, sizeof cache->secret);
    builder_u64(&pair, stored.len); /* where one ends and the other begins */
    builder_char(&pair, ':');
    builder_str(&pair, stored);
    builder_str(&pair, given);
    return !pair.overflow && EVP_Digest(pair.ptr, pair.len, digest, NULL, EVP_sha256(), NULL) == 1;
}

bool password_cache_ask(struct engine *engine, struct str stored, struct str given) {
    unsigned char digest[DIGEST_BYTES];
    struct password_cache *cache = password_is_slow(stored) ? cache_of(engine) : NULL;
    if (!cache || !digest_make(cache, stored, given, digest))
        return password_is_right(stored, given);
    struct verdict *slot = &cache->slots[(digest[0] << 8 | digest[1]) % SLOTS];
    if (slot->answer == SLOT_EMPTY || memcmp(slot->digest, digest, sizeof digest) != 0) {
        memcpy(slot->digest, digest, sizeof digest);
        slot->answer = password_is_right(stored, given) ? SLOT_RIGHT : SLOT_WRONG;
    }
    return slot->answer == SLOT_RIGHT;
}
