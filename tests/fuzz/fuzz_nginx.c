#include "dialect/nginx/nginx.h"
#include "fuzz.h"

/* A configuration of anybody's making is read to a model or to diagnostics, and printed and verified; and where
 * memory is refused, to nothing or to the same. */

enum { TEXT_MAX = 1 << 20, ROOM = 1 << 26, CALLS_MAX = 1024 };

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

struct reading {
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    struct model *model; /* NULL: memory was refused */
};

static void reading_begin(struct reading *reading, struct str *input, uint64_t calls) {
    struct nginx_source source = {.path = STR("fuzz.conf"),
                                  .prefix = STR("/srv"),
                                  .globals = STR(""),
                                  .read = file_read,
                                  .glob = file_glob,
                                  .context = input};
    arena_pool_init(&reading->pool, 0, ROOM);
    arena_init(&reading->arena, &reading->pool);
    diagnostics_init(&reading->diagnostics, &reading->arena);
    diagnostics_fill(&reading->diagnostics);
    mem_fail_after(calls);
    reading->model = nginx_read(&source, &reading->diagnostics);
    mem_fail_never();
}

static void reading_end(struct reading *reading) {
    model_free(reading->model);
    arena_fini(&reading->arena);
    arena_pool_fini(&reading->pool);
}

static void look_up(const struct model *model) {
    static const struct str looked_up[] = {
        {"www.example.com", 15}, {"192.0.2.1", 9}, {"2001:db8::1", 11}, {"::ffff:10.0.0.1", 15}};
    for (size_t i = 0; i < model->listens.count; i++) {
        struct regex_match match;
        const struct site *site = listen_find_site(model->listens.items[i], STR("www.example.com"), &match);
        if (site)
            route_find(&site->routes, &site->fallback, STR("/socket.io/index.php"), &match);
    }
    for (size_t i = 0; i < model->maps.count; i++)
        for (size_t j = 0; j < sizeof looked_up / sizeof *looked_up; j++) {
            const struct value_map *map = model->maps.items[i];
            value_map_find(map, looked_up[j], NULL);
            value_map_trusts(map, looked_up[j]);
        }
}

static void check_shortage(struct str input, struct str wanted) {
    static char text[TEXT_MAX];
    struct builder out = builder_make(text, sizeof text);
    struct reading starved;
    uint64_t calls = (uint64_t)fuzz_cut(input, 1) * CALLS_MAX / (input.len + 1);
    reading_begin(&starved, &input, calls);
    if (starved.model && !starved.diagnostics.errors) {
        model_print(&out, starved.model);
        FUZZ_CHECK(str_eq(builder_view(&out), wanted));
    }
    reading_end(&starved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[TEXT_MAX], said[TEXT_MAX];
    struct str input = str_make((const char *)data, size);
    struct builder out = builder_make(text, sizeof text), lines = builder_make(said, sizeof said);
    struct reading reading;
    reading_begin(&reading, &input, UINT64_MAX);
    struct model *model = reading.model;
    if (model) {
        model_print(&out, model);
        model_lint(model, &reading.diagnostics);
        look_up(model);
    }
    for (size_t i = 0; i < reading.diagnostics.list.count; i++)
        diagnostic_print(&lines, &reading.diagnostics.list.items[i], true);
    bool is_whole = model && !reading.diagnostics.errors && !out.overflow;
    reading_end(&reading);
    if (is_whole)
        check_shortage(input, builder_view(&out));
    return 0;
}
