#include "dialect/nginx/resolver.h"

#include "dialect/endpoint.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* resolver ADDRESS ... [valid=TIME] [ipv4=on|off] [ipv6=on|off] [status_zone=ZONE]; */

enum { PORT = 53 };

static bool switch_read(struct reader *reader, const struct word *at, struct str value, bool *is_on) {
    *is_on = str_eq(value, STR("on"));
    if (*is_on || str_eq(value, STR("off")))
        return true;
    struct diagnostic *said = reader_fail(reader, at, "invalid parameter: %.*s", STR_ARG(at->text));
    diagnostic_hint(reader->diagnostics, said, "it must be \"on\" or \"off\"");
    return false;
}

/* False when the word is no parameter but an address. */
static bool parameter_read(struct reader *reader, const struct word *at, struct resolver *resolver) {
    struct str text = at->text;
    if (str_starts(text, STR("valid="))) {
        uint64_t seconds;
        if (unit_time_s(str_from(text, 6), &seconds))
            resolver->valid_ms = seconds * 1000;
        else
            reader_fail(reader, at, "invalid parameter: %.*s", STR_ARG(text));
    } else if (str_starts(text, STR("ipv4="))) {
        switch_read(reader, at, str_from(text, 5), &resolver->has_v4);
    } else if (str_starts(text, STR("ipv6="))) {
        switch_read(reader, at, str_from(text, 5), &resolver->has_v6);
    } else if (str_starts(text, STR("status_zone="))) {
        reader_say(reader, SEVERITY_NOTE, at, "\"%.*s\" has no effect: there is no status of resolvers",
                   STR_ARG(text));
    } else {
        return false;
    }
    return true;
}

static void server_add(struct reader *reader, const struct word *at, struct resolver *resolver) {
    struct endpoint endpoint;
    const char *problem;
    if (!endpoint_parse(at->text, &endpoint, &problem) || endpoint.is_unix) {
        reader_fail(reader, at, "\"%.*s\" %s", STR_ARG(at->text),
                    endpoint.is_unix ? "is no address of a name server" : problem);
        return;
    }
    struct resolver_server *server = READER_ADD(reader, &resolver->servers);
    if (!server)
        return;
    *server = (struct resolver_server){
        .place = word_place(at), .host = endpoint.host, .port = endpoint.port ? endpoint.port : PORT};
}

static struct resolver *resolver_make(struct reader *reader, const struct node *node) {
    struct model *model = reader->model;
    struct resolver *resolver = reader_alloc(reader, sizeof *resolver);
    struct resolver **slot = resolver ? READER_ADD(reader, &model->resolvers) : NULL;
    if (!slot)
        return NULL;
    *resolver = (struct resolver){.place = word_place(&node->words[0]),
                                  .has_v4 = true,
                                  .has_v6 = true,
                                  .number = (unsigned)(model->resolvers.count - 1)};
    *slot = resolver;
    return resolver;
}

static struct resolver *resolver_read(struct reader *reader, const struct node *node) {
    struct resolver *resolver = resolver_make(reader, node);
    unsigned errors = (unsigned)reader->diagnostics->errors;
    if (!resolver)
        return NULL;
    for (size_t i = 1; i < node->count; i++)
        if (!parameter_read(reader, &node->words[i], resolver))
            server_add(reader, &node->words[i], resolver);
    if (!resolver->has_v4 && !resolver->has_v6)
        reader_fail(reader, &node->words[0], "\"ipv4\" and \"ipv6\" cannot both be \"off\"");
    if (!resolver->servers.count && reader->diagnostics->errors == errors)
        reader_fail(reader, &node->words[0], "no name servers defined");
    return resolver;
}

static void resolver_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    scope->policy->resolver = resolver_read(scope->reader, node);
}

void resolver_read_upstream(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    scope->upstream->resolver = resolver_read(scope->reader, node);
}

static const struct upstream_server *resolved_find(const struct upstream *upstream) {
    for (size_t i = 0; i < upstream->servers.count; i++)
        if (upstream->servers.items[i].is_resolved)
            return &upstream->servers.items[i];
    return NULL;
}

void resolver_settle(struct reader *reader) {
    for (size_t i = 0; i < reader->model->upstreams.count; i++) {
        struct upstream *upstream = reader->model->upstreams.items[i];
        const struct upstream_server *server = resolved_find(upstream);
        if (!server)
            continue;
        if (!upstream->resolver_timeout_ms)
            upstream->resolver_timeout_ms = reader->policy.resolver_timeout_ms;
        if (!upstream->resolver)
            upstream->resolver = reader->policy.resolver;
        if (upstream->resolver)
            continue;
        struct diagnostic *said = diagnostics_add(
            reader->diagnostics, SEVERITY_ERROR, server->place,
            "no resolver defined to resolve names at run time in upstream \"%.*s\"", STR_ARG(upstream->name));
        diagnostic_hint(reader->diagnostics, said, "add \"resolver ADDRESS;\" to http or to the upstream");
    }
}

static const struct directive rows[] = {
    {"resolver", CONTEXT_HSL | CONTEXT_STREAMS, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, resolver_set, NOTHING, NULL},
    {"resolver_timeout", CONTEXT_HSL | CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, set_time_ms,
     POLICY(resolver_timeout_ms), NULL},
};

const struct area resolver_area = {rows, sizeof rows / sizeof *rows};
