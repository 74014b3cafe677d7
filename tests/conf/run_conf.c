/* Golden pairs: NAME.conf -> NAME.model (the model's canonical text, where there is no error) and NAME.diag
 * (everything that is said of it, where anything is). run_conf [-u] DIRECTORY...; -u writes them anew. */
#include "dialect/nginx/nginx.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 20 };

static bool file_read(void *context, struct arena *arena, struct str path, struct str *contents,
                      const char **reason) {
    (void)context;
    char name[4096];
    snprintf(name, sizeof name, "%.*s", STR_ARG(path));
    FILE *file = fopen(name, "rb");
    char *text = file ? arena_alloc(arena, TEXT_MAX) : NULL;
    if (!text) {
        *reason = "2: No such file or directory";
        return false;
    }
    *contents = str_make(text, fread(text, 1, TEXT_MAX, file));
    fclose(file);
    return true;
}

static bool file_glob(void *context, struct arena *arena, struct str pattern, struct str **paths,
                      size_t *count) {
    (void)context;
    char name[4096];
    glob_t found = {0};
    snprintf(name, sizeof name, "%.*s", STR_ARG(pattern));
    glob(name, 0, NULL, &found);
    *count = found.gl_pathc;
    *paths = arena_zero(arena, found.gl_pathc + 1, sizeof **paths);
    for (size_t i = 0; i < found.gl_pathc; i++)
        (*paths)[i] = arena_copy(arena, str_of(found.gl_pathv[i]));
    globfree(&found);
    return true;
}

/* The names that there are. */
static bool name_lookup(void *context, struct arena *arena, struct str name, struct str **addresses,
                        size_t *count, const char **reason) {
    static struct str two[] = {{"127.0.0.7", 9}, {"::7", 3}};
    (void)context;
    (void)arena;
    *reason = "host not found";
    *addresses = two;
    *count = 2;
    return str_eq(name, STR("both.example"));
}

static unsigned failures, checked;
static bool is_update;

/* Compares with the golden file, which need not be there when `text` is empty. */
static void golden(const char *conf, const char *ending, struct str text) {
    static char wanted[TEXT_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%.*s.%s", (int)(strlen(conf) - strlen(".conf")), conf, ending);
    if (is_update) {
        FILE *file = text.len ? fopen(path, "wb") : NULL;
        if (file) {
            fwrite(text.ptr, 1, text.len, file);
            fclose(file);
        } else {
            remove(path);
        }
        return;
    }
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(wanted, 1, sizeof wanted, file) : 0;
    if (file)
        fclose(file);
    checked++;
    if (str_eq(text, str_make(wanted, len)))
        return;
    failures++;
    printf("%s is not what is read; it is:\n%.*s\n", path, STR_ARG(text));
}

static void conf_run(const char *path) {
    static char model_text[TEXT_MAX], diagnostics_text[TEXT_MAX];
    struct builder model_out = builder_make(model_text, sizeof model_text);
    struct builder diagnostics_out = builder_make(diagnostics_text, sizeof diagnostics_text);
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    arena_pool_init(&pool, 0, 1 << 26);
    arena_init(&arena, &pool);
    diagnostics_init(&diagnostics, &arena);
    struct nginx_source source = {.path = str_of(path),
                                  .prefix = STR("/srv/"),
                                  .globals = STR(""),
                                  .read = file_read,
                                  .glob = file_glob,
                                  .lookup = name_lookup,
                                  .hostname = STR("Machine.example")};
    struct model *model = nginx_read(&source, &diagnostics);
    if (model && diagnostics.errors == 0)
        model_print(&model_out, model);
    if (model)
        model_lint(model, &diagnostics);
    for (size_t i = 0; i < diagnostics.list.count; i++)
        diagnostic_print(&diagnostics_out, &diagnostics.list.items[i], false);
    golden(path, "model", builder_view(&model_out));
    golden(path, "diag", builder_view(&diagnostics_out));
    model_free(model);
    arena_fini(&arena);
    arena_pool_fini(&pool);
}

int main(int argc, char **argv) {
    char start[4096];
    if (!getcwd(start, sizeof start))
        return 2;
    for (int i = 1; i < argc; i++) {
        glob_t found = {0};
        if (strcmp(argv[i], "-u") == 0) {
            is_update = true;
            continue;
        }
        if (chdir(start) != 0 || chdir(argv[i]) != 0) {
            perror(argv[i]);
            return 2;
        }
        glob("*.conf", 0, NULL, &found);
        for (size_t j = 0; j < found.gl_pathc; j++)
            conf_run(found.gl_pathv[j]);
        globfree(&found);
    }
    printf("%u passed, %u failed\n", checked - failures, failures);
    return failures != 0 || (checked == 0 && !is_update);
}
