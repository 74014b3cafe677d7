#include "upstream/roster.h"

#include "base/mem.h"

#include <stdlib.h>

enum { RETRY_LEAST_MS = 1000, ADDRESSES_MAX = 2 * NAMESERVER_RECORDS_MAX };

/* A name whose addresses are members: that of a server with `resolve`, or one that its SRV records tell. */
struct target {
    struct list node; /* of the server */
    struct named *named;
    struct dns_query query;
    struct timer again;
    uint16_t port;
    unsigned weight; /* 0: the server's */
    bool is_backup, is_listed;
    unsigned count;
    struct address addresses[ADDRESSES_MAX]; /* sorted, so that all loops place by hash alike */
    size_t host_len;
    char host[]; /* host_len bytes */
};

/* A server with `resolve`. */
struct named {
    struct roster *roster;
    const struct upstream_server *server;
    struct list targets; /* in the order of their names */
    struct dns_services services;
    struct timer again; /* for its SRV records */
};

struct roster {
    struct roster_setup setup;
    const struct upstream *upstream;
    struct group *group;
    size_t count;
    struct named named[];
};

/* ---- the group of now ---- */

static size_t named_fill(const struct named *named, struct group_place *places, size_t count) {
    for (struct list *node = named->targets.next; node != &named->targets; node = node->next) {
        const struct target *target = LIST_OF(node, struct target, node);
        for (unsigned k = 0; k < target->count; k++)
            places[count++] = (struct group_place){.server = named->server,
                                                   .address = target->addresses[k],
                                                   .weight = target->weight,
                                                   .is_backup = target->is_backup};
    }
    return count;
}

static size_t places_fill(const struct roster *roster, struct group_place *places) {
    const struct group *fixed = roster->setup.fixed;
    size_t count = 0, next = 0;
    for (size_t i = 0; i < roster->upstream->servers.count; i++) {
        const struct upstream_server *server = &roster->upstream->servers.items[i];
        if (server->is_resolved)
            count = named_fill(&roster->named[next++], places, count);
        for (unsigned k = 0; !server->is_resolved && k < fixed->count; k++)
            if (fixed->members[k].server == server)
                places[count++] = (struct group_place){.server = server,
                                                       .address = fixed->members[k].peer->address,
                                                       .is_backup = server->is_backup};
    }
    return count;
}

static size_t places_count(const struct roster *roster) {
    size_t count = roster->setup.fixed->count;
    for (size_t i = 0; i < roster->count; i++)
        LIST_EACH (&roster->named[i].targets, node)
            count += LIST_OF(node, struct target, node)->count;
    return count;
}

/* False without memory: then the group stays as it was. */
static bool regroup(struct roster *roster) {
    const struct roster_setup *setup = &roster->setup;
    struct group_place *places = mem_zero(places_count(roster) + 1, sizeof *places);
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
static bool addresses_set(struct target *target, const struct dns_answer *answer) {
    struct address addresses[ADDRESSES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < answer->count && i < ADDRESSES_MAX; i++) {
        addresses[count] = answer->addresses[i];
        address_set_port(&addresses[count++], target->port);
    }
    qsort(addresses, count, sizeof addresses[0], address_order);
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++)
        if (!kept || !address_eq(&addresses[i], &addresses[kept - 1]))
            addresses[kept++] = addresses[i];
    bool is_same = kept == target->count;
    for (unsigned i = 0; i < kept && is_same; i++)
        is_same = address_eq(&addresses[i], &target->addresses[i]);
    if (!is_same)
        memcpy(target->addresses, addresses, kept * sizeof addresses[0]);
    target->count = kept;
    return !is_same;
}

static struct str target_host(const struct target *target) {
    return str_make(target->host, target->host_len);
}

static uint64_t retry_ms(const struct roster *roster) {
    uint64_t timeout_ms = roster->upstream->resolver_timeout_ms;
    return timeout_ms > RETRY_LEAST_MS ? timeout_ms : RETRY_LEAST_MS;
}

static void say_unresolved(const struct roster *roster, struct str name, enum nameserver_code code) {
    log_line(roster->setup.log, LOG_ERROR, "%.*s could not be resolved (%d: %s) in upstream \"%.*s\"",
             STR_ARG(name), (int)code, dns_code_text(code), STR_ARG(roster->upstream->name));
}

/* A name that is no more takes its members along; one that could not be asked for keeps them. */
static void known(struct target *target, const struct dns_answer *answer) {
    struct roster *roster = target->named->roster;
    uint64_t again_ms = answer->valid_ms > RETRY_LEAST_MS ? answer->valid_ms : RETRY_LEAST_MS;
    if (answer->code != NAMESERVER_FOUND)
        say_unresolved(roster, target_host(target), answer->code);
    if (answer->code != NAMESERVER_FOUND && answer->code != NAMESERVER_NOT_FOUND)
        again_ms = retry_ms(roster);
    else if (addresses_set(target, answer) && !regroup(roster))
        target->count = 0; /* no memory: whatever comes next is a change again */
    loop_arm(roster->setup.loop, &target->again, again_ms);
}

static void answered(struct dns_query *query, const struct dns_answer *answer) {
    known(LIST_OF(query, struct target, query), answer);
}

static void target_ask(struct target *target) {
    struct roster *roster = target->named->roster;
    const struct dns_answer *answer = dns_begin(roster->setup.dns, &target->query, target_host(target),
                                                roster->upstream->resolver_timeout_ms, answered);
    if (answer)
        known(target, answer);
}

static void target_ask_again(struct timer *timer) {
    target_ask(LIST_OF(timer, struct target, again));
}

static bool is_before(const struct target *a, const struct target *b) {
    int order = str_compare(target_host(a), target_host(b));
    return order ? order < 0 : a->port < b->port;
}

/* At its place among the server's others; NULL without memory. */
static struct target *target_new(struct named *named, struct str host, uint16_t port) {
    struct target *target = mem_zero(1, sizeof *target + host.len);
    struct list *before = named->targets.next;
    if (!target)
        return NULL;
    target->named = named;
    target->port = port;
    target->is_backup = named->server->is_backup;
    target->host_len = host.len;
    memcpy(target->host, host.ptr, host.len);
    timer_init(&target->again, target_ask_again);
    while (before != &named->targets && !is_before(target, LIST_OF(before, struct target, node)))
        before = before->next;
    list_insert_before(before, &target->node);
    return target;
}

static void target_free(struct target *target) {
    dns_cancel(&target->query);
    timer_disarm(&target->again);
    list_remove(&target->node);
    mem_free(target);
}

/* ---- SRV records ---- */

static struct target *target_find(struct named *named, struct str host, uint16_t port) {
    LIST_EACH (&named->targets, node) {
        struct target *target = LIST_OF(node, struct target, node);
        if (!target->is_listed && target->port == port && str_eq_nocase(target_host(target), host))
            return target;
    }
    return NULL;
}

static void service_list(struct named *named, const struct nameserver_service *service, bool is_backup) {
    struct target *target = target_find(named, service->host, service->port);
    bool is_new = !target;
    if (is_new)
        target = target_new(named, service->host, service->port);
    if (!target)
        return;
    target->weight = service->weight;
    target->is_backup = is_backup || named->server->is_backup;
    target->is_listed = true;
    if (is_new)
        target_ask(target);
}

/* Those of the least priority are the servers, the others their backups. */
static void services_list(struct named *named, const struct nameserver_answer *answer) {
    uint16_t least = UINT16_MAX;
    for (unsigned i = 0; i < answer->count; i++)
        if (answer->services[i].priority < least)
            least = answer->services[i].priority;
    LIST_EACH (&named->targets, node)
        LIST_OF(node, struct target, node)->is_listed = false;
    for (unsigned i = 0; i < answer->count; i++)
        service_list(named, &answer->services[i], answer->services[i].priority != least);
    LIST_EACH (&named->targets, node)
        if (!LIST_OF(node, struct target, node)->is_listed)
            target_free(LIST_OF(node, struct target, node));
    regroup(named->roster);
}

static void services_known(struct dns_services *query, const struct nameserver_answer *answer) {
    struct named *named = LIST_OF(query, struct named, services);
    struct roster *roster = named->roster;
    uint64_t again_ms = (uint64_t)answer->ttl_s * 1000;
    if (answer->code != NAMESERVER_FOUND)
        say_unresolved(roster, named->server->service, answer->code);
    if (answer->code == NAMESERVER_FOUND || answer->code == NAMESERVER_NOT_FOUND)
        services_list(named, answer);
    else
        again_ms = retry_ms(roster);
    loop_arm(roster->setup.loop, &named->again, again_ms > RETRY_LEAST_MS ? again_ms : RETRY_LEAST_MS);
}

static void named_ask(struct named *named) {
    struct roster *roster = named->roster;
    if (named->server->service.len) {
        dns_services_begin(roster->setup.dns, &named->services, named->server->service,
                           roster->upstream->resolver_timeout_ms, services_known);
        return;
    }
    LIST_EACH (&named->targets, node)
        target_ask(LIST_OF(node, struct target, node));
}

static void named_ask_again(struct timer *timer) {
    named_ask(LIST_OF(timer, struct named, again));
}

/* ---- the whole ---- */

static bool targets_copy(struct named *named, const struct named *old) {
    for (struct list *node = old->targets.next; node != &old->targets; node = node->next) {
        const struct target *from = LIST_OF(node, struct target, node);
        struct target *target = target_new(named, target_host(from), from->port);
        if (!target)
            return false;
        target->weight = from->weight;
        target->is_backup = from->is_backup;
        target->count = from->count;
        memcpy(target->addresses, from->addresses, from->count * sizeof from->addresses[0]);
        if (named->server->service.len)
            loop_arm(named->roster->setup.loop, &target->again, RETRY_LEAST_MS);
    }
    return true;
}

/* Begins with what the roster before knew of the same server. False without memory. */
static bool named_begin(struct named *named, const struct roster *before) {
    const struct upstream_server *server = named->server;
    for (size_t i = 0; before && i < before->count; i++) {
        const struct upstream_server *old = before->named[i].server;
        if (str_eq(old->host, server->host) && old->port == server->port &&
            str_eq(old->service, server->service) && old->is_backup == server->is_backup)
            return targets_copy(named, &before->named[i]);
    }
    return server->service.len || target_new(named, server->host, server->port);
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
    bool is_whole = true;
    for (size_t i = 0; i < upstream->servers.count; i++) {
        if (!upstream->servers.items[i].is_resolved)
            continue;
        struct named *named = &roster->named[roster->count++];
        named->roster = roster;
        named->server = &upstream->servers.items[i];
        list_init(&named->targets);
        timer_init(&named->again, named_ask_again);
        is_whole &= named_begin(named, setup->before);
    }
    if (!is_whole || !regroup(roster)) {
        roster_free(roster);
        return NULL;
    }
    for (size_t i = 0; i < roster->count; i++)
        named_ask(&roster->named[i]);
    return roster;
}

void roster_free(struct roster *roster) {
    if (!roster)
        return;
    for (size_t i = 0; i < roster->count; i++) {
        dns_services_cancel(&roster->named[i].services);
        timer_disarm(&roster->named[i].again);
        LIST_EACH (&roster->named[i].targets, node)
            target_free(LIST_OF(node, struct target, node));
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
