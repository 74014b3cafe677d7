#include "dialect/nginx/compile.h"
#include "dialect/nginx/map.h"

/* geo [$ADDRESS] $VARIABLE { default VALUE; NETWORK VALUE; ... }, or with `ranges` FROM-TO VALUE */

struct network {
    struct cidr cidr;
    struct template *value; /* NULL: it was deleted */
};

struct geo {
    struct scope *scope;
    struct value_map *map;
    bool has_ranges;
    bool has_lines;      /* of networks or ranges */
    struct map networks; /* struct cidr -> struct network * */
};

static struct diagnostic *fail(const struct geo *g, const struct word *at, const char *what) {
    struct reader *reader = g->scope->reader;
    struct diagnostic *said = reader_fail(reader, at, "invalid %s \"%.*s\"", what, STR_ARG(at->text));
    diagnostic_hint(reader->diagnostics, said,
                    g->has_ranges
                        ? "with \"ranges\" it is two IPv4 addresses: 192.0.2.0-192.0.2.127"
                        : "it is an address, or an address and its bits: 192.0.2.0/24, 2001:db8::/32");
    return said;
}

/* ---- networks ---- */

static bool network_read(const struct geo *g, const struct word *at, struct cidr *cidr) {
    enum cidr_parsed parsed = cidr_parse(at->text, cidr);
    if (parsed == CIDR_BAD || cidr->family == CIDR_UNIX) {
        fail(g, at, "network");
        return false;
    }
    if (parsed == CIDR_LOW_BITS)
        reader_say(g->scope->reader, SEVERITY_WARNING, at, "low address bits of %.*s are meaningless",
                   STR_ARG(at->text));
    return true;
}

static struct network *network_find(const struct geo *g, const struct cidr *cidr) {
    return map_get(&g->networks, str_make((const char *)cidr, sizeof *cidr));
}

static struct network *network_new(struct geo *g, const struct cidr *cidr) {
    struct network *network = arena_alloc(&g->scope->reader->scratch, sizeof *network);
    if (!network)
        return NULL;
    network->cidr = *cidr;
    struct str key = str_make((const char *)&network->cidr, sizeof network->cidr);
    return map_put(&g->networks, key, network) ? network : NULL;
}

static void network_add(struct geo *g, const struct word *at, struct template *value) {
    struct reader *reader = g->scope->reader;
    struct cidr cidr;
    if (!network_read(g, at, &cidr))
        return;
    struct network *network = network_find(g, &cidr);
    if (network && network->value)
        reader_say(reader, SEVERITY_WARNING, at, "duplicate network \"%.*s\": the last value counts",
                   STR_ARG(at->text));
    if (!network)
        network = network_new(g, &cidr);
    if (network)
        network->value = value;
    else
        reader_starve(reader);
}

static void network_delete(struct geo *g, const struct word *at) {
    struct cidr cidr;
    if (!network_read(g, at, &cidr))
        return;
    struct network *network = network_find(g, &cidr);
    if (network && network->value)
        network->value = NULL;
    else
        reader_say(g->scope->reader, SEVERITY_WARNING, at, "no network \"%.*s\" to delete", STR_ARG(at->text));
}

/* Those that are left, into the map. */
static void networks_put(struct geo *g) {
    struct reader *reader = g->scope->reader;
    struct str key;
    const void *value;
    for (size_t at = 0; !reader->is_starved && map_each(&g->networks, &at, &key, &value);) {
        const struct network *network = value;
        if (network->value &&
            !value_map_put_network(g->map, &network->cidr, network->value, &reader->model->arena))
            reader_starve(reader);
    }
}

/* ---- ranges ---- */

static bool address_read(struct str text, uint32_t *address) {
    struct cidr cidr;
    if (cidr_parse(text, &cidr) != CIDR_PARSED || cidr.family != CIDR_V4 || cidr.bits != 32)
        return false;
    *address = (uint32_t)cidr.bytes[0] << 24 | (uint32_t)cidr.bytes[1] << 16 | (uint32_t)cidr.bytes[2] << 8 |
               cidr.bytes[3];
    return true;
}

static bool range_read(const struct geo *g, const struct word *at, struct value_map_range *range) {
    size_t dash = str_find_char(at->text, '-');
    if (dash != STR_NONE && address_read(str_head(at->text, dash), &range->from) &&
        address_read(str_from(at->text, dash + 1), &range->to) && range->from <= range->to)
        return true;
    fail(g, at, "range");
    return false;
}

static void range_add(struct geo *g, const struct word *at, const struct template *value) {
    struct reader *reader = g->scope->reader;
    struct value_map_range range = {.value = *value};
    if (!range_read(g, at, &range))
        return;
    switch (value_map_put_range(g->map, &range, &reader->model->arena)) {
    case VALUE_MAP_RANGE_ADDED:
        return;
    case VALUE_MAP_RANGE_REPLACED:
        reader_say(reader, SEVERITY_WARNING, at, "duplicate range \"%.*s\": the last value counts",
                   STR_ARG(at->text));
        return;
    case VALUE_MAP_RANGE_OVERLAPS:
        reader_fail(reader, at, "range \"%.*s\" overlaps another one", STR_ARG(at->text));
        return;
    case VALUE_MAP_RANGE_NO_MEMORY:
        reader_starve(reader);
        return;
    }
}

static void range_delete(struct geo *g, const struct word *at) {
    struct value_map_range range = {0};
    if (range_read(g, at, &range) && !value_map_drop_range(g->map, range.from, range.to))
        reader_say(g->scope->reader, SEVERITY_WARNING, at, "no address range \"%.*s\" to delete",
                   STR_ARG(at->text));
}

/* ---- lines ---- */

static void proxy_add(struct geo *g, const struct word *at) {
    struct cidr cidr;
    if (!network_read(&(struct geo){.scope = g->scope}, at, &cidr))
        return;
    struct cidr *slot = READER_ADD(g->scope->reader, &g->map->proxies);
    if (slot)
        *slot = cidr;
}

static bool word_take(struct geo *g, const struct node *node) {
    struct reader *reader = g->scope->reader;
    struct str name = node_name(node);
    if (str_eq(name, STR("proxy_recursive"))) {
        g->map->is_proxy_recursive = true;
        return true;
    }
    if (!str_eq(name, STR("ranges")))
        return false;
    if (g->has_lines)
        reader_fail(reader, &node->words[0],
                    "the \"ranges\" directive must be the first directive inside \"geo\" block");
    g->has_ranges = true;
    return true;
}

static void line_take(struct geo *g, const struct node *node) {
    struct reader *reader = g->scope->reader;
    struct str name = node_name(node);
    const struct word *at = &node->words[0];
    if (node->count == 1 && !node->is_block && word_take(g, node))
        return;
    if (node->count != 2 || node->is_block) {
        reader_fail(reader, at, "invalid number of the geo parameters");
        return;
    }
    if (str_eq(name, STR("proxy"))) {
        proxy_add(g, &node->words[1]);
        return;
    }
    if (str_eq(name, STR("delete"))) {
        if (g->has_ranges)
            range_delete(g, &node->words[1]);
        else
            network_delete(g, &node->words[1]);
        return;
    }
    struct template *value = reader_alloc(reader, sizeof *value);
    if (!value || !template_literal(value, node->words[1].text, &reader->model->arena)) {
        reader_starve(reader);
        return;
    }
    if (str_eq(name, STR("default"))) {
        g->map->fallback = *value;
        return;
    }
    g->has_lines = true;
    if (g->has_ranges)
        range_add(g, at, value);
    else
        network_add(g, at, value);
}

void geo_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct geo g = {.scope = scope, .map = map_begin(scope, node, VALUE_MAP_NETWORKS)};
    if (!g.map)
        return;
    map_init(&g.networks, &reader->scratch, false);
    struct str source = node->count == 3 ? node->words[1].text : STR("$remote_addr");
    if (!compile_template(scope, &node->words[1], source, &g.map->source))
        return;
    for (const struct node *at = node->first; at && !reader->is_starved; at = at->next)
        line_take(&g, at);
    networks_put(&g);
}
