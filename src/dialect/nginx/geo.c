#include "dialect/nginx/compile.h"
#include "dialect/nginx/map.h"

/* geo [$ADDRESS] $VARIABLE { default VALUE; NETWORK VALUE; ... } */

static void network_add(struct scope *scope, struct value_map *map, const struct node *node,
                        struct template *value) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[0];
    struct cidr network;
    enum cidr_parsed parsed = cidr_parse(at->text, &network);
    if (parsed == CIDR_BAD || network.family == CIDR_UNIX) {
        struct diagnostic *said = reader_fail(reader, at, "invalid network \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said,
                        "it is an address, or an address and its bits: 192.0.2.0/24, "
                        "2001:db8::/32");
        return;
    }
    if (parsed == CIDR_LOW_BITS)
        reader_say(reader, SEVERITY_WARNING, at, "low address bits of %.*s are meaningless", STR_ARG(at->text));
    struct str key = str_make((const char *)&network, sizeof network);
    if (map_get(&map->exact, key))
        reader_say(reader, SEVERITY_WARNING, at, "duplicate network \"%.*s\": the last value counts",
                   STR_ARG(at->text));
    if (!value_map_put_network(map, &network, value, &reader->model->arena))
        reader_starve(reader);
}

static void line_take(struct scope *scope, struct value_map *map, const struct node *node) {
    struct reader *reader = scope->reader;
    struct str name = node_name(node);
    if (node->count == 1 && !node->is_block && str_eq(name, STR("ranges"))) {
        struct diagnostic *said = reader_fail(reader, &node->words[0], "\"ranges\" in \"geo\" is not built");
        diagnostic_hint(reader->diagnostics, said, "write networks, as 192.0.2.0/24");
        return;
    }
    if (node->count != 2 || node->is_block) {
        reader_fail(reader, &node->words[0], "invalid number of the geo parameters");
        return;
    }
    if (str_eq(name, STR("proxy")) || str_eq(name, STR("proxy_recursive")) || str_eq(name, STR("delete"))) {
        struct diagnostic *said =
            reader_fail(reader, &node->words[0], "\"%.*s\" in \"geo\" is not built", STR_ARG(name));
        diagnostic_hint(reader->diagnostics, said,
                        str_eq(name, STR("delete")) ? "leave the network out"
                                                    : "\"set_real_ip_from\" says which proxies are trusted");
        return;
    }
    struct template *value = reader_alloc(reader, sizeof *value);
    if (!value)
        return;
    if (!template_literal(value, node->words[1].text, &reader->model->arena))
        reader_starve(reader);
    else if (str_eq(name, STR("default")))
        map->fallback = *value;
    else
        network_add(scope, map, node, value);
}

void geo_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct value_map *map = map_begin(scope, node, VALUE_MAP_NETWORKS);
    if (!map)
        return;
    struct str source = node->count == 3 ? node->words[1].text : STR("$remote_addr");
    if (!compile_template(scope, &node->words[1], source, &map->source))
        return;
    for (const struct node *at = node->first; at && !scope->reader->is_starved; at = at->next)
        line_take(scope, map, at);
}
