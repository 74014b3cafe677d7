/* A configuration of anybody's making is read to a model or to diagnostics, and printed and verified. */
#include "dialect/nginx/nginx.h"

enum { TEXT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool file_read(void *context, struct arena *arena, struct str path, struct str *contents,
                      const char **reason) {
    const struct str *input = context;
    if (!str_eq(path, STR("fuzz.conf"))) {
        *reason = "refused";
        return false;
    }
    *contents = arena_copy(arena, *input);
    return contents->ptr != NULL;
}

static bool file_glob(void *context, struct arena *arena, struct str pattern, struct str **paths,
                      size_t *count) {
    (void)context;
    (void)arena;
    (void)pattern;
    *paths = NULL;
    *count = 0;
    return true;
}

/* What is said beyond the first few is counted and not kept: else the search for the nearest known word, for
 * each of an input's hundreds of unknown ones, is all that a run does. */
static void diagnostics_fill(struct diagnostics *diagnostics) {
    enum { KEPT = 4 };
    while (diagnostics->list.count < DIAGNOSTICS_MAX - KEPT)
        *VEC_ADD(&diagnostics->list, diagnostics->arena) = (struct diagnostic){.text = STR("")};
}

static const struct str looked_up[] = {
    {"www.example.com", 15}, {"192.0.2.1", 9}, {"2001:db8::1", 11}, {"::ffff:10.0.0.1", 15}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[TEXT_MAX];
    struct str input = {(const char *)data, size};
    struct nginx_source source = {.path = STR("fuzz.conf"),
                                  .prefix = STR("/srv"),
                                  .globals = STR(""),
                                  .read = file_read,
                                  .glob = file_glob,
                                  .context = &input};
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    arena_pool_init(&pool, 0, 1 << 26);
    arena_init(&arena, &pool);
    diagnostics_init(&diagnostics, &arena);
    diagnostics_fill(&diagnostics);
    struct model *model = nginx_read(&source, &diagnostics);
    struct builder out = builder_make(text, sizeof text);
    if (model) {
        model_print(&out, model);
        model_lint(model, &diagnostics);
    }
    for (size_t i = 0; model && i < model->listens.count; i++) {
        struct regex_match match;
        const struct site *site = listen_find_site(model->listens.items[i], STR("www.example.com"), &match);
        if (site)
            route_find(&site->routes, &site->fallback, STR("/socket.io/index.php"), &match);
    }
    for (size_t i = 0; model && i < model->maps.count; i++)
        for (size_t j = 0; j < sizeof looked_up / sizeof *looked_up; j++) {
            const struct value_map *map = model->maps.items[i];
            value_map_find(map, looked_up[j], NULL);
            value_map_trusts(map, looked_up[j]);
        }
    out.len = 0;
    for (size_t i = 0; i < diagnostics.list.count; i++)
        diagnostic_print(&out, &diagnostics.list.items[i], true);
    model_free(model);
    arena_fini(&arena);
    arena_pool_fini(&pool);
    return 0;
}
