#include "model/model.h"

#include "model/print/pass_print.h"
#include "model/print/put.h"
#include "model/print/rewrite_print.h"
#include "model/print/tls_print.h"
#include "model/print/upstream_print.h"
#include "model/print/value_map_print.h"

/* The canonical text: one fact a line, and of settings only what differs from policy_init's. */

static void put_rules(struct builder *out, unsigned depth, const char *what, const struct header_rule *rules,
                      size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_indent(out, depth);
        builder_format(out, "%s %.*s ", what, STR_ARG(rules[i].name));
        put_template(out, &rules[i].value);
        builder_str(out, rules[i].is_always ? STR(" always\n") : STR("\n"));
    }
}

static void put_types(struct builder *out, unsigned depth, const struct map *types) {
    struct put_entry entries[PUT_ENTRIES_MAX];
    size_t count = types ? put_sort(types, entries, PUT_ENTRIES_MAX) : 0;
    if (types && count == 0) {
        put_indent(out, depth);
        builder_str(out, STR("types none\n"));
    }
    for (size_t i = 0; i < count; i++) {
        const struct str *type = entries[i].value;
        put_indent(out, depth);
        builder_format(out, "type %.*s %.*s\n", STR_ARG(entries[i].key), STR_ARG(*type));
    }
}

static void put_error_logs(struct builder *out, unsigned depth, const struct error_log *logs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_indent(out, depth);
        builder_format(out, "error_log %.*s %s\n", STR_ARG(logs[i].path), log_level_name(logs[i].level));
    }
}

static void put_log_files(struct builder *out, const struct model *model) {
    for (size_t i = 0; i < model->log_files.count; i++) {
        const struct log_file *file = &model->log_files.items[i];
        builder_format(out, "sink %zu %.*s", i, STR_ARG(file->path));
        if (file->buffer_bytes)
            builder_format(out, " buffer %zu flush_ms %llu", file->buffer_bytes,
                           (unsigned long long)file->flush_ms);
        if (file->gzip_level)
            builder_format(out, " gzip %u", file->gzip_level);
        builder_char(out, '\n');
    }
}

static void put_logs(struct builder *out, unsigned depth, const struct policy *policy) {
    static const char *const escapes[] = {"default", "json", "none"};
    for (size_t i = 0; i < policy->access_logs.count; i++) {
        const struct access_log *log = &policy->access_logs.items[i];
        put_indent(out, depth);
        builder_format(out, "access_log %.*s sink %u format %.*s escape %s ", STR_ARG(log->path), log->sink,
                       STR_ARG(log->format->name), escapes[log->format->escape]);
        put_template(out, &log->format->text);
        if (log->condition.count) {
            builder_str(out, STR(" if "));
            put_template(out, &log->condition);
        }
        builder_char(out, '\n');
    }
    put_error_logs(out, depth, policy->error_logs.items, policy->error_logs.count);
}

static void put_expires(struct builder *out, unsigned depth, const struct expires *expires) {
    static const char *const kinds[] = {"off", "access", "modified", "daily", "epoch", "max"};
    bool is_variable = !template_is_empty(&expires->value);
    if (expires->kind == EXPIRES_OFF && !is_variable)
        return;
    put_indent(out, depth);
    if (is_variable) {
        builder_str(out, expires->is_of_modified ? STR("expires modified ") : STR("expires "));
        put_template(out, &expires->value);
        builder_char(out, '\n');
    } else {
        builder_format(out, "expires %s %lld\n", kinds[expires->kind], (long long)expires->seconds);
    }
}

static void put_error_pages(struct builder *out, unsigned depth, const struct policy *policy) {
    for (size_t i = 0; i < policy->error_pages.count; i++) {
        const struct error_page *page = &policy->error_pages.items[i];
        put_indent(out, depth);
        builder_format(out, "error_page %u ", page->status);
        if (!page->keeps_status)
            builder_format(out, page->response ? "= %u " : "= its own ", page->response);
        put_template(out, &page->target);
        builder_char(out, '\n');
    }
}

static void put_next(struct builder *out, unsigned depth, unsigned bits) {
    static const char *const names[] = {
        "error", "timeout", "invalid_header", "non_idempotent", "403", "404", "429", "500", "502",
        "503",   "504"};
    if (bits == (NEXT_ERROR | NEXT_TIMEOUT))
        return;
    put_indent(out, depth);
    builder_str(out, STR("next_upstream"));
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (bits & (1u << i))
            builder_format(out, " %s", names[i]);
    builder_str(out, bits ? STR("\n") : STR(" off\n"));
}

static void put_limit_policy(struct builder *out, unsigned depth, const char *what,
                             const struct limit_policy *policy) {
    if (policy->status == 503 && policy->level == LOG_ERROR && !policy->is_dry)
        return;
    put_indent(out, depth);
    builder_format(out, "%s status %u level %s%s\n", what, policy->status, log_level_name(policy->level),
                   policy->is_dry ? " dry" : "");
}

static void put_limits(struct builder *out, unsigned depth, const struct guard *guard) {
    for (size_t i = 0; i < guard->request_limits.count; i++) {
        const struct request_limit *limit = &guard->request_limits.items[i];
        put_indent(out, depth);
        builder_format(out, "limit_req %.*s burst %llu", STR_ARG(limit->zone->name),
                       (unsigned long long)limit->burst);
        if (limit->delay == INT64_MAX)
            builder_str(out, STR(" nodelay\n"));
        else
            builder_format(out, " delay %llu\n", (unsigned long long)limit->delay);
    }
    for (size_t i = 0; i < guard->connection_limits.count; i++) {
        const struct connection_limit *limit = &guard->connection_limits.items[i];
        put_indent(out, depth);
        builder_format(out, "limit_conn %.*s %u\n", STR_ARG(limit->zone->name), limit->most);
    }
    put_limit_policy(out, depth, "on_requests", &guard->on_requests);
    put_limit_policy(out, depth, "on_connections", &guard->on_connections);
}

static void put_zone(struct builder *out, const struct limit_zone *zone) {
    builder_format(out, "%s %.*s bytes %llu",
                   zone->kind == LIMIT_REQUESTS ? "limit_req_zone" : "limit_conn_zone", STR_ARG(zone->name),
                   (unsigned long long)zone->bytes);
    if (zone->kind == LIMIT_REQUESTS)
        builder_format(out, " rate %llu", (unsigned long long)zone->rate);
    builder_str(out, STR(" of "));
    put_template(out, &zone->key);
    builder_char(out, '\n');
}

static void put_named_template(struct builder *out, unsigned depth, const char *what,
                               const struct template *template) {
    put_indent(out, depth);
    builder_format(out, "%s ", what);
    put_template(out, template);
    builder_char(out, '\n');
}

static void put_guard(struct builder *out, unsigned depth, const struct guard *guard) {
    static const char *const sources[] = {"field", "X-Forwarded-For", "proxy_protocol"};
    for (size_t i = 0; i < guard->access_rules.count; i++) {
        put_indent(out, depth);
        builder_str(out, guard->access_rules.items[i].is_deny ? STR("deny ") : STR("allow "));
        cidr_build(out, &guard->access_rules.items[i].who);
        builder_char(out, '\n');
    }
    put_number(out, depth, "satisfy_any", guard->is_any, 0);
    for (size_t i = 0; i < guard->trusted.count; i++) {
        const struct trusted *trusted = guard->trusted.items[i];
        put_indent(out, depth);
        builder_str(out, STR("real_ip_from "));
        if (trusted->host.len)
            builder_escaped(out, trusted->host);
        else
            cidr_build(out, &trusted->cidr);
        builder_char(out, '\n');
    }
    if (guard->has_realm)
        put_named_template(out, depth, "auth_basic", &guard->realm);
    if (guard->has_user_file)
        put_named_template(out, depth, "auth_basic_user_file", &guard->user_file);
    put_number(out, depth, "auth_delay_ms", guard->auth_delay_ms, 0);
    if (guard->auth_path.len) {
        put_indent(out, depth);
        builder_format(out, "auth_request %.*s\n", STR_ARG(guard->auth_path));
    }
    for (size_t i = 0; i < guard->auth_variables.count; i++) {
        put_indent(out, depth);
        builder_format(out, "auth_request_set %.*s ", STR_ARG(guard->auth_variables.items[i].target.name));
        put_template(out, &guard->auth_variables.items[i].value);
        builder_char(out, '\n');
    }
    put_limits(out, depth, guard);
    if (guard->real_ip_field.len) {
        put_indent(out, depth);
        builder_format(out, "real_ip_header %s \"%.*s\"\n", sources[guard->real_ip_source],
                       STR_ARG(guard->real_ip_field));
    }
    put_number(out, depth, "real_ip_recursive", guard->is_real_ip_recursive, 0);
}

static void put_stream(struct builder *out, unsigned depth, const struct stream_policy *stream) {
    const struct {
        bool is;
        const char *text;
    } facts[] = {{stream->half_closes, "half-closes\n"},
                 {stream->proxy_protocol == 1, "sends PROXY\n"},
                 {stream->proxy_protocol == 2, "sends PROXY of version 2\n"},
                 {stream->is_secure, "speaks TLS\n"},
                 {stream->reads_hello, "reads ClientHello\n"}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].is) {
            put_indent(out, depth);
            builder_str(out, str_of(facts[i].text));
        }
    if (!template_is_empty(&stream->upload))
        put_named_template(out, depth, "upload_rate", &stream->upload);
    if (!template_is_empty(&stream->download))
        put_named_template(out, depth, "download_rate", &stream->download);
}

/* What is a number or a choice of two. */
static void put_policy_numbers(struct builder *out, unsigned depth, const struct policy *policy,
                               const struct policy *usual) {
#define NUMBER(member) put_number(out, depth, #member, policy->member, usual->member)
    NUMBER(connect_timeout_ms);
    NUMBER(read_timeout_ms);
    NUMBER(send_timeout_ms);
    NUMBER(handshake_timeout_ms);
    NUMBER(client_body_timeout_ms);
    NUMBER(client_send_timeout_ms);
    NUMBER(keepalive_timeout_ms);
    NUMBER(keepalive_header_s);
    NUMBER(keepalive_requests);
    NUMBER(client_max_body_bytes);
    NUMBER(keepalive_time_ms);
    NUMBER(keepalive_min_timeout_ms);
    NUMBER(keepalive_disable);
    NUMBER(lingering);
    NUMBER(resets_timedout);
    NUMBER(lingering_time_ms);
    NUMBER(lingering_timeout_ms);
    NUMBER(next_upstream_tries);
    NUMBER(next_upstream_timeout_ms);
    NUMBER(says_upgrade);
    NUMBER(max_ranges);
    NUMBER(modified_since);
    NUMBER(has_etag);
    NUMBER(header_inherit);
    NUMBER(trailer_inherit);
    NUMBER(is_chunked_forbidden);
    NUMBER(is_not_found_logged);
    NUMBER(is_error_recursive);
    NUMBER(is_redirect_absolute);
    NUMBER(is_redirect_with_port);
    NUMBER(is_redirect_site_named);
    NUMBER(logs_rewrites);
    NUMBER(warns_uninitialized);
    NUMBER(forwards);
#undef NUMBER
}

static void put_policy(struct builder *out, unsigned depth, const struct policy *policy,
                       const struct model *model) {
    struct policy usual;
    policy_init(&usual);
    put_policy_numbers(out, depth, policy, &usual);
    pass_print_rates(out, depth, &policy->limit_rate, &policy->limit_rate_after);
    pass_print_body(out, depth, &policy->body, &usual.body);
    pass_print_policy(out, depth, &policy->proxy, &usual.proxy);
    if (policy->guard)
        put_guard(out, depth, policy->guard);
    if (policy->resolver)
        upstream_print_resolver(out, depth, policy->resolver, policy->resolver_timeout_ms);
    if (policy->server_tokens != SERVER_TOKENS_ON) {
        static const char *const tokens[] = {"on", "off", "build", "text "};
        put_indent(out, depth);
        builder_format(out, "server_tokens %s", tokens[policy->server_tokens]);
        if (policy->server_tokens == SERVER_TOKENS_TEXT)
            put_template(out, &policy->server_text);
        builder_char(out, '\n');
    }
    tls_print_pass(out, depth, &policy->tls);
    put_stream(out, depth, &policy->stream);
    put_next(out, depth, policy->next_upstream);
    put_rules(out, depth, "proxy_header", policy->proxy_headers.items, policy->proxy_headers.count);
    for (const struct header_rules *list = &policy->add_headers; list; list = list->outer)
        put_rules(out, depth, "add_header", list->rules.items, list->rules.count);
    for (size_t i = 0; i < policy->early_hints.count; i++)
        put_named_template(out, depth, "early_hints", &policy->early_hints.items[i]);
    for (const struct header_rules *list = &policy->add_trailers; list; list = list->outer)
        put_rules(out, depth, "add_trailer", list->rules.items, list->rules.count);
    put_expires(out, depth, &policy->expires);
    put_error_pages(out, depth, policy);
    put_logs(out, depth, policy);
    if (policy->types != model->types)
        put_types(out, depth, policy->types);
    if (!str_eq(policy->default_type, usual.default_type)) {
        put_indent(out, depth);
        builder_format(out, "default_type %.*s\n", STR_ARG(policy->default_type));
    }
}

static void put_tries(struct builder *out, unsigned depth, const struct try_files *tries) {
    if (!tries)
        return;
    put_indent(out, depth);
    builder_str(out, STR("try_files"));
    for (size_t i = 0; i < tries->names.count; i++) {
        builder_char(out, ' ');
        put_template(out, &tries->names.items[i].name);
        builder_str(out, tries->names.items[i].is_directory ? STR(" directory") : STR(""));
    }
    if (tries->status)
        builder_format(out, " = %u", tries->status);
    builder_char(out, '\n');
}

static void put_action(struct builder *out, unsigned depth, const struct route *route);

static void put_limit(struct builder *out, unsigned depth, const struct limit_except *limit,
                      const struct model *model) {
    if (!limit)
        return;
    put_indent(out, depth);
    builder_str(out, STR("other than"));
    for (size_t i = 0; i < limit->methods.count; i++)
        builder_format(out, " %.*s", STR_ARG(limit->methods.items[i]));
    builder_char(out, '\n');
    put_action(out, depth + 1, limit->route);
    put_policy(out, depth + 1, &limit->route->policy, model);
}

static void put_action(struct builder *out, unsigned depth, const struct route *route) {
    const struct policy *policy = &route->policy;
    put_indent(out, depth);
    switch (route->action) {
    case ROUTE_STUB_STATUS:
        builder_str(out, STR("stub_status"));
        break;
    case ROUTE_REPORT: {
        static const char *const kinds[] = {"check_status", "metrics", "status_api"};
        static const char *const formats[] = {"page", "html", "csv", "json", "events"};
        builder_str(out, str_of(kinds[route->report.kind]));
        if (route->report.kind == REPORT_CHECKS)
            builder_format(out, " as %s", formats[route->report.format]);
        break;
    }
    case ROUTE_TEXT:
        builder_str(out, STR("text "));
        put_template(out, &policy->stream.text);
        break;
    case ROUTE_PASS:
        if (!route->pass->upstream) {
            builder_str(out, STR("pass "));
            put_template(out, &route->pass->target);
            break;
        }
        builder_format(out, "pass %s%.*s host %.*s", route->pass->is_secure ? "https " : "",
                       STR_ARG(route->pass->upstream->name), STR_ARG(route->pass->host));
        if (route->pass->has_uri)
            builder_format(out, " uri %.*s", STR_ARG(route->pass->uri));
        break;
    case ROUTE_FILES:
        builder_str(out, policy->alias_len ? STR("files alias ") : STR("files "));
        if (policy->alias_len && policy->alias_len != POLICY_ALIAS_WHOLE)
            builder_format(out, "of %zu bytes ", policy->alias_len);
        put_template(out, &policy->root);
        for (size_t i = 0; i < policy->indexes.count; i++) {
            builder_char(out, ' ');
            put_template(out, &policy->indexes.items[i]);
        }
        break;
    }
    builder_char(out, '\n');
}

static void put_table(struct builder *out, unsigned depth, const struct route_table *table,
                      const struct model *model);

/* Its operations by number, each `if` of a location with what holds in it. */
static void put_program(struct builder *out, unsigned depth, const struct program *program,
                        const struct model *model) {
    for (size_t i = 0; i < program->operations.count; i++) {
        const struct operation *operation = &program->operations.items[i];
        put_indent(out, depth);
        builder_format(out, "%zu ", i + 1);
        rewrite_print_operation(out, operation);
        if (!operation->route)
            continue;
        put_action(out, depth + 1, operation->route);
        put_policy(out, depth + 1, &operation->route->policy, model);
    }
}

static void put_route(struct builder *out, unsigned depth, const struct route *route,
                      const struct model *model) {
    static const char *const names[] = {"prefix", "prefix-final", "exact", "regex", "fallback", "named"};
    put_indent(out, depth);
    builder_format(out, "route %s", names[route->match]);
    if (route->match != ROUTE_DEFAULT) {
        builder_str(out, STR(" \""));
        builder_escaped(out, route->pattern);
        builder_char(out, '"');
    }
    builder_str(out, route->is_internal ? STR(" internal\n") : STR("\n"));
    put_action(out, depth + 1, route);
    put_tries(out, depth + 1, route->tries);
    put_limit(out, depth + 1, route->limit, model);
    put_policy(out, depth + 1, &route->policy, model);
    put_program(out, depth + 1, &route->program, model);
    put_table(out, depth + 1, &route->children, model);
}

static void put_table(struct builder *out, unsigned depth, const struct route_table *table,
                      const struct model *model) {
    struct put_entry entries[PUT_ENTRIES_MAX];
    size_t count = put_sort(&table->exact, entries, PUT_ENTRIES_MAX);
    for (size_t i = 0; i < count; i++)
        put_route(out, depth, entries[i].value, model);
    for (size_t i = 0; i < table->prefix_count; i++)
        put_route(out, depth, table->prefixes[i], model);
    for (size_t i = 0; i < table->regexes.count; i++)
        put_route(out, depth, table->regexes.items[i], model);
}

static size_t site_number(const struct model *model, const struct site *site) {
    size_t i = 0;
    while (i < model->sites.count && model->sites.items[i] != site)
        i++;
    return i + 1;
}

static void put_names(struct builder *out, const struct model *model, const char *what, const struct map *map) {
    struct put_entry entries[PUT_ENTRIES_MAX];
    size_t count = put_sort(map, entries, PUT_ENTRIES_MAX);
    for (size_t i = 0; i < count; i++)
        builder_format(out, "  %s \"%.*s\" site %zu\n", what, STR_ARG(entries[i].key),
                       site_number(model, entries[i].value));
}

static void put_listen_options(struct builder *out, const struct listen_options *options) {
    put_number(out, 1, "backlog", (uint64_t)options->backlog, 0);
    put_number(out, 1, "send_bytes", options->send_bytes, 0);
    put_number(out, 1, "receive_bytes", options->receive_bytes, 0);
    put_number(out, 1, "fastopen", (uint64_t)options->fastopen, 0);
    if (options->keepalive == KEEPALIVE_OFF)
        builder_str(out, STR("  keepalive off\n"));
    else if (options->keepalive == KEEPALIVE_ON)
        builder_format(out, "  keepalive %d:%d:%d\n", options->keepalive_idle_s, options->keepalive_interval_s,
                       options->keepalive_probes);
    if (options->is_deferred)
        builder_str(out, STR("  deferred\n"));
    if (options->is_dual)
        builder_str(out, STR("  IPv4 as well\n"));
}

static void put_listen(struct builder *out, const struct model *model, const struct listen *listen) {
    builder_format(out, "listen %.*s%s%s\n", STR_ARG(listen->text), listen->is_secure ? " tls" : "",
                   listen->has_proxy_protocol ? " proxy_protocol" : "");
    put_listen_options(out, &listen->options);
    if (listen->default_site)
        builder_format(out, "  default site %zu%s\n", site_number(model, listen->default_site),
                       listen->is_stream ? " of stream" : "");
    put_names(out, model, "name", &listen->exact);
    put_names(out, model, "suffix", &listen->suffixes);
    put_names(out, model, "prefix", &listen->prefixes);
    for (size_t i = 0; i < listen->regexes.count; i++)
        builder_format(out, "  regex site %zu\n", site_number(model, listen->regexes.items[i].site));
}

static void put_site(struct builder *out, const struct model *model, const struct site *site) {
    builder_format(out, "site %zu", site_number(model, site));
    for (size_t i = 0; i < site->names.count; i++) {
        builder_str(out, STR(" \""));
        builder_escaped(out, site->names.items[i]);
        builder_char(out, '"');
    }
    builder_char(out, '\n');
    put_number(out, 1, "client_header_timeout_ms", site->client_header_timeout_ms, 60000);
    put_number(out, 1, "proxy_protocol_timeout_ms", site->proxy_protocol_timeout_ms, 30000);
    put_number(out, 1, "client_header_buffer_bytes", site->client_header_buffer_bytes, 1024);
    put_number(out, 1, "large_buffer_bytes", site->large_buffer_bytes, 8192);
    put_number(out, 1, "large_buffer_count", site->large_buffer_count, 4);
    put_number(out, 1, "max_headers", site->max_headers, 128);
    put_number(out, 1, "merges_slashes", site->merges_slashes, true);
    put_number(out, 1, "drops_odd_headers", site->drops_odd_headers, true);
    put_number(out, 1, "takes_underscores", site->takes_underscores, false);
    tls_print_site(out, &site->tls);
    put_route(out, 1, &site->fallback, model);
    put_table(out, 1, &site->routes, model);
    struct put_entry entries[PUT_ENTRIES_MAX];
    size_t count = put_sort(&site->named, entries, PUT_ENTRIES_MAX);
    for (size_t i = 0; i < count; i++)
        put_route(out, 1, entries[i].value, model);
}

static void put_process(struct builder *out, const struct process_settings *settings) {
    if (settings->user.len)
        builder_format(out, "user %.*s %.*s\n", STR_ARG(settings->user), STR_ARG(settings->group));
    if (settings->directory.len)
        builder_format(out, "directory %.*s\n", STR_ARG(settings->directory));
    if (settings->priority)
        builder_format(out, "priority %d\n", settings->priority);
    if (settings->has_core_bytes)
        builder_format(out, "core_bytes %llu\n", (unsigned long long)settings->core_bytes);
    for (size_t i = 0; i < settings->environment.count; i++)
        builder_format(out, "env %.*s\n", STR_ARG(settings->environment.items[i]));
    if (settings->is_affinity_auto)
        builder_str(out, STR("affinity auto\n"));
    for (size_t i = 0; i < settings->masks.count; i++)
        builder_format(out, "affinity mask %.*s\n", STR_ARG(settings->masks.items[i]));
}

void model_print(struct builder *out, const struct model *model) {
    if (model->loops)
        builder_format(out, "loops %u\n", model->loops);
    else
        builder_str(out, STR("loops auto\n"));
    put_number(out, 0, "worker_connections", model->worker_connections, 0);
    put_number(out, 0, "descriptors", model->descriptors, 0);
    put_number(out, 0, "shutdown_timeout_ms", model->shutdown_timeout_ms, 0);
    put_number(out, 0, "daemon", model->is_daemon, 0);
    put_process(out, &model->process);
    if (model->pid_path.len)
        builder_format(out, "pid %.*s\n", STR_ARG(model->pid_path));
    put_error_logs(out, 0, model->error_logs.items, model->error_logs.count);
    if (model->error_logs.count == 0)
        builder_str(out, STR("error_log stderr error\n"));
    put_log_files(out, model);
    for (size_t i = 0; i < model->maps.count; i++)
        value_map_print(out, model->maps.items[i]);
    for (size_t i = 0; i < model->limit_zones.count; i++)
        put_zone(out, model->limit_zones.items[i]);
    for (size_t i = 0; i < model->upstreams.count; i++)
        upstream_print(out, model->upstreams.items[i]);
    for (size_t i = 0; i < model->listens.count; i++)
        put_listen(out, model, model->listens.items[i]);
    for (size_t i = 0; i < model->sites.count; i++)
        put_site(out, model, model->sites.items[i]);
}
