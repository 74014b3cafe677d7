#include "upstream/peer.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"

#include <pthread.h>

/* The registry holds a reference to each peer it knows. One that nobody else holds any more is let go when
 * the next is made, once enough have come together: so a peer never needs the registry to die. */

enum { BUCKETS = 256, PURGE_LEAST = 64 };

struct registered {
    struct list node;
    struct peer *peer;
    uint64_t hash; /* of upstream and address */
};

struct registry {
    pthread_mutex_t lock;
    struct list buckets[BUCKETS];
    size_t count, purge_at;
    unsigned loops;
    struct list listens;
};

/* A listening address that has been met. There are few, and they are never forgotten. */
struct listening {
    struct list node;
    struct listen_meter *meters;
    size_t len;
    char address[];
};

uint64_t peer_hash_upstream(struct str upstream) {
    return hash_str(upstream, 0);
}

void peer_take(struct peer *peer) {
    atomic_fetch_add_explicit(&peer->references, 1, memory_order_relaxed);
}

void peer_drop(struct peer *peer) {
    if (peer && atomic_fetch_sub_explicit(&peer->references, 1, memory_order_acq_rel) == 1)
        mem_free(peer);
}

struct registry *registry_new(unsigned loops) {
    struct registry *registry = mem_zero(1, sizeof *registry);
    if (!registry)
        return NULL;
    if (pthread_mutex_init(&registry->lock, NULL)) {
        mem_free(registry);
        return NULL;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&registry->buckets[i]);
    registry->purge_at = PURGE_LEAST;
    registry->loops = loops;
    list_init(&registry->listens);
    return registry;
}

static void forget(struct registry *registry, struct registered *entry) {
    list_remove(&entry->node);
    peer_drop(entry->peer);
    mem_free(entry);
    registry->count--;
}

void registry_free(struct registry *registry) {
    if (!registry)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_EACH (&registry->buckets[i], node)
            forget(registry, LIST_OF(node, struct registered, node));
    LIST_EACH (&registry->listens, node) {
        struct listening *listening = LIST_OF(node, struct listening, node);
        mem_free(listening->meters);
        mem_free(listening);
    }
    pthread_mutex_destroy(&registry->lock);
    mem_free(registry);
}

/* With the lock held nobody can take a new reference to a peer that only the registry holds. */
static void purge(struct registry *registry) {
    for (size_t i = 0; i < BUCKETS; i++)
        LIST_EACH (&registry->buckets[i], node) {
            struct registered *entry = LIST_OF(node, struct registered, node);
            if (atomic_load_explicit(&entry->peer->references, memory_order_acquire) == 1)
                forget(registry, entry);
        }
    registry->purge_at = registry->count * 2 > PURGE_LEAST ? registry->count * 2 : PURGE_LEAST;
}

static void text_set(char text[PEER_NAME_MAX], struct str from) {
    size_t len = from.len < PEER_NAME_MAX - 1 ? from.len : PEER_NAME_MAX - 1;
    if (len)
        memcpy(text, from.ptr, len);
    text[len] = '\0';
}

static struct peer *peer_new(struct str upstream, const struct address *address, unsigned loops) {
    size_t size = sizeof(struct peer) + loops * sizeof(struct meter);
    struct peer *peer = mem_aligned(_Alignof(struct peer), size);
    if (!peer)
        return NULL;
    memset(peer, 0, size);
    peer->meters = (struct meter *)(peer + 1);
    peer->loops = loops;
    atomic_init(&peer->references, 1);
    peer->address = *address;
    peer->upstream_hash = peer_hash_upstream(upstream);
    text_set(peer->upstream, upstream);
    char memory[sizeof(struct address) + 64];
    struct builder name = builder_make(memory, sizeof memory);
    address_build(&name, address);
    text_set(peer->name, builder_view(&name));
    return peer;
}

static bool is_same(const struct registered *entry, uint64_t hash, struct str upstream,
                    const struct address *address, unsigned ordinal) {
    return entry->hash == hash && entry->peer->ordinal == ordinal &&
           address_eq(&entry->peer->address, address) &&
           str_eq(str_of(entry->peer->upstream), str_head(upstream, PEER_NAME_MAX - 1));
}

static struct peer *registry_add(struct registry *registry, struct list *bucket, uint64_t hash,
                                 struct str upstream, const struct address *address) {
    if (registry->count >= registry->purge_at)
        purge(registry);
    struct registered *entry = mem_zero(1, sizeof *entry);
    struct peer *peer = entry ? peer_new(upstream, address, registry->loops) : NULL;
    if (!peer) {
        mem_free(entry);
        return NULL;
    }
    entry->peer = peer;
    entry->hash = hash;
    list_append(bucket, &entry->node);
    registry->count++;
    return peer;
}

struct peer *registry_peer(struct registry *registry, struct str upstream, const struct address *address,
                           unsigned ordinal) {
    uint64_t hash = hash_str(address_bytes(address), peer_hash_upstream(upstream) + address_port(address));
    struct list *bucket = &registry->buckets[hash % BUCKETS];
    struct peer *peer = NULL;
    pthread_mutex_lock(&registry->lock);
    LIST_EACH (bucket, node) {
        struct registered *entry = LIST_OF(node, struct registered, node);
        if (!peer && is_same(entry, hash, upstream, address, ordinal))
            peer = entry->peer;
    }
    if (!peer)
        peer = registry_add(registry, bucket, hash, upstream, address);
    if (peer)
        peer->ordinal = ordinal;
    if (peer)
        peer_take(peer);
    pthread_mutex_unlock(&registry->lock);
    return peer;
}

static struct listening *listening_find(const struct registry *registry, struct str address) {
    LIST_EACH (&registry->listens, node) {
        struct listening *listening = LIST_OF(node, struct listening, node);
        if (str_eq(str_make(listening->address, listening->len), address))
            return listening;
    }
    return NULL;
}

static struct listening *listening_add(struct registry *registry, struct str address) {
    size_t size = registry->loops * sizeof(struct listen_meter);
    struct listening *listening = mem_alloc(sizeof *listening + address.len);
    struct listen_meter *meters = listening ? mem_aligned(_Alignof(struct listen_meter), size) : NULL;
    if (!meters) {
        mem_free(listening);
        return NULL;
    }
    memset(meters, 0, size);
    listening->meters = meters;
    listening->len = address.len;
    memcpy(listening->address, address.ptr, address.len);
    list_append(&registry->listens, &listening->node);
    return listening;
}

struct listen_meter *registry_listen(struct registry *registry, struct str address) {
    pthread_mutex_lock(&registry->lock);
    struct listening *listening = listening_find(registry, address);
    if (!listening)
        listening = listening_add(registry, address);
    pthread_mutex_unlock(&registry->lock);
    return listening ? listening->meters : NULL;
}
