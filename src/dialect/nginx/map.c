#include "dialect/nginx/map.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* map SOURCE $VARIABLE { KEY VALUE; ... } */

static struct str variable_name(const struct node *node) {
    struct str word = node->words[2].text;
    return word.len > 1 && word.ptr[0] == '$' ? str_from(word, 1) : STR("");
}

static void declare_one(struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    struct model *model = reader->model;
    struct str name = reader_lower(reader, variable_name(node));
    if (!reader->maps.arena)
        map_init(&reader->maps, &reader->scratch, false);
    if (reader->is_starved || name.len == 0)
        return;
    if (variable_find(name).id != VARIABLE_NONE) {
        reader_fail(reader, &node->words[2], "\"$%.*s\" has a meaning already: choose another name for the map",
                    STR_ARG(name));
        return;
    }
    if (map_get(&reader->maps, name)) {
        struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, &node->words[2],
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
}

void map_declare(struct scope *scope) {
    for (const struct node *node = scope->block->first; node && !scope->reader->is_starved; node = node->next)
        if (node->is_block && node->count == 3 && str_eq(node_name(node), STR("map")))
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
    struct regex *regex = reader_regex(reader, &node->words[0], str_from(key, is_nocase ? 2 : 1), is_nocase);
    if (!regex || !value_compile(f, &node->words[1], &value))
        return;
    struct value_map_regex *slot = VEC_ADD(&f->map->regexes, &reader->model->arena);
    if (slot)
        *slot = (struct value_map_regex){regex, value};
    else
        reader_starve(reader);
}

static void take_key(struct filling *f, const struct node *node, struct str key) {
    struct reader *reader = f->scope->reader;
    if (key.len && key.ptr[0] == '\\') /* "\default" is the word itself */
        key = str_from(key, 1);
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

static void map_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str name = reader_lower(reader, variable_name(node));
    if (reader->is_starved)
        return;
    if (name.len == 0) {
        struct diagnostic *said = reader_fail(reader, &node->words[2], "invalid variable name \"%.*s\"",
                                              STR_ARG(node->words[2].text));
        diagnostic_hint(reader->diagnostics, said, "the variable that a map defines begins with a \"$\"");
        return;
    }
    struct value_map *map = map_get(&reader->maps, name);
    if (!map) /* said when it was declared */
        return;
    *map = (struct value_map){.place = word_place(&node->words[0]), .name = name};
    map_init(&map->exact, &reader->model->arena, true);
    for (const struct node *at = node->first; at; at = at->next)
        map->is_hostnames |= at->count == 1 && str_eq(node_name(at), STR("hostnames"));
    compile_template(scope, &node->words[1], node->words[1].text, &map->source);
    struct filling f = {.scope = scope, .map = map, .first = node->first};
    for (const struct node *at = node->first; at && !reader->is_starved; at = at->next)
        line_take(&f, at);
}

static const struct directive rows[] = {
    {"map", CONTEXT_HTTP, 2, 2, DIRECTIVE_BLOCK | DIRECTIVE_FIRST, map_read, NOTHING, NULL},
    {"map_hash_max_size", CONTEXT_HTTP, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"map_hash_bucket_size", CONTEXT_HTTP, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area map_area = {rows, sizeof rows / sizeof *rows};
