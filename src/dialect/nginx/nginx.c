#include "dialect/nginx/nginx.h"

#include "dialect/nginx/http.h"
#include "dialect/nginx/resolver.h"
#include "dialect/nginx/ssl.h"
#include "dialect/nginx/tree.h"
#include "model/late.h"
#include "model/types.h"

/* The whole of it: tree, then areas; see scope.h. */

static void directory_set(struct reader *reader) {
    struct str path = reader->source->path;
    size_t len = path.len;
    while (len && path.ptr[len - 1] != '/')
        len--;
    reader->directory = str_head(path, len);
}

static void defaults_set(struct reader *reader) {
    policy_init(&reader->policy);
    reader->policy.types = reader->model->types = types_built_in(&reader->model->arena);
    if (!reader->model->types)
        reader_starve(reader);
    struct str root = reader_path(reader, STR("html"));
    if (!template_literal(&reader->policy.root, root, &reader->model->arena))
        reader_starve(reader);
    struct template *index = VEC_ADD(&reader->policy.indexes, &reader->model->arena);
    if (!index || !template_literal(index, STR("index.html"), &reader->model->arena))
        reader_starve(reader);
    site_init(&reader->site);
}

/* A file without an http block is the inside of one. */
static void top_read(struct reader *reader, const struct node *root) {
    struct scope scope = {.reader = reader, .context = CONTEXT_MAIN, .block = root};
    bool has_http = false;
    for (const struct node *node = root->first; node; node = node->next)
        has_http |= str_eq(node_name(node), STR("http")) || str_eq(node_name(node), STR("stream")) ||
                    str_eq(node_name(node), STR("tcp"));
    if (has_http) {
        scope_read(&scope);
        return;
    }
    scope.context |= CONTEXT_HTTP;
    for (const struct node *node = root->first; node; node = node->next) {
        bool is_http = directive_find(node_name(node), CONTEXT_HTTP) != NULL;
        if (!is_http || directive_find(node_name(node), CONTEXT_MAIN))
            continue;
        reader_say(reader, SEVERITY_NOTE, &node->words[0],
                   "there is no http block: the file is read as its inside");
        break;
    }
    http_enter(&scope);
}

static bool names_safe_maps(const struct template *template, const struct reader *reader, const bool *is_safe) {
    for (size_t i = 0; i < template->count; i++)
        for (size_t j = 0; template->parts[i].variable.map && j < reader->model->maps.count; j++)
            if (reader->model->maps.items[j] == template->parts[i].variable.map && !is_safe[j])
                return false;
    return true;
}

static bool map_is_safe(const struct value_map *map, const struct reader *reader, const bool *is_safe) {
    bool is =
        names_safe_maps(&map->source, reader, is_safe) && names_safe_maps(&map->fallback, reader, is_safe);
    for (size_t i = 0; is && i < map->regexes.count; i++)
        is = names_safe_maps(&map->regexes.items[i].value, reader, is_safe);
    struct str key;
    const void *value;
    for (size_t at = 0; is && map_each(&map->exact, &at, &key, &value);)
        is = names_safe_maps(value, reader, is_safe);
    return is;
}

/* Maps may name each other, but not in a ring, nor in a chain without end. */
static void maps_verify(struct reader *reader) {
    enum { CHAIN_MAX = 20 };
    size_t count = reader->model->maps.count;
    bool *is_safe = arena_zero(&reader->scratch, count + 1, sizeof *is_safe);
    bool *is_next = arena_zero(&reader->scratch, count + 1, sizeof *is_next);
    if (!is_safe || !is_next) {
        reader_starve(reader);
        return;
    }
    for (unsigned round = 0; round < CHAIN_MAX; round++) {
        for (size_t i = 0; i < count; i++)
            is_next[i] = is_safe[i] || map_is_safe(reader->model->maps.items[i], reader, is_safe);
        memcpy(is_safe, is_next, count);
    }
    for (size_t i = 0; i < count; i++)
        if (!is_safe[i])
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, reader->model->maps.items[i]->place,
                            "the value of \"$%.*s\" depends on itself, or on too long a chain of maps",
                            STR_ARG(reader->model->maps.items[i]->name));
}

/* Maps whose values change while a tunnel lives, through others too. */
static void late_maps_find(const struct reader *reader) {
    bool is_news = true;
    while (is_news) {
        is_news = false;
        for (size_t i = 0; i < reader->model->maps.count; i++) {
            struct value_map *map = reader->model->maps.items[i];
            is_news |= !map->is_late && (map->is_late = value_map_names_late(map));
        }
    }
}

/* What -g says is read before all files. */
static size_t file_rank(const struct model *model, struct str file) {
    size_t rank = 0;
    while (rank < model->files.count && !str_eq(model->files.items[rank], file))
        rank++;
    return str_eq(file, PLACE_COMMAND_LINE) ? 0 : rank + 1;
}

static bool place_is_before(struct place a, struct place b) {
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

/* In the order of the files, whatever the order in which they were found; stable. */
static void diagnostics_sort(struct reader *reader, size_t from) {
    struct diagnostic *items = reader->diagnostics->list.items;
    for (size_t i = from + 1; i < reader->diagnostics->list.count; i++) {
        struct diagnostic moved = items[i];
        size_t rank = file_rank(reader->model, moved.place.file), j = i;
        for (; j > from; j--) {
            const struct diagnostic *before = &items[j - 1];
            size_t before_rank = file_rank(reader->model, before->place.file);
            if (before_rank < rank || (before_rank == rank && !place_is_before(moved.place, before->place)))
                break;
            items[j] = *before;
        }
        items[j] = moved;
    }
}

static void everything_read(struct reader *reader) {
    directory_set(reader);
    defaults_set(reader);
    struct node *root = reader->is_starved ? NULL : tree_read(reader);
    if (!root || reader->is_starved)
        return;
    top_read(reader, root);
    if (!reader->is_starved) {
        maps_verify(reader);
        late_maps_find(reader);
        resolver_settle(reader);
        ssl_verify(reader);
    }
}

struct model *nginx_read(const struct nginx_source *source, struct diagnostics *diagnostics) {
    struct model *model = model_new();
    if (!model)
        return NULL;
    struct reader *reader = arena_zero(&model->arena, 1, sizeof *reader);
    if (!reader) {
        model_free(model);
        return NULL;
    }
    size_t said = diagnostics->list.count;
    reader->model = model;
    reader->diagnostics = diagnostics;
    reader->source = source;
    arena_init(&reader->scratch, &model->pool);
    everything_read(reader);
    arena_fini(&reader->scratch);
    if (reader->is_starved) {
        model_free(model);
        return NULL;
    }
    diagnostics_sort(reader, said);
    return model;
}
