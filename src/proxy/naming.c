#include "proxy/naming.h"

#include "loop/random.h"

struct naming {
    struct exchange *x;
    struct dns_query query;
    struct upstream upstream; /* as if it had been configured with this one server */
    struct upstream_server server;
    struct dns_answer answer; /* its addresses are gone by the time that the exchange looks */
    bool is_answered;
};

/* Names come from requests, and may be long; the log escapes them. */
static struct str shown(const struct exchange *x) {
    enum { SHOWN_MAX = 300 };
    return str_head(x->naming->server.host, SHOWN_MAX);
}

static enum exchange_state fail_unresolved(struct exchange *x, enum nameserver_code code) {
    exchange_log(x, LOG_ERROR, "%.*s could not be resolved (%d: %s)", STR_ARG(shown(x)), (int)code,
                 dns_code_text(code));
    return exchange_fail(x, WHY_NAME_UNKNOWN);
}

static enum exchange_state fail_without(struct exchange *x) {
    exchange_log(x, LOG_ERROR, "no resolver defined to resolve %.*s", STR_ARG(shown(x)));
    return exchange_fail(x, WHY_NAME_UNKNOWN);
}

/* The first of several addresses is any of them: a group that is made for each request has no turns. */
static bool group_make(struct exchange *x, const struct address *addresses, unsigned count) {
    struct naming *naming = x->naming;
    struct group_place *places = arena_alloc(&x->arena, count * sizeof *places);
    unsigned first = count > 1 ? (unsigned)(random_u64() % count) : 0;
    if (!places)
        return false;
    for (unsigned i = 0; i < count; i++) {
        places[i] = (struct group_place){.server = &naming->server, .address = addresses[(first + i) % count]};
        address_set_port(&places[i].address, naming->server.port);
    }
    struct group *group = group_new_own(&naming->upstream, x->engine->registry, 0, 1, places, count);
    exchange_use_group(x, group);
    group_drop(group);
    return group != NULL;
}

static enum exchange_state answer_use(struct exchange *x, const struct dns_answer *answer) {
    if (answer->code != NAMESERVER_FOUND)
        return fail_unresolved(x, answer->code);
    return group_make(x, answer->addresses, answer->count) ? STATE_PICK : exchange_fail(x, WHY_NO_MEMORY);
}

/* The answer is there for this call alone: the group is made now, the exchange goes on with it. */
static void answered(struct dns_query *query, const struct dns_answer *answer) {
    struct naming *naming = LIST_OF(query, struct naming, query);
    naming->answer = *answer;
    naming->is_answered = true;
    exchange_run(naming->x);
}

enum exchange_state exchange_resolve(struct exchange *x) {
    return x->naming->is_answered ? answer_use(x, &x->naming->answer) : STATE_RESOLVE;
}

static struct naming *naming_new(struct exchange *x, struct str host, uint16_t port, bool is_unix) {
    enum { PORT_SLACK = 8 };
    struct naming *naming = arena_zero(&x->arena, 1, sizeof *naming);
    char *text = arena_alloc(&x->arena, host.len + PORT_SLACK);
    if (!naming || !text)
        return NULL;
    struct builder name = builder_make(text, host.len + PORT_SLACK);
    builder_str(&name, host);
    if (!is_unix)
        builder_format(&name, ":%u", port);
    struct str whole = builder_view(&name);
    naming->x = x;
    naming->server = (struct upstream_server){.name = whole,
                                              .host = host,
                                              .port = port,
                                              .is_unix = is_unix,
                                              .weight = 1,
                                              .max_fails = 0}; /* as in nginx, no failure is remembered */
    naming->upstream = (struct upstream){.name = whole,
                                         .key = whole,
                                         .is_implicit = true,
                                         .keepalive = 128,
                                         .keepalive_timeout_ms = 60000,
                                         .keepalive_requests = 1000,
                                         .keepalive_time_ms = 3600000};
    return naming;
}

bool naming_split(struct str address, struct str *host, uint16_t *port) {
    size_t end = address.len;
    uint64_t number;
    *host = address;
    *port = 0;
    while (end && address.ptr[end - 1] != ':' && address.ptr[end - 1] != ']')
        end--;
    if (end == 0 || address.ptr[end - 1] == ']')
        return true;
    if (!str_to_u64(str_from(address, end), &number) || number == 0 || number > UINT16_MAX)
        return false;
    *host = str_head(address, end - 1);
    *port = (uint16_t)number;
    return true;
}

enum exchange_state naming_begin(struct exchange *x, struct str host, uint16_t port, bool is_unix) {
    const struct policy *policy = exchange_policy(x);
    struct address address;
    x->naming = naming_new(x, host, port, is_unix);
    if (!x->naming)
        return exchange_fail(x, WHY_NO_MEMORY);
    if (is_unix ? address_unix(host, &address) : address_parse(host, port, &address))
        return group_make(x, &address, 1) ? STATE_PICK : exchange_fail(x, WHY_NO_MEMORY);
    if (is_unix || !policy->resolver)
        return fail_without(x);
    struct dns *dns = engine_dns(x->engine, x->hold, policy->resolver);
    if (!dns)
        return exchange_fail(x, WHY_NO_MEMORY);
    const struct dns_answer *answer =
        dns_begin(dns, &x->naming->query, host, policy->resolver_timeout_ms, answered);
    return answer ? answer_use(x, answer) : STATE_RESOLVE;
}

void naming_end(struct exchange *x) {
    if (x->naming)
        dns_cancel(&x->naming->query);
}
