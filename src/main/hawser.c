#include "base/version.h"
#include "main/boot.h"
#include "main/build.h"
#include "main/serve.h"

#include <stdio.h>
#include <stdlib.h>

enum { OPTIONS_BYTES = 1 << 20 };

static int act(struct options *options) {
    switch (options->action) {
    case ACTION_SERVE:
        boot_settle_status(options);
        return serve_run(options);
    case ACTION_TEST:
    case ACTION_DUMP:
        boot_settle_status(options);
        return boot_test(options);
    case ACTION_SIGNAL:
        return serve_signal(options);
    case ACTION_VERSION:
        fputs("hawser version: hawser/" VERSION "\n", options->is_long_version ? stdout : stderr);
        return EXIT_SUCCESS;
    case ACTION_BUILD:
        build_print();
        return EXIT_SUCCESS;
    case ACTION_HELP:
        fputs(options_help, stdout);
        return EXIT_SUCCESS;
    case ACTION_INVITE:
        fputs(options_invitation, stderr);
        return EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}

int main(int count, char **words) {
    struct arena_pool pool;
    struct arena arena;
    struct options options;
    struct str complaint = STR("");
    arena_pool_init(&pool, 0, OPTIONS_BYTES);
    arena_init(&arena, &pool);
    int code = EXIT_FAILURE;
    if (options_parse(&options, count, words, &arena, &complaint))
        code = act(&options);
    else
        fprintf(stderr, "hawser: %.*s\n", STR_ARG(complaint));
    arena_fini(&arena);
    arena_pool_fini(&pool);
    return code;
}
