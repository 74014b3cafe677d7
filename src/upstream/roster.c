#include "upstream/roster.h"

#include "base/mem.h"

#include <stdlib.h>

enum { RETRY_LEAST_MS = 1000, ADDRESSES_MAX = 2 * NAMESERVER_RECORDS_MAX };

/* A server with `resolve`. */
struct named {
    struct roster *roster;
    const struct upstream_server *server;
    struct dns_query query;
    struct timer again;
    unsigned count;
    struct address addresses[ADDRESSES_MAX]; /* sorted, so that all loops place by hash alike */
};

struct roster {
    struct roster_setup setup;
    const struct upstream *upstream;
    struct group *group;
    size_t count;
    struct named named[];
};

/* ---- the group of now ---- */

static size_t places_fill(const struct roster *roster, struct group_place *places) {
    const struct group *fixed = roster->setup.fixed;
    size_t count = 0, next = 0;
    for (size_t i = 0; i < roster->upstream->servers.count; i++) {
        const struct upstream_server *server = &roster->upstream->servers.items[i];
        for (unsigned k = 0; !server->is_resolved && k < fixed->count; k++)
            if (fixed->members[k].server == server)
                places[count++] = (struct group_place){.server = server,
                                                       .address = fixed->members[k].peer->address,
                                                       .is_backup = server->is_backup};
        if (!server->is_resolved)
            continue;
        const struct named *named = &roster->named[next++];
        for (unsigned k = 0; k < named->count; k++)
            places[count++] = (struct group_place){
                .server = server, .address = named->addresses[k], .is_backup = server->is_backup};
    }
    return count;
}

/* False without memory: then the group stays as it was. */
static bool regroup(struct roster *roster) {
    const struct roster_setup *setup = &roster->setup;
    size_t most = setup->fixed->count;
    for (size_t i = 0; i < roster->count; i++)
        most += roster->named[i].count;
    struct group_place *places = mem_zero(most + 1, sizeof *places);
    if (!places)
        return false;
    struct group *group = group_new_own(roster->upstream, setup->registry, setup->index, setup->loops, places,
                                        places_fill(roster, places));
    mem_free(places);
    if (!group)
        return false;
    group_enter(group);
    group_leave(roster->group);
    group_drop(roster->group);
    roster->group = group;
    return true;
}

/* ---- names ---- */

static int address_order(const void *a, const void *b) {
    const struct address *one = a, *two = b;
    if (one->any.sa_family != two->any.sa_family)
        return one->any.sa_family < two->any.sa_family ? -1 : 1;
    return str_compare(address_bytes(one), address_bytes(two));
}

/* True when the addresses are others than before. */
static bool addresses_set(struct named *named, const struct dns_answer *answer) {
    struct address addresses[ADDRESSES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < answer->count && i < ADDRESSES_MAX; i++) {
        addresses[count] = answer->addresses[i];
        address_set_port(&addresses[count++], named->server->port);
    }
    qsort(addresses, count, sizeof addresses[0], address_order);
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (!kept || !address_eq(&addresses[i], &addresses[kept - 1]))
            addresses[kept++] = addresses[i];
    bool is_same = kept == named->count;
    for (unsigned i = 0; i < kept && is_same; i++)
        is_same = address_eq(&addresses[i], &named->addresses[i]);
    if (!is_same)
        memcpy(named->addresses, addresses, kept * sizeof addresses[0]);
    named->count = kept;
    return !is_same;
}

/* A name that is no more takes its members along; one that could not be asked for keeps them. */
static void known(struct named *named, const struct dns_answer *answer) {
    struct roster *roster = named->roster;
    uint64_t again_ms = answer->valid_ms > RETRY_LEAST_MS ? answer->valid_ms : RETRY_LEAST_MS;
    if (answer->code != NAMESERVER_FOUND)
        log_line(roster->setup.log, LOG_ERROR, "%.*s could not be resolved (%d: %s) in upstream \"%.*s\"",
                 STR_ARG(named->server->host), (int)answer->code, dns_code_text(answer->code),
                 STR_ARG(roster->upstream->name));
    if (answer->code != NAMESERVER_FOUND && answer->code != NAMESERVER_NOT_FOUND)
        again_ms = roster->upstream->resolver_timeout_ms > RETRY_LEAST_MS
                       ? roster->upstream->resolver_timeout_ms
                       : RETRY_LEAST_MS;
    else if (addresses_set(named, answer) && !regroup(roster))
        named->count = 0; /* no memory: whatever comes next is a change again */
    loop_arm(roster->setup.loop, &named->again, again_ms);
}

static void answered(struct dns_query *query, const struct dns_answer *answer) {
    known(LIST_OF(query, struct named, query), answer);
}

static void ask(struct named *named) {
    struct roster *roster = named->roster;
    const struct dns_answer *answer = dns_begin(roster->setup.dns, &named->query, named->server->host,
                                                roster->upstream->resolver_timeout_ms, answered);
    if (answer)
        known(named, answer);
}

static void ask_again(struct timer *timer) {
    ask(LIST_OF(timer, struct named, again));
}

static void begin_from(struct named *named, const struct roster *before) {
    for (size_t i = 0; before && i < before->count; i++) {
        const struct named *old = &before->named[i];
        if (!str_eq(old->server->host, named->server->host) || old->server->port != named->server->port)
            continue;
        named->count = old->count;
        memcpy(named->addresses, old->addresses, old->count * sizeof old->addresses[0]);
        return;
    }
}

struct roster *roster_new(const struct roster_setup *setup) {
    const struct upstream *upstream = setup->fixed->upstream;
    size_t count = 0;
    for (size_t i = 0; i < upstream->servers.count; i++)
        count += upstream->servers.items[i].is_resolved;
    struct roster *roster = mem_zero(1, sizeof *roster + count * sizeof roster->named[0]);
    if (!roster)
        return NULL;
    roster->setup = *setup;
    roster->setup.before = NULL;
    roster->upstream = upstream;
    for (size_t i = 0; i < upstream->servers.count; i++) {
        if (!upstream->servers.items[i].is_resolved)
            continue;
        struct named *named = &roster->named[roster->count++];
        named->roster = roster;
        named->server = &upstream->servers.items[i];
        timer_init(&named->again, ask_again);
        begin_from(named, setup->before);
    }
    if (!regroup(roster)) {
        mem_free(roster);
        return NULL;
    }
    for (size_t i = 0; i < roster->count; i++)
        ask(&roster->named[i]);
    return roster;
}

void roster_free(struct roster *roster) {
    if (!roster)
        return;
    for (size_t i = 0; i < roster->count; i++) {
        dns_cancel(&roster->named[i].query);
        timer_disarm(&roster->named[i].again);
    }
    group_leave(roster->group);
    group_drop(roster->group);
    mem_free(roster);
}

struct group *roster_group(const struct roster *roster) {
    return roster->group;
}

struct str roster_name(const struct roster *roster) {
    return roster->upstream->key;
}
