#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* Static files: where they are and of what type. */

static void root_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct reader *reader = scope->reader;
    struct str path = node->words[1].text;
    if (str_find(path, STR("$document_root")) != STR_NONE ||
        str_find(path, STR("$realpath_root")) != STR_NONE) {
        reader_fail(reader, &node->words[1], "\"%s\" cannot be named by the variable that it defines",
                    row->name);
        return;
    }
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len == 0 || path.ptr[0] != '$')
        path = reader_path(reader, path);
    compile_template(scope, &node->words[1], path, &scope->policy->root);
}

static void index_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct reader *reader = scope->reader;
    struct policy *policy = scope->policy;
    if (scope->is_first)
        memset(&policy->indexes, 0, sizeof policy->indexes);
    for (size_t i = 1; i < node->count; i++) {
        const struct word *at = &node->words[i];
        if (at->text.len == 0) {
            reader_fail(reader, at, "index \"\" in \"%s\" directive is invalid", row->name);
            continue;
        }
        if (at->text.ptr[0] == '/') {
            reader_fail(reader, at, "an index with a path (\"%.*s\") is not built yet", STR_ARG(at->text));
            continue;
        }
        struct template name;
        if (!compile_template(scope, at, at->text, &name))
            continue;
        struct template *slot = VEC_ADD(&policy->indexes, &reader->model->arena);
        if (!slot) {
            reader_starve(reader);
            return;
        }
        *slot = name;
    }
}

/* "text/html html htm;" */
static void type_add(struct reader *reader, struct map *types, const struct node *node) {
    if (node->is_block || node->count < 2) {
        struct diagnostic *said =
            reader_say(reader, SEVERITY_WARNING, &node->words[0], "\"%.*s\" in types has no file extension",
                       STR_ARG(node_name(node)));
        diagnostic_hint(reader->diagnostics, said,
                        "each line is a type and its extensions: text/html html htm;");
        return;
    }
    struct str *type = reader_alloc(reader, sizeof *type);
    if (!type)
        return;
    *type = node_name(node);
    for (size_t i = 1; i < node->count; i++)
        if (!map_put(types, reader_lower(reader, node->words[i].text), type))
            reader_starve(reader);
}

static void types_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    if (scope->is_first) {
        scope->policy->types = reader_alloc(reader, sizeof(struct map));
        if (scope->policy->types)
            map_init(scope->policy->types, &reader->model->arena, true);
    }
    for (const struct node *at = node->first; at && !reader->is_starved; at = at->next)
        type_add(reader, scope->policy->types, at);
}

/* "$uri $uri/ =404" is what serving files does by itself. */
static void try_files_read(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_usual = node->count == 4 && str_eq(node->words[1].text, STR("$uri")) &&
                    str_eq(node->words[2].text, STR("$uri/")) && str_eq(node->words[3].text, STR("=404"));
    is_usual |= node->count == 3 && str_eq(node->words[1].text, STR("$uri")) &&
                (str_eq(node->words[2].text, STR("=404")) || str_eq(node->words[2].text, STR("$uri/")));
    if (is_usual) {
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0],
                   "this \"%s\" is how files are served in any case", row->name);
        return;
    }
    struct diagnostic *said = reader_fail(scope->reader, &node->words[0], "\"%s\" is not built yet", row->name);
    diagnostic_hint(scope->reader->diagnostics, said, "only \"try_files $uri $uri/ =404;\" is taken");
}

static const struct directive rows[] = {
    {"root", CONTEXT_HSLI, 1, 1, DIRECTIVE_ONCE, root_set, NOTHING, NULL},
    {"index", CONTEXT_HSL, 1, ARGUMENTS_ANY, 0, index_add, NOTHING, NULL},
    {"types", CONTEXT_HSL, 0, 0, DIRECTIVE_BLOCK, types_read, NOTHING, NULL},
    {"default_type", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_text, POLICY(default_type), NULL},
    {"try_files", CONTEXT_SERVER | CONTEXT_LOCATION, 2, ARGUMENTS_ANY, DIRECTIVE_ONCE, try_files_read, NOTHING,
     NULL},
    {"autoindex", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "off"},
    {"etag", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "on"},
    {"if_modified_since", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "exact"},
    {"log_not_found", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"types_hash_max_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"types_hash_bucket_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"sendfile", CONTEXT_HSLI, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "files are sent the cheapest way"},
    {"sendfile_max_chunk", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"tcp_nopush", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"aio", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"aio_write", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"directio", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"directio_alignment", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"output_buffers", CONTEXT_HSL, 2, 2, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"postpone_output", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"read_ahead", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"open_file_cache", CONTEXT_HSL, 1, 2, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"open_file_cache_errors", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"open_file_cache_min_uses", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"open_file_cache_valid", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
};

const struct area files_area = {rows, sizeof rows / sizeof *rows};
