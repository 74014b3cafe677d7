#include "model/print/model_print.h"

/* map, split_clients and geo blocks, and tables in the order of their keys. */

size_t model_print_sort(const struct map *map, struct model_entry *entries, size_t room) {
    size_t count = 0;
    struct model_entry entry;
    for (size_t at = 0; count < room && map_each(map, &at, &entry.key, &entry.value);) {
        size_t i = count++;
        for (; i && str_compare(entries[i - 1].key, entry.key) > 0; i--)
            entries[i] = entries[i - 1];
        entries[i] = entry;
    }
    return count;
}

void value_map_print(struct builder *out, const struct value_map *map) {
    struct model_entry entries[MODEL_ENTRIES_MAX];
    size_t count = model_print_sort(&map->exact, entries, MODEL_ENTRIES_MAX);
    builder_format(out, "map %.*s%s%s of ", STR_ARG(map->name), map->is_hostnames ? " hostnames" : "",
                   map->is_volatile ? " volatile" : "");
    model_print_template(out, &map->source);
    builder_char(out, '\n');
    for (size_t i = 0; i < map->shares.count; i++) {
        builder_format(out, "  below %u ", map->shares.items[i].end);
        model_print_template(out, &map->shares.items[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->proxies.count; i++) {
        builder_str(out, map->is_proxy_recursive ? STR("  proxy recursive ") : STR("  proxy "));
        cidr_build(out, &map->proxies.items[i]);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->ranges.count; i++) {
        builder_format(out, "  range %08x %08x ", map->ranges.items[i].from, map->ranges.items[i].to);
        model_print_template(out, &map->ranges.items[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < count; i++) {
        builder_str(out, map->kind == VALUE_MAP_NETWORKS ? STR("  network ") : STR("  key \""));
        if (map->kind == VALUE_MAP_NETWORKS)
            cidr_build(out, (const struct cidr *)(const void *)entries[i].key.ptr);
        else
            builder_escaped(out, entries[i].key);
        builder_str(out, map->kind == VALUE_MAP_NETWORKS ? STR(" ") : STR("\" "));
        model_print_template(out, entries[i].value);
        builder_char(out, '\n');
    }
    for (size_t i = 0; i < map->regexes.count; i++) {
        builder_format(out, "  regex %zu ", i + 1);
        model_print_template(out, &map->regexes.items[i].value);
        builder_char(out, '\n');
    }
    builder_str(out, STR("  default "));
    model_print_template(out, &map->fallback);
    builder_char(out, '\n');
}
