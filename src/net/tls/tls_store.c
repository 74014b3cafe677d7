#include "net/tls/tls_store.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/file.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_duct.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { BUCKETS_MAX = 1024, FILE_MAX_BYTES = 1 << 20, SHOWN_MAX = 1200 };

enum kind { KIND_CHAIN, KIND_KEY };

union value {
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

struct entry {
    struct list node; /* in the store's `used`, the most recently used first */
    struct entry *next;
    uint64_t hash;
    uint64_t read_ms, used_ms;
    struct file_info file; /* when it was read */
    enum kind kind;
    bool is_file;
    union value value;
    size_t trusted, path_len;
    char path[];
};

struct tls_store {
    struct tls_store_setup setup;
    struct list used;
    size_t count, mask;
    struct entry *buckets[];
};

static bool is_data(struct str path) {
    return str_starts(path, STR("data:"));
}

/* ---- reading ---- */

/* What an error calls it: a client may have had a hand in the path, and what is no path may be a key. */
static struct str shown(struct str path, char *memory) {
    struct builder out = builder_make(memory, SHOWN_MAX);
    builder_escaped(&out, is_data(path) ? STR("data:") : str_head(path, 256));
    return builder_view(&out);
}

static const char *const things[] = {[KIND_CHAIN] = "certificate", [KIND_KEY] = "certificate key"};

static bool fail(struct builder *error, enum kind kind, struct str path, const char *call, int number) {
    char memory[SHOWN_MAX];
    struct str name = shown(path, memory);
    builder_format(error, "cannot load %s \"%.*s\": %s failed", things[kind], STR_ARG(name), call);
    if (number)
        builder_format(error, " (%d: %s)", -number, strerrordesc_np(-number));
    return false;
}

static int bytes_read(int fd, char *bytes, size_t room, size_t *len) {
    *len = 0;
    for (ssize_t got = 1; got > 0 && *len < room; *len += (size_t)got) {
        got = file_read(fd, bytes + *len, room - *len, *len);
        if (got < 0)
            return (int)got;
    }
    return 0;
}

/* The file's bytes, for the caller to wipe and free. NULL when it cannot be read, said. */
static char *file_load(const struct tls_source *source, enum kind kind, struct file_info *info, size_t *len,
                       struct builder *error) {
    char memory[4096];
    struct builder path = builder_make(memory, sizeof memory);
    builder_str(&path, source->path);
    builder_char(&path, '\0');
    int fd = path.overflow                                   ? -ENAMETOOLONG
             : str_find_char(source->path, '\0') != STR_NONE ? -EINVAL
                                                             : file_open(memory, source->trusted, info);
    if (fd < 0) {
        fail(error, kind, source->path, "open()", fd);
        return NULL;
    }
    int result = info->is_directory ? -EISDIR : info->size > FILE_MAX_BYTES ? -EFBIG : 0;
    char *bytes = result ? NULL : mem_alloc(info->size + 1);
    if (!result)
        result = bytes ? bytes_read(fd, bytes, info->size, len) : -ENOMEM;
    file_close(fd);
    if (!result)
        return bytes;
    fail(error, kind, source->path, "read()", result);
    mem_free(bytes);
    return NULL;
}

/* *is_locked: the key is encrypted, and so not to be kept in the open. */
static bool pem_read(struct str text, enum kind kind, struct str path, struct str passwords, union value *value,
                     bool *is_locked, struct builder *error) {
    char memory[SHOWN_MAX];
    struct str name = shown(path, memory);
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    *is_locked = false;
    if (!bio)
        return fail(error, kind, path, "BIO_new_mem_buf()", -ENOMEM);
    ERR_clear_error();
    bool is_read = false;
    if (kind == KIND_CHAIN)
        is_read = (value->chain = tls_pem_chain(bio, name, error)) != NULL;
    else
        is_read = (value->key = tls_pem_key(bio, name, passwords, is_locked, error)) != NULL;
    BIO_free(bio);
    return is_read;
}

static bool value_read(const struct tls_source *source, enum kind kind, struct str passwords,
                       union value *value, struct file_info *info, bool *is_locked, struct builder *error) {
    size_t len;
    *info = (struct file_info){0};
    if (is_data(source->path))
        return pem_read(str_from(source->path, 5), kind, source->path, passwords, value, is_locked, error);
    char *bytes = file_load(source, kind, info, &len, error);
    if (!bytes)
        return false;
    bool is_read = pem_read(str_make(bytes, len), kind, source->path, passwords, value, is_locked, error);
    OPENSSL_cleanse(bytes, len);
    mem_free(bytes);
    return is_read;
}

static void value_free(enum kind kind, union value value) {
    if (kind == KIND_CHAIN)
        sk_X509_pop_free(value.chain, X509_free);
    else
        EVP_PKEY_free(value.key);
}

/* Another one of the same, for the caller. False without memory. */
static bool value_take(enum kind kind, union value value, union value *out) {
    if (kind == KIND_CHAIN)
        return (out->chain = X509_chain_up_ref(value.chain)) != NULL;
    out->key = value.key;
    return EVP_PKEY_up_ref(value.key);
}

/* ---- the store ---- */

struct tls_store *tls_store_new(const struct tls_store_setup *setup) {
    size_t buckets = 16;
    while (buckets < setup->max && buckets < BUCKETS_MAX)
        buckets *= 2;
    struct tls_store *store = mem_zero(1, sizeof *store + buckets * sizeof(struct entry *));
    if (!store)
        return NULL;
    store->setup = *setup;
    store->mask = buckets - 1;
    list_init(&store->used);
    return store;
}

/* What of a path is whose is part of what it is: ".." is looked for when a file is opened, and not again. */
static bool is_of(const struct entry *entry, uint64_t hash, enum kind kind, const struct tls_source *source) {
    return entry->hash == hash && entry->kind == kind && entry->trusted == source->trusted &&
           str_eq(str_make(entry->path, entry->path_len), source->path);
}

static void entry_remove(struct tls_store *store, struct entry *entry) {
    struct entry **at = &store->buckets[entry->hash & store->mask];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    list_remove(&entry->node);
    store->count--;
    value_free(entry->kind, entry->value);
    OPENSSL_cleanse(entry->path, entry->path_len); /* may be a key itself */
    mem_free(entry);
}

void tls_store_free(struct tls_store *store) {
    if (!store)
        return;
    LIST_EACH (&store->used, node)
        entry_remove(store, LIST_OF(node, struct entry, node));
    mem_free(store);
}

static bool is_forgotten(const struct tls_store *store, const struct entry *entry, uint64_t now_ms) {
    return now_ms - entry->used_ms > store->setup.inactive_ms;
}

/* Those that nobody asks for go, and the oldest in any case where there is no more room. */
static void room_make(struct tls_store *store, uint64_t now_ms) {
    while (!list_is_empty(&store->used)) {
        struct entry *oldest = LIST_OF(store->used.prev, struct entry, node);
        if (store->count < store->setup.max && !is_forgotten(store, oldest, now_ms))
            return;
        entry_remove(store, oldest);
    }
}

/* Is what was read still what there is? */
static bool is_current(const struct tls_store *store, struct entry *entry, uint64_t now_ms) {
    struct file_info now;
    char path[4096];
    if (!entry->is_file || now_ms - entry->read_ms <= store->setup.valid_ms)
        return true;
    struct builder text = builder_make(path, sizeof path);
    builder_str(&text, str_make(entry->path, entry->path_len));
    builder_char(&text, '\0');
    if (text.overflow || file_look(path, &now) < 0 || now.number != entry->file.number ||
        now.modified_s != entry->file.modified_s || now.size != entry->file.size)
        return false;
    entry->read_ms = now_ms;
    return true;
}

/* The entry that may be used; one that may not is taken out. */
static struct entry *entry_find(struct tls_store *store, uint64_t hash, enum kind kind,
                                const struct tls_source *source, uint64_t now_ms, bool is_anew) {
    struct entry *entry = store->buckets[hash & store->mask];
    while (entry && !is_of(entry, hash, kind, source))
        entry = entry->next;
    if (!entry)
        return NULL;
    if ((!is_anew || !entry->is_file) && !is_forgotten(store, entry, now_ms) &&
        is_current(store, entry, now_ms)) {
        list_remove(&entry->node);
        list_prepend(&store->used, &entry->node);
        entry->used_ms = now_ms;
        return entry;
    }
    entry_remove(store, entry);
    return NULL;
}

/* Without memory it is not kept, which is no fault. */
static void entry_add(struct tls_store *store, uint64_t hash, enum kind kind, const struct tls_source *source,
                      union value value, const struct file_info *file, uint64_t now_ms) {
    struct str path = source->path;
    room_make(store, now_ms);
    struct entry *entry = mem_alloc(sizeof *entry + path.len);
    union value own;
    if (!entry || !value_take(kind, value, &own)) {
        mem_free(entry);
        return;
    }
    struct entry **bucket = &store->buckets[hash & store->mask];
    *entry = (struct entry){.next = *bucket,
                            .hash = hash,
                            .read_ms = now_ms,
                            .used_ms = now_ms,
                            .file = *file,
                            .kind = kind,
                            .is_file = !is_data(path),
                            .value = own,
                            .trusted = source->trusted,
                            .path_len = path.len};
    memcpy(entry->path, path.ptr, path.len);
    *bucket = entry;
    list_prepend(&store->used, &entry->node);
    store->count++;
}

/* ---- giving ---- */

struct giving {
    struct tls_store *store; /* NULL: nothing is kept */
    SSL *ssl;
    struct str passwords;
    uint64_t now_ms;
    bool is_anew; /* what is kept does not fit together: the files may have changed one after the other */
    struct builder *error;
};

static bool value_find(const struct giving *g, const struct tls_source *source, enum kind kind,
                       union value *value) {
    uint64_t hash = g->store ? hash_str(source->path, kind) : 0;
    struct entry *entry = g->store ? entry_find(g->store, hash, kind, source, g->now_ms, g->is_anew) : NULL;
    if (entry)
        return value_take(kind, entry->value, value) || fail(g->error, kind, source->path, "malloc()", -ENOMEM);
    struct file_info file;
    bool is_locked;
    if (!value_read(source, kind, g->passwords, value, &file, &is_locked, g->error))
        return false;
    if (g->store && !is_locked)
        entry_add(g->store, hash, kind, source, *value, &file, g->now_ms);
    return true;
}

static bool use_fail(const struct giving *g, const char *call, struct str path) {
    char memory[SHOWN_MAX];
    struct str name = shown(path, memory);
    builder_format(g->error, "%s(\"%.*s\") failed", call, STR_ARG(name));
    tls_error_build(g->error);
    return false;
}

/* Takes the chain; its first certificate is *own from then on, for the caller to free. */
static bool chain_use(const struct giving *g, STACK_OF(X509) * chain, struct str path, X509 **own) {
    *own = sk_X509_shift(chain);
    bool is_used = SSL_use_certificate(g->ssl, *own);
    if (is_used && SSL_set0_chain(g->ssl, chain))
        return true;
    sk_X509_pop_free(chain, X509_free);
    return use_fail(g, is_used ? "SSL_set0_chain" : "SSL_use_certificate", path);
}

enum outcome { OUTCOME_GIVEN, OUTCOME_UNLIKE, OUTCOME_FAILED };

static enum outcome pair_give(const struct giving *g, const struct tls_source *certificate,
                              const struct tls_source *key) {
    union value chain, private;
    X509 *own = NULL;
    if (!value_find(g, certificate, KIND_CHAIN, &chain))
        return OUTCOME_FAILED;
    enum outcome outcome = OUTCOME_FAILED;
    if (chain_use(g, chain.chain, certificate->path, &own) && value_find(g, key, KIND_KEY, &private)) {
        bool is_like = X509_check_private_key(own, private.key);
        outcome = !is_like                                  ? OUTCOME_UNLIKE
                  : SSL_use_PrivateKey(g->ssl, private.key) ? OUTCOME_GIVEN
                                                            : OUTCOME_FAILED;
        if (outcome == OUTCOME_FAILED)
            use_fail(g, "SSL_use_PrivateKey", key->path);
        EVP_PKEY_free(private.key);
    }
    X509_free(own);
    return outcome;
}

bool tls_store_give(struct tls_store *store, const struct duct *duct, const struct tls_source *certificate,
                    const struct tls_source *key, uint64_t now_ms, struct builder *error) {
    SSL *ssl = tls_ssl(duct);
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct giving g = {
        .store = store, .ssl = ssl, .passwords = context->passwords, .now_ms = now_ms, .error = error};
    ERR_clear_error();
    enum outcome outcome = pair_give(&g, certificate, key);
    if (outcome == OUTCOME_UNLIKE && store) {
        ERR_clear_error();
        g.is_anew = true;
        outcome = pair_give(&g, certificate, key);
    }
    if (outcome == OUTCOME_UNLIKE)
        use_fail(&g, "SSL_use_PrivateKey", key->path);
    ERR_clear_error();
    return outcome == OUTCOME_GIVEN;
}
