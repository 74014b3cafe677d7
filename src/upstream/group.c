#include "upstream/group.h"

#include "base/check.h"
#include "base/mem.h"
#include "net/resolver.h"
#include "upstream/balance.h"

#include <openssl/evp.h>

/* ---- making ---- */

enum { MD5_BYTES = 16 };
enum { SPREAD_MAX = 1024 }; /* rounds by which a loop's balancing may begin ahead of the first loop's */

static bool say_no_memory(const struct upstream *upstream, struct diagnostics *diagnostics) {
    diagnostics_add(diagnostics, SEVERITY_ERROR, upstream->place, "out of memory for upstream \"%.*s\"",
                    STR_ARG(upstream->name));
    return false;
}

/* The addresses of one of its servers. The count, 0 when that has been complained of. */
static int server_lookup(const struct upstream *upstream, const struct upstream_server *server,
                         struct address addresses[RESOLVER_MAX], struct diagnostics *diagnostics) {
    const char *reason = "too long path";
    int count = server->is_unix ? address_unix(server->host, &addresses[0])
                                : resolver_lookup(server->host, server->port, addresses, &reason);
    if (count < 1) {
        struct diagnostic *diagnostic =
            diagnostics_add(diagnostics, SEVERITY_ERROR, server->place, "host not found in upstream \"%.*s\"",
                            STR_ARG(server->name));
        if (upstream->is_implicit && !server->is_unix)
            diagnostic_hint(diagnostics, diagnostic, "%s, and no upstream block is named \"%.*s\"", reason,
                            STR_ARG(server->host));
        else if (!upstream->is_implicit && !server->is_unix && server->place.file.len)
            diagnostic_hint(diagnostics, diagnostic,
                            "%s; with a \"resolver\", \"server %.*s resolve;\" begins without it", reason,
                            STR_ARG(server->name));
        else
            diagnostic_hint(diagnostics, diagnostic, "%s", reason);
    }
    return count < 1 ? 0 : count;
}

/* nginx's: the route, or the digest of the address as it is written. */
static void id_make(struct member *member) {
    unsigned char digest[MD5_BYTES];
    struct str route = str_head(member->server->route, MEMBER_ID_MAX), name = str_of(member->peer->name);
    struct builder id = builder_make(member->id, sizeof member->id);
    builder_str(&id, route);
    if (!route.len && EVP_Digest(name.ptr, name.len, digest, NULL, EVP_md5(), NULL))
        for (unsigned i = 0; i < MD5_BYTES; i++)
            builder_format(&id, "%02x", digest[i]);
}

static unsigned ordinal_of(const struct group *group, const struct address *address) {
    unsigned count = 0;
    for (unsigned i = 0; i < group->count; i++)
        count += address_eq(&group->members[i].peer->address, address);
    return count;
}

static bool member_add(struct group *group, struct registry *registry, const struct group_place *place) {
    struct member *bigger = mem_resize(group->members, (group->count + 1) * sizeof *bigger);
    if (!bigger)
        return false;
    group->members = bigger;
    struct peer *peer =
        registry_peer(registry, group->upstream->key, &place->address, ordinal_of(group, &place->address));
    if (!peer)
        return false;
    const struct upstream_server *server = place->server;
    unsigned weight = place->weight ? place->weight : server->weight;
    group->members[group->count++] = (struct member){.peer = peer,
                                                     .server = server,
                                                     .weight = weight ? weight : 1,
                                                     .max_fails = server->max_fails,
                                                     .max_connections = server->max_connections,
                                                     .fail_timeout_ms = server->fail_timeout_ms,
                                                     .is_backup = place->is_backup,
                                                     .slow_start_ms = server->slow_start_ms,
                                                     .is_down = server->is_down,
                                                     .is_draining = server->is_draining};
    group->tries += !server->is_down;
    group->is_slow |= server->slow_start_ms > 0;
    if (group->upstream->sticky)
        id_make(&group->members[group->count - 1]);
    return true;
}

static bool server_add(struct group *group, struct registry *registry, const struct upstream_server *server,
                       const struct address *address, struct diagnostics *diagnostics) {
    if (group->count == GROUP_MEMBERS_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, server->place,
                        "more than %d server addresses in upstream \"%.*s\"", GROUP_MEMBERS_MAX,
                        STR_ARG(group->upstream->name));
        return false;
    }
    struct group_place place = {.server = server, .address = *address, .is_backup = server->is_backup};
    return member_add(group, registry, &place) || say_no_memory(group->upstream, diagnostics);
}

/* Adds the primaries or the backups. Goes on after a name that is not found, so that all are said. */
static bool servers_add(struct group *group, struct registry *registry, bool is_backup,
                        struct diagnostics *diagnostics) {
    bool is_good = true;
    for (size_t i = 0; i < group->upstream->servers.count; i++) {
        const struct upstream_server *server = &group->upstream->servers.items[i];
        if (server->is_backup != is_backup || server->is_resolved)
            continue;
        struct address addresses[RESOLVER_MAX];
        int count = server_lookup(group->upstream, server, addresses, diagnostics);
        is_good &= count > 0;
        for (int j = 0; j < count; j++)
            if (!server_add(group, registry, server, &addresses[j], diagnostics))
                return false;
    }
    return is_good;
}

static void weights_add(struct group *group) {
    for (unsigned i = 0; i < group->primaries; i++)
        group->total_weight += group->members[i].weight;
}

static bool has_resolved(const struct upstream *upstream) {
    for (size_t i = 0; i < upstream->servers.count; i++)
        if (upstream->servers.items[i].is_resolved)
            return true;
    return false;
}

static bool members_add(struct group *group, struct registry *registry, struct diagnostics *diagnostics) {
    bool is_good = servers_add(group, registry, false, diagnostics);
    group->primaries = group->count;
    if (is_good && !group->primaries && !has_resolved(group->upstream)) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, group->upstream->place, "no servers in upstream \"%.*s\"",
                        STR_ARG(group->upstream->name));
        return false;
    }
    weights_add(group);
    return is_good & servers_add(group, registry, true, diagnostics);
}

/* A loop begins as far along the common sequence as its number says, so that the first requests of several
 * loops do not all go to the first member. */
static void local_spread(struct group *group, unsigned local, unsigned loop, unsigned loops, struct span span) {
    uint64_t period = 0;
    for (unsigned i = span.from; i < span.to; i++)
        period += group->members[i].weight;
    uint64_t rounds = loop * period / loops;
    for (rounds = rounds > SPREAD_MAX ? loop : rounds; rounds; rounds--) {
        struct round round = balance_begin(group, local);
        for (unsigned i = span.from; i < span.to; i++)
            balance_enter(&round, i);
        balance_end(&round);
    }
}

/* The balancing state number `local`, which loop `loop` of `loops` uses. */
static bool local_add(struct group *group, unsigned local_at, unsigned loop, unsigned loops) {
    enum { LINE = 64 };
    size_t head = (sizeof(struct group_local) + LINE - 1) & ~(size_t)(LINE - 1);
    struct group_local *local = mem_aligned(LINE, head + group->count * sizeof(struct weight));
    if (!local)
        return false;
    group->locals[local_at] = local;
    local->weights = (struct weight *)(void *)((char *)local + head);
    for (unsigned i = 0; i < group->count; i++)
        local->weights[i] = (struct weight){.effective = group->members[i].weight,
                                            .failures = atomic_load(&group->members[i].peer->failures)};
    local_spread(group, local_at, loop, loops, (struct span){0, group->primaries});
    local_spread(group, local_at, loop, loops, (struct span){group->primaries, group->count});
    return true;
}

static bool ring_init(struct group *group) {
    if (group->upstream->balance != BALANCE_HASH_CONSISTENT || !group->primaries)
        return true;
    group->ring = balance_hash_ring(group);
    return group->ring != NULL;
}

static bool balance_init(struct group *group, unsigned loops) {
    group->locals = mem_zero(loops, sizeof(struct group_local *));
    if (!group->locals)
        return false;
    group->loops = loops;
    for (unsigned i = 0; i < loops; i++)
        if (!local_add(group, i, i, loops))
            return false;
    return ring_init(group);
}

static struct group *group_make(const struct upstream *upstream) {
    struct group *group = mem_zero(1, sizeof *group);
    if (!group)
        return NULL;
    group->upstream = upstream;
    group->upstream_hash = peer_hash_upstream(upstream->key);
    return group;
}

struct group *group_new(const struct upstream *upstream, struct registry *registry, unsigned loops,
                        struct diagnostics *diagnostics) {
    struct group *group = group_make(upstream);
    if (!group) {
        say_no_memory(upstream, diagnostics);
        return NULL;
    }
    if (members_add(group, registry, diagnostics) &&
        (balance_init(group, loops) || say_no_memory(upstream, diagnostics)))
        return group;
    group_free(group);
    return NULL;
}

/* The primaries or the backups among the places. */
static bool places_add(struct group *group, struct registry *registry, const struct group_place *places,
                       size_t count, bool is_backup) {
    for (size_t i = 0; i < count && group->count < GROUP_MEMBERS_MAX; i++)
        if (places[i].is_backup == is_backup && !member_add(group, registry, &places[i]))
            return false;
    return true;
}

struct group *group_new_own(const struct upstream *upstream, struct registry *registry, unsigned index,
                            unsigned loops, const struct group_place *places, size_t count) {
    struct group *group = group_make(upstream);
    if (!group)
        return NULL;
    group->is_own = true;
    group->users = 1;
    bool is_whole = places_add(group, registry, places, count, false);
    group->primaries = group->count;
    weights_add(group);
    group->locals = mem_zero(1, sizeof(struct group_local *));
    if (is_whole && places_add(group, registry, places, count, true) && group->locals) {
        group->loops = 1;
        if (local_add(group, 0, index, loops) && ring_init(group))
            return group;
    }
    group_free(group);
    return NULL;
}

void group_free(struct group *group) {
    if (!group)
        return;
    for (unsigned i = 0; i < group->count; i++)
        peer_drop(group->members[i].peer);
    for (unsigned i = 0; i < group->loops; i++)
        mem_free(group->locals[i]);
    mem_free(group->locals);
    mem_free(group->members);
    balance_hash_ring_free(group->ring);
    mem_free(group);
}

void group_enter(struct group *group) {
    for (unsigned i = 0; group && i < group->count; i++) {
        atomic_fetch_add(&group->members[i].peer->names, 1);
        atomic_store(&group->members[i].peer->was_named, true);
    }
}

void group_leave(struct group *group) {
    for (unsigned i = 0; group && i < group->count; i++)
        atomic_fetch_sub(&group->members[i].peer->names, 1);
}

/* ---- picking ---- */

/* By a method that looks at the primaries alone. */
static unsigned choose_primary(const struct group *group, struct pick *pick, uint64_t now_ms) {
    switch (group->upstream->balance) {
    case BALANCE_HASH:
        return balance_hash(group, pick, now_ms);
    case BALANCE_HASH_CONSISTENT:
        return balance_hash_consistent(group, pick, now_ms);
    case BALANCE_IP_HASH:
        return balance_ip_hash(group, pick, now_ms);
    case BALANCE_RANDOM:
        return balance_random(group, pick, now_ms);
    case BALANCE_RANDOM_TWO:
        return balance_random_two(group, pick, now_ms);
    case BALANCE_ROUND_ROBIN:
    case BALANCE_LEAST_CONN:
        break;
    }
    return BALANCE_NONE;
}

static unsigned choose(const struct group *group, struct pick *pick, struct span span, uint64_t now_ms) {
    if (group->upstream->balance == BALANCE_LEAST_CONN)
        return balance_least_conn(group, pick, span, now_ms);
    unsigned index = span.from ? BALANCE_NONE : choose_primary(group, pick, now_ms);
    return index == BALANCE_NONE ? balance_round_robin(group, pick, span, now_ms) : index;
}

/* Whoever starts slowly is passed over now and then, but not when nobody else is there. */
static unsigned choose_any(const struct group *group, struct pick *pick, uint64_t now_ms) {
    const struct span primaries = {0, group->primaries}, backups = {group->primaries, group->count};
    pick->is_hasty = !group->is_slow;
    unsigned index = choose(group, pick, primaries, now_ms);
    if (index == BALANCE_NONE && group->is_slow) {
        pick->is_hasty = true;
        index = choose(group, pick, primaries, now_ms);
    }
    return index == BALANCE_NONE ? choose(group, pick, backups, now_ms) : index;
}

static struct member *give(struct group *group, struct pick *pick, unsigned index) {
    pick->tried[index / 64] |= (uint64_t)1 << (index % 64);
    return &group->members[index];
}

struct member *group_pick(struct group *group, struct pick *pick, uint64_t now_ms) {
    CHECK(pick->loop < group->loops, "loop %u of %u", pick->loop, group->loops);
    /* Each round that gives nobody has lost a member to another loop, so there are at most so many. */
    for (unsigned i = 0; i <= group->count; i++) {
        unsigned index = choose_any(group, pick, now_ms);
        if (index == BALANCE_NONE)
            return NULL;
        if (member_claim(group, &group->members[index], now_ms))
            return give(group, pick, index);
    }
    return NULL;
}

static bool is_full(const struct member *member) {
    return member->max_connections &&
           atomic_load_explicit(&member->peer->active, memory_order_relaxed) >= member->max_connections;
}

struct member *group_pick_id(struct group *group, struct pick *pick, struct str id, uint64_t now_ms) {
    for (unsigned i = 0; id.len && i < group->count; i++) {
        struct member *member = &group->members[i];
        if (str_eq(str_of(member->id), id) && !balance_is_tried(pick, i) &&
            member_is_up(group, member, now_ms) && !is_full(member) && member_claim(group, member, now_ms))
            return give(group, pick, i);
    }
    return NULL;
}

bool group_is_full(const struct group *group, const struct pick *pick, uint64_t now_ms) {
    for (unsigned i = 0; i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (is_full(member) && !balance_is_tried(pick, i) && !member->is_draining &&
            member_is_up(group, member, now_ms))
            return true;
    }
    return false;
}

bool group_has_other(const struct group *group, const struct pick *pick, uint64_t now_ms) {
    for (unsigned i = 0; i < group->count; i++)
        if (balance_may_give(group, pick, i, now_ms))
            return true;
    return false;
}

struct member *group_find(struct group *group, const struct peer *peer) {
    for (unsigned i = 0; i < group->count; i++)
        if (group->members[i].peer == peer)
            return &group->members[i];
    return NULL;
}
