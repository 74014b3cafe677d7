#include "model/print/put.h"

#include "model/value_map.h"

void put_indent(struct builder *out, unsigned depth) {
    for (unsigned i = 0; i < depth; i++)
        builder_str(out, STR("  "));
}

void put_template(struct builder *out, const struct template *t) {
    builder_char(out, '"');
    for (size_t i = 0; i < t->count; i++) {
        const struct variable *v = &t->parts[i].variable;
        size_t count;
        const struct str *names = variable_names(&count);
        switch (v->id) {
        case VARIABLE_NONE:
            builder_escaped(out, t->parts[i].text);
            break;
        case VARIABLE_MAP:
            builder_format(out, "${map %.*s}", STR_ARG(v->map->name));
            break;
        case VARIABLE_CAPTURE:
            builder_format(out, "${capture %u}", v->index);
            break;
        case VARIABLE_SLOT:
            builder_format(out, "${slot %.*s}", STR_ARG(v->name));
            break;
        default:
            builder_str(out, STR("${"));
            builder_str(out, names[v->id - 1]); /* the names stand in the order of the ids */
            if (str_ends(names[v->id - 1], STR("_")))
                builder_str(out, v->name);
            builder_char(out, '}');
        }
    }
    builder_char(out, '"');
}

void put_number(struct builder *out, unsigned depth, const char *what, uint64_t value, uint64_t usual) {
    if (value == usual)
        return;
    put_indent(out, depth);
    builder_format(out, "%s %llu\n", what, (unsigned long long)value);
}

size_t put_sort(const struct map *map, struct put_entry *entries, size_t room) {
    size_t count = 0;
    struct put_entry entry;
    for (size_t at = 0; count < room && map_each(map, &at, &entry.key, &entry.value);) {
        size_t i = count++;
        for (; i && str_compare(entries[i - 1].key, entry.key) > 0; i--)
            entries[i] = entries[i - 1];
        entries[i] = entry;
    }
    return count;
}
