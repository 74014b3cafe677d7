#include "model/print/value_map_print.h"

#include "model/print/put.h"

/* map, split_clients and geo blocks. */

void value_map_print(struct builder *out, const struct value_map *map) {
    struct put_entry entries[PUT_ENTRIES_MAX];
    size_t count = put_sort(&map->exact, entries, PUT_ENTRIES_MAX);
    builder_format(out, "map %.*s%s%s of ", STR_ARG(map->name), map->is_hostnames ? " hostnames" : "",
                   map->is_volatile ? " volatile" : "");
    put_template(out, &map->source);
    builder_char(out, '\n');
    for (size_t i = 0; i < map->shares.count; i++) {
        builder_format(out, "  below %u ", map->shares.items[i].end);
        put_template(out, &map->shares.items[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->proxies.count; i++) {
        builder_str(out, map->is_proxy_recursive ? STR("  proxy recursive ") : STR("  proxy "));
        cidr_build(out, &map->proxies.items[i]);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->ranges.count; i++) {
        builder_format(out, "  range %08x %08x ", map->ranges.items[i].from, map->ranges.items[i].to);
        put_template(out, &map->ranges.items[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < count; i++) {
        builder_str(out, map->kind == VALUE_MAP_NETWORKS ? STR("  network ") : STR("  key \""));
        if (map->kind == VALUE_MAP_NETWORKS)
            cidr_build(out, (const struct cidr *)(const void *)entries[i].key.ptr);
        else
            builder_escaped(out, entries[i].key);
        builder_str(out, map->kind == VALUE_MAP_NETWORKS ? STR(" ") : STR("\" "));
        put_template(out, entries[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->regexes.count; i++) {
        builder_format(out, "  regex %zu ", i + 1);
        put_template(out, &map->regexes.items[i].value);
        builder_char(out, '\n');
    }
    builder_str(out, STR("  default "));
    put_template(out, &map->fallback);
    builder_char(out, '\n');
}
