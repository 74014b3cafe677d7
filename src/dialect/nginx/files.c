#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* Static files: where they are and of what type. */

/* Both root and alias in one block say two things of one. */
static bool is_second(struct scope *scope, const struct node *node) {
    bool is_alias = str_eq(node_name(node), STR("alias"));
    for (const struct node *at = node->parent->first; at && at != node; at = at->next)
        if (at->row && str_eq(node_name(at), is_alias ? STR("root") : STR("alias"))) {
            reader_fail(scope->reader, &node->words[0],
                        "\"%.*s\" directive is duplicate, \"%.*s\" directive was specified earlier",
                        STR_ARG(node_name(node)), STR_ARG(node_name(at)));
            return true;
        }
    return false;
}

/* False: said. */
static bool base_read(struct scope *scope, const struct node *node, const struct directive *row,
                      struct str path) {
    struct reader *reader = scope->reader;
    static const struct str own[] = {{"document_root", 13}, {"realpath_root", 13}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_find(path, reader_join(reader, STR("$"), own[i])) != STR_NONE ||
            str_find(path, reader_join(reader, STR("${"), own[i])) != STR_NONE) {
            reader_fail(reader, &node->words[1], "the $%.*s variable cannot be used in the \"%s\" directive",
                        STR_ARG(own[i]), row->name);
            return false;
        }
    if (path.len == 0 || path.ptr[0] != '$')
        path = reader_path(reader, path);
    return compile_template(scope, &node->words[1], path, &scope->policy->root);
}

static void root_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str path = node->words[1].text;
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    if (!is_second(scope, node) && base_read(scope, node, row, path))
        scope->policy->alias_len = 0;
}

static void alias_set(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct route *route = scope->route;
    if (route->match == ROUTE_NAMED) {
        reader_fail(scope->reader, &node->words[0],
                    "the \"alias\" directive cannot be used inside the named location");
        return;
    }
    if (!is_second(scope, node) && base_read(scope, node, row, node->words[1].text))
        scope->policy->alias_len = route->match == ROUTE_REGEX ? POLICY_ALIAS_WHOLE : route->pattern.len;
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
        if (at->text.ptr[0] == '/' && i + 1 < node->count)
            reader_say(reader, SEVERITY_WARNING, at,
                       "only the last index in \"%s\" directive should be absolute", row->name);
        struct template name;
        if (!compile_template(scope, at, at->text, &name))
            continue;
        struct template *slot = READER_ADD(reader, &policy->indexes);
        if (!slot)
            return;
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

static bool name_read(struct scope *scope, const struct word *at, struct try_files *tries, bool is_last) {
    struct str text = at->text;
    struct try_name name = {0};
    if (!is_last && text.len && text.ptr[text.len - 1] == '/') {
        name.is_directory = true;
        text.len--;
    }
    if (!compile_template(scope, at, text, &name.name))
        return false;
    struct try_name *slot = READER_ADD(scope->reader, &tries->names);
    if (!slot)
        return false;
    *slot = name;
    return true;
}

/* try_files NAME ... PATH|@NAME|=CODE */
static void try_files_read(struct scope *scope, const struct node *node, const struct directive *row) {
    struct reader *reader = scope->reader;
    const struct word *last = &node->words[node->count - 1];
    struct try_files *tries = reader_alloc(reader, sizeof *tries);
    uint64_t status = 0;
    bool has_status = str_starts(last->text, STR("="));
    if (!tries)
        return;
    if (has_status && (!str_to_u64(str_from(last->text, 1), &status) || status > 999 || status == 0)) {
        struct diagnostic *said = reader_fail(reader, last, "invalid code \"%.*s\" in \"%s\"",
                                              STR_ARG(str_from(last->text, 1)), row->name);
        diagnostic_hint(reader->diagnostics, said, "write =404, a path, or @NAME of a named location");
        return;
    }
    tries->status = (unsigned)status;
    for (size_t i = 1; i < node->count - has_status; i++)
        if (!name_read(scope, &node->words[i], tries, i + 1 == node->count))
            return;
    scope->route->tries = tries;
}

static void since_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const char *const names[] = {"exact", "before", "off"};
    unsigned choice;
    if (set_read_choice(scope, node, row, names, 3, "off, exact or before", &choice))
        scope->policy->modified_since = (enum modified_since)choice;
}

static const struct directive rows[] = {
    {"root", CONTEXT_HSLI, 1, 1, DIRECTIVE_ONCE, root_set, NOTHING, NULL},
    {"alias", CONTEXT_LOCATION, 1, 1, DIRECTIVE_ONCE, alias_set, NOTHING, NULL},
    {"index", CONTEXT_HSL, 1, ARGUMENTS_ANY, 0, index_add, NOTHING, NULL},
    {"types", CONTEXT_HSL, 0, 0, DIRECTIVE_BLOCK, types_read, NOTHING, NULL},
    {"default_type", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_text, POLICY(default_type), NULL},
    {"try_files", CONTEXT_SERVER | CONTEXT_LOCATION, 2, ARGUMENTS_ANY, DIRECTIVE_ONCE, try_files_read, NOTHING,
     NULL},
    {"autoindex", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "off"},
    {"etag", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(has_etag), NULL},
    {"if_modified_since", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, since_set, NOTHING, NULL},
    {"max_ranges", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_number, POLICY(max_ranges), NULL},
    {"log_not_found", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(is_not_found_logged), NULL},
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
