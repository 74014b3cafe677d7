#include "proxy/guard/password_cache.h"

#include "base/mem.h"
#include "loop/random.h"
#include "net/password.h"
#include "net/password_helper.h"

#include <openssl/evp.h>

enum { SLOTS = 1024, DIGEST_BYTES = 32, SECRET_BYTES = 32, PAIR_MAX = 8192 };

struct verdict {
    unsigned char digest[DIGEST_BYTES];
    enum { SLOT_EMPTY, SLOT_WRONG, SLOT_RIGHT } answer;
};

struct password_cache {
    char secret[SECRET_BYTES];
    unsigned asked; /* of the helper, and not answered yet */
    struct verdict slots[SLOTS];
};

/* One that is being looked at. */
struct password_wait {
    struct password_job job;
    struct password_cache *cache;
    struct exchange *exchange; /* NULL: it waits no longer */
    unsigned char digest[DIGEST_BYTES];
    char text[];
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

static struct verdict *slot_of(struct password_cache *cache, const unsigned char *digest) {
    return &cache->slots[(digest[0] << 8 | digest[1]) % SLOTS];
}

static void answered(struct password_job *job) {
    struct password_wait *wait = LIST_OF(job, struct password_wait, job);
    struct verdict *slot = slot_of(wait->cache, wait->digest);
    struct exchange *x = wait->exchange;
    wait->cache->asked--;
    memcpy(slot->digest, wait->digest, sizeof slot->digest);
    slot->answer = job->is_right ? SLOT_RIGHT : SLOT_WRONG;
    mem_free(wait);
    if (!x)
        return;
    x->guarding->password = NULL;
    exchange_run(x);
}

static bool ask(struct exchange *x, struct password_cache *cache, struct str stored, struct str given,
                const unsigned char *digest) {
    struct password_wait *wait = mem_alloc(sizeof *wait + stored.len + given.len);
    if (!wait)
        return false;
    *wait = (struct password_wait){.cache = cache, .exchange = x};
    memcpy(wait->digest, digest, sizeof wait->digest);
    memcpy(wait->text, stored.ptr, stored.len);
    memcpy(wait->text + stored.len, given.ptr, given.len);
    wait->job.loop = x->engine->loop;
    wait->job.done = answered;
    wait->job.stored = str_make(wait->text, stored.len);
    wait->job.given = str_make(wait->text + stored.len, given.len);
    if (!password_ask(&wait->job)) {
        mem_free(wait);
        return false;
    }
    cache->asked++;
    x->guarding->password = wait;
    return true;
}

enum password_verdict password_cache_ask(struct exchange *x, struct str stored, struct str given) {
    unsigned char digest[DIGEST_BYTES];
    if (!password_is_slow(stored))
        return password_is_right(stored, given) ? PASSWORD_RIGHT : PASSWORD_WRONG;
    struct password_cache *cache = cache_of(x->engine);
    if (!cache || !digest_make(cache, stored, given, digest))
        return PASSWORD_UNASKED;
    const struct verdict *slot = slot_of(cache, digest);
    if (slot->answer != SLOT_EMPTY && memcmp(slot->digest, digest, sizeof digest) == 0)
        return slot->answer == SLOT_RIGHT ? PASSWORD_RIGHT : PASSWORD_WRONG;
    return ask(x, cache, stored, given, digest) ? PASSWORD_ASKED : PASSWORD_UNASKED;
}

void password_cache_forget(struct exchange *x) {
    if (x->guarding->password)
        x->guarding->password->exchange = NULL;
    x->guarding->password = NULL;
}

void password_cache_fini(struct engine *engine) {
    while (engine->passwords && engine->passwords->asked)
        loop_turn(engine->loop, -1); /* the answer wakes it */
    if (engine->passwords)
        password_settle();
    mem_free(engine->passwords);
    engine->passwords = NULL;
}
