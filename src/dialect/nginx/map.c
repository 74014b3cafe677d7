#include "dialect/nginx/map.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/slot.h"

/* map SOURCE $VARIABLE { KEY VALUE; ... } */

/* The name of the variable that such a block defines, without its '$'; empty when it has none. */
static struct str variable_of(const struct node *node) {
    struct str word = node->words[node->count - 1].text;
    return word.len > 1 && word.ptr[0] == '$' ? str_from(word, 1) : STR("");
}

static void declare_one(struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    struct model *model = reader->model;
    struct str name = reader_lower(reader, variable_of(node));
    if (!reader->maps.arena)
        map_init(&reader->maps, &reader->scratch, false);
    if (reader->is_starved || name.len == 0)
        return;
    const struct word *at = &node->words[node->count - 1];
    if (!variable_is_free(name)) {
        reader_fail(reader, at, "\"$%.*s\" has a meaning already: choose another name", STR_ARG(name));
        return;
    }
    if (map_get(&reader->maps, name)) {
        struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, at,
                                             "\"$%.*s\" is defined by another map already", STR_ARG(name));
        diagnostic_hint(reader->diagnostics, said, "the last one counts; remove the other");
        return;
    }
    struct value_map *map = reader_alloc(reader, sizeof *map);
    struct value_map **slot = map ? VEC_ADD(&model->maps, &model->arena) : NULL;
    if (!slot || !map_put(&reader->maps, name, map)) {
        reader_starve(reader);
        return;
    }
    *slot = map;
    map->name = name;
    slot_make(reader, name, &map->slot);
}

static bool is_declaration(const struct node *node) {
    struct str name = node_name(node);
    if (str_eq(name, STR("geo")))
        return node->count == 2 || node->count == 3;
    return node->count == 3 && (str_eq(name, STR("map")) || str_eq(name, STR("split_clients")));
}

void map_declare(struct scope *scope) {
    for (const struct node *node = scope->block->first; node && !scope->reader->is_starved; node = node->next)
        if (node->is_block && is_declaration(node))
            declare_one(scope, node);
}

/* A map's own block while it is read. */
struct filling {
    struct scope *scope;
    struct value_map *map;
    bool has_default;
    const struct node *first; /* of the lines, to show which word stood there already */
};

/* A word alone is a slip: the line's key, or the value of the line above once more. */
static void fail_alone(struct filling *f, const struct node *node) {
    struct reader *reader = f->scope->reader;
    struct str word = node_name(node);
    struct diagnostic *said;
    for (const struct node *at = f->first; at && at != node; at = at->next)
        if (at->count == 2 && str_eq(at->words[1].text, word)) {
            said =
                reader_fail(reader, &node->words[0], "duplicate \"%.*s\": it is the value of line %u already",
                            STR_ARG(word), at->words[0].line);
            diagnostic_hint(reader->diagnostics, said, "remove it");
            return;
        }
    said = reader_fail(reader, &node->words[0], "\"%.*s\" stands alone in a map", STR_ARG(word));
    diagnostic_hint(reader->diagnostics, said, "each line is a key and its value: %.*s VALUE;", STR_ARG(word));
}

static bool value_compile(struct filling *f, const struct word *at, struct template *value) {
    return compile_template(f->scope, at, at->text, value);
}

static void take_regex(struct filling *f, const struct node *node, struct str key) {
    struct reader *reader = f->scope->reader;
    bool is_nocase = str_starts(key, STR("~*"));
    struct template value;
    struct regex *regex = compile_regex(reader, &node->words[0], str_from(key, is_nocase ? 2 : 1), is_nocase);
    if (!regex || !value_compile(f, &node->words[1], &value))
        return;
    struct value_map_regex *slot = READER_ADD(reader, &f->map->regexes);
    if (slot)
        *slot = (struct value_map_regex){regex, value};
}

static void take_key(struct filling *f, const struct node *node, struct str key) {
    struct reader *reader = f->scope->reader;
    if (key.len && key.ptr[0] == '\\') /* "\default" is the word itself */
        key = str_from(key, 1);
    struct str star = key;
    if (f->map->is_hostnames && str_starts(star, STR("*.")))
        star = str_from(star, 2);
    else if (f->map->is_hostnames && str_ends(star, STR(".*")))
        star.len -= 2;
    if (f->map->is_hostnames && (star.len == 0 ? key.len > 0 : str_find_char(star, '*') != STR_NONE)) {
        struct diagnostic *said =
            reader_fail(reader, &node->words[0], "invalid hostname or wildcard \"%.*s\"", STR_ARG(key));
        diagnostic_hint(reader->diagnostics, said, "\"*\" stands for the first or the last label alone");
        return;
    }
    if (value_map_has(f->map, key)) {
        reader_fail(reader, &node->words[0], "conflicting parameter \"%.*s\": the map has it already",
                    STR_ARG(key));
        return;
    }
    struct template *value = reader_alloc(reader, sizeof *value);
    if (value && value_compile(f, &node->words[1], value) && !value_map_put(f->map, key, value))
        reader_starve(reader);
}

static void line_take(struct filling *f, const struct node *node) {
    struct reader *reader = f->scope->reader;
    struct str key = node_name(node);
    bool is_alone = node->count == 1 && !node->is_block;
    if (is_alone && (str_eq(key, STR("hostnames")) || str_eq(key, STR("volatile"))))
        return;
    if (is_alone) {
        fail_alone(f, node);
        return;
    }
    if (node->count != 2 || node->is_block) {
        struct diagnostic *said = reader_fail(reader, &node->words[0], "invalid number of the map parameters");
        diagnostic_hint(reader->diagnostics, said, "each line is a key and its value, and ends with \";\"");
        return;
    }
    if (str_eq(key, STR("default"))) {
        if (f->has_default)
            reader_fail(reader, &node->words[0], "duplicate default map parameter");
        else
            value_compile(f, &node->words[1], &f->map->fallback);
        f->has_default = true;
    } else if (key.len && key.ptr[0] == '~') {
        take_regex(f, node, key);
    } else {
        take_key(f, node, key);
    }
}

struct value_map *map_begin(struct scope *scope, const struct node *node, enum value_map_kind kind) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[node->count - 1];
    struct str name = reader_lower(reader, variable_of(node));
    if (reader->is_starved)
        return NULL;
    if (name.len == 0) {
        struct diagnostic *said = reader_fail(reader, at, "invalid variable name \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "the variable that \"%.*s\" defines begins with a \"$\"",
                        STR_ARG(node_name(node)));
        return NULL;
    }
    struct value_map *map = map_get(&reader->maps, name);
    if (!map) /* said when it was declared */
        return NULL;
    *map =
        (struct value_map){.place = word_place(&node->words[0]), .name = name, .slot = map->slot, .kind = kind};
    map_init(&map->exact, &reader->model->arena, kind == VALUE_MAP_KEYS);
    return map;
}

static void map_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct value_map *map = map_begin(scope, node, VALUE_MAP_KEYS);
    if (!map)
        return;
    for (const struct node *at = node->first; at; at = at->next) {
        map->is_hostnames |= at->count == 1 && str_eq(node_name(at), STR("hostnames"));
        map->is_volatile |= at->count == 1 && str_eq(node_name(at), STR("volatile"));
    }
    compile_template(scope, &node->words[1], node->words[1].text, &map->source);
    struct filling f = {.scope = scope, .map = map, .first = node->first};
    for (const struct node *at = node->first; at && !scope->reader->is_starved; at = at->next)
        line_take(&f, at);
}

static const struct directive rows[] = {
    {"map", CONTEXT_HTTP | CONTEXT_STREAM, 2, 2, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, map_read, NOTHING, NULL},
    {"split_clients", CONTEXT_HTTP | CONTEXT_STREAM, 2, 2, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, split_read,
     NOTHING, NULL},
    {"geo", CONTEXT_HTTP | CONTEXT_STREAM, 1, 2, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, geo_read, NOTHING, NULL},
    {"map_hash_max_size", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"map_hash_bucket_size", CONTEXT_HTTP | CONTEXT_STREAM, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area map_area = {rows, sizeof rows / sizeof *rows};
