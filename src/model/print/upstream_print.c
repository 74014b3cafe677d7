#include "model/print/upstream_print.h"

#include "model/print/check_print.h"
#include "model/print/put.h"

void upstream_print_resolver(struct builder *out, unsigned depth, const struct resolver *resolver,
                             uint64_t timeout_ms) {
    put_indent(out, depth);
    builder_str(out, STR("resolver"));
    for (size_t i = 0; i < resolver->servers.count; i++)
        builder_format(out, " %.*s port %u", STR_ARG(resolver->servers.items[i].host),
                       resolver->servers.items[i].port);
    if (resolver->valid_ms)
        builder_format(out, " valid_ms %llu", (unsigned long long)resolver->valid_ms);
    builder_format(out, "%s%s timeout_ms %llu\n", resolver->has_v4 ? "" : " ipv4 off",
                   resolver->has_v6 ? "" : " ipv6 off", (unsigned long long)timeout_ms);
}

static void put_number_beside(struct builder *out, const char *what, uint64_t value) {
    if (value)
        builder_format(out, "%s%llu", what, (unsigned long long)value);
}

static void put_texts(struct builder *out, const char *what, const struct template *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        builder_str(out, str_of(what));
        put_template(out, &texts[i]);
    }
}

static void put_sticky(struct builder *out, const struct sticky *sticky) {
    static const char *const kinds[] = {"cookie", "route", "learn"};
    builder_format(out, "  sticky %s", kinds[sticky->kind]);
    put_texts(out, " lookup ", sticky->lookup.items, sticky->lookup.count);
    put_texts(out, " create ", sticky->create.items, sticky->create.count);
    if (sticky->kind == STICKY_LEARN)
        builder_format(out, " zone %.*s bytes %llu timeout_ms %llu%s", STR_ARG(sticky->zone->name),
                       (unsigned long long)sticky->zone->bytes, (unsigned long long)sticky->timeout_ms,
                       sticky->learns_early ? " header" : "");
    if (sticky->has_expires)
        builder_format(out, " expires_s %lld", (long long)sticky->expires_s);
    if (sticky->domain.count)
        put_texts(out, " domain ", &sticky->domain, 1);
    if (sticky->samesite.count)
        put_texts(out, " samesite ", &sticky->samesite, 1);
    builder_str(out, sticky->is_httponly ? STR(" httponly") : STR(""));
    builder_str(out, sticky->is_secure ? STR(" secure") : STR(""));
    if (sticky->path.len)
        builder_format(out, " path %.*s", STR_ARG(sticky->path));
    builder_char(out, '\n');
}

void upstream_print(struct builder *out, const struct upstream *upstream) {
    static const char *const methods[] = {"round_robin", "least_conn", "hash",      "hash consistent",
                                          "ip_hash",     "random",     "random two"};
    builder_format(out, "upstream %.*s%s\n  balance %s", STR_ARG(upstream->name),
                   upstream->is_implicit ? " implicit" : "", methods[upstream->balance]);
    if (upstream->hash_key.count) {
        builder_char(out, ' ');
        put_template(out, &upstream->hash_key);
    }
    builder_char(out, '\n');
    if (upstream->is_sticky_by_sid)
        builder_str(out, STR("  sticky sid\n"));
    if (upstream->sticky)
        put_sticky(out, upstream->sticky);
    if (upstream->queue_max)
        builder_format(out, "  queue %llu timeout_ms %llu\n", (unsigned long long)upstream->queue_max,
                       (unsigned long long)upstream->queue_timeout_ms);
    put_number(out, 1, "keepalive", upstream->keepalive, 128);
    put_number(out, 1, "keepalive_timeout_ms", upstream->keepalive_timeout_ms, 60000);
    put_number(out, 1, "keepalive_requests", upstream->keepalive_requests, 1000);
    put_number(out, 1, "keepalive_time_ms", upstream->keepalive_time_ms, 3600000);
    if (upstream->resolver)
        upstream_print_resolver(out, 1, upstream->resolver, upstream->resolver_timeout_ms);
    if (upstream->check) {
        builder_str(out, STR("  "));
        check_print(out, upstream->check);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < upstream->servers.count; i++) {
        const struct upstream_server *server = &upstream->servers.items[i];
        builder_format(out, "  server %s%.*s", server->is_unix ? "unix:" : "", STR_ARG(server->host));
        if (!server->is_unix)
            builder_format(out, " port %u", server->port);
        builder_format(out, " weight %u max_fails %u fail_timeout_ms %llu", server->weight, server->max_fails,
                       (unsigned long long)server->fail_timeout_ms);
        if (server->max_connections)
            builder_format(out, " max_connections %u", server->max_connections);
        put_number_beside(out, " slow_start_ms ", server->slow_start_ms);
        if (server->service.len)
            builder_format(out, " service %.*s", STR_ARG(server->service));
        if (server->route.len)
            builder_format(out, " route %.*s", STR_ARG(server->route));
        builder_format(out, "%s%s%s%s\n", server->is_backup ? " backup" : "", server->is_down ? " down" : "",
                       server->is_draining ? " drain" : "", server->is_resolved ? " resolve" : "");
    }
}
