#include "main/summary.h"

enum { LINE_MAX_BYTES = 1000 };

static bool has_name(const struct listen *listen, const struct site *site, struct str name) {
    struct str tail = str_from(name, 1);
    bool is_star = name.len && name.ptr[0] == '*', is_dot = name.len && name.ptr[0] == '.';
    if (map_get(&listen->exact, is_dot ? tail : name) == site)
        return true;
    if (map_get(&listen->suffixes, is_star ? tail : name) == site)
        return true;
    return name.len && name.ptr[name.len - 1] == '*' &&
           map_get(&listen->prefixes, str_head(name, name.len - 1)) == site;
}

static bool is_on(const struct listen *listen, const struct site *site) {
    if (listen->default_site == site)
        return true;
    for (size_t i = 0; i < listen->regexes.count; i++)
        if (listen->regexes.items[i].site == site)
            return true;
    for (size_t i = 0; i < site->names.count; i++)
        if (has_name(listen, site, site->names.items[i]))
            return true;
    return false;
}

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static void listen_print(FILE *to, const struct model *model, const struct listen *listen) {
    size_t sites = 0;
    for (size_t i = 0; i < model->sites.count; i++)
        sites += is_on(listen, model->sites.items[i]);
    fprintf(to, "listen %.*s -> %zu site%s\n", STR_ARG(listen->text), sites, plural(sites));
}

static const char *balance_text(enum balance balance) {
    switch (balance) {
    case BALANCE_ROUND_ROBIN:
        return "round robin";
    case BALANCE_LEAST_CONN:
        return "least connections";
    case BALANCE_HASH:
        return "hash";
    case BALANCE_HASH_CONSISTENT:
        return "hash consistent";
    case BALANCE_IP_HASH:
        return "ip_hash";
    case BALANCE_RANDOM:
        return "random";
    case BALANCE_RANDOM_TWO:
        return "random, the better of two";
    }
    return "";
}

static void upstream_print(FILE *to, const struct upstream *upstream) {
    size_t count = upstream->servers.count;
    fprintf(to, "upstream %.*s: %zu server%s, %s%s\n", STR_ARG(upstream->name), count, plural(count),
            balance_text(upstream->balance), upstream->is_sticky_by_sid ? ", sticky by sid" : "");
}

void summary_print(FILE *to, const struct model *model) {
    for (size_t i = 0; i < model->listens.count; i++)
        listen_print(to, model, model->listens.items[i]);
    for (size_t i = 0; i < model->upstreams.count; i++)
        upstream_print(to, model->upstreams.items[i]);
}

static void where_build(struct builder *out, const struct listen *listen) {
    bool is_any = str_eq(listen->host, STR("0.0.0.0")) || str_eq(listen->host, STR("::"));
    if (listen->is_unix)
        builder_str(out, listen->text);
    else if (is_any)
        builder_format(out, "http://localhost:%u/", listen->port);
    else
        builder_format(out, "http://%.*s/", STR_ARG(listen->text));
}

void summary_print_short(FILE *to, const struct model *model) {
    char memory[LINE_MAX_BYTES];
    struct builder line = builder_make(memory, sizeof memory);
    where_build(&line, model->listens.items[0]);
    builder_str(&line, STR(" ->"));
    const char *scheme = model->secure_routes.count ? "https://" : "";
    for (size_t i = 0; i < model->upstreams.count; i++)
        for (size_t k = 0; k < model->upstreams.items[i]->servers.count; k++)
            builder_format(&line, "%s %s%.*s", k ? "," : "", scheme,
                           STR_ARG(model->upstreams.items[i]->servers.items[k].name));
    fprintf(to, "hawser serves %.*s%s\n", STR_ARG(builder_view(&line)), line.overflow ? " ..." : "");
    if (model->listens.count < 2)
        return;
    line = builder_make(memory, sizeof memory);
    where_build(&line, model->listens.items[1]);
    fprintf(to, "status page: %.*s (for Prometheus: /metrics, JSON: /api)\n", STR_ARG(builder_view(&line)));
}
