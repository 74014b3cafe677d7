#include "dialect/endpoint.h"
#include "dialect/oneliner.h"
#include "fuzz.h"

/* What stands on the command line in place of a configuration, a line each: where to listen, where the status
 * page is, and the servers. */

enum { SERVERS_MAX = 8, TEXT_MAX = 1 << 16, ROOM = 1 << 24 };

static char text[TEXT_MAX];

/* What is understood is printed as it would have been understood; a host of the name "unix" cannot be. */
static void check_endpoint(struct str written) {
    struct endpoint endpoint, again;
    const char *problem = NULL;
    if (!endpoint_parse(written, &endpoint, &problem)) {
        FUZZ_CHECK(problem);
        return;
    }
    FUZZ_CHECK(endpoint.host.len);
    if (!endpoint.is_unix && str_eq(endpoint.host, STR("unix")))
        return;
    if (endpoint.port == 0)
        endpoint.port = 1;
    struct builder out = builder_make(text, sizeof text);
    endpoint_print(&out, &endpoint);
    FUZZ_CHECK(!out.overflow && endpoint_parse(builder_view(&out), &again, &problem));
    FUZZ_CHECK(str_eq(endpoint.host, again.host) && endpoint.is_unix == again.is_unix);
    FUZZ_CHECK(endpoint.is_unix || endpoint.port == again.port);
}

static void check_model(const struct model *model, const struct diagnostics *diagnostics) {
    FUZZ_CHECK(model);
    struct builder out = builder_make(text, sizeof text);
    for (size_t i = 0; i < diagnostics->list.count; i++)
        diagnostic_print(&out, &diagnostics->list.items[i], true);
    out.len = 0;
    if (diagnostics->errors)
        return;
    model_print(&out, model);
    const struct upstream *upstream = model->upstreams.items[0];
    FUZZ_CHECK(upstream->servers.count && model->listens.count);
    for (size_t i = 0; i < upstream->servers.count; i++) {
        const struct upstream_server *server = &upstream->servers.items[i];
        FUZZ_CHECK(server->host.len && server->is_unix == (server->port == 0));
        for (size_t k = 0; k < i; k++)
            FUZZ_CHECK(!str_eq(server->name, upstream->servers.items[k].name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str copy = fuzz_copy(str_make((const char *)data, size)), rest = copy, urls[SERVERS_MAX];
    struct oneliner asked = {.urls = urls, .listen = STR(""), .status = STR("")};
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    str_split(&rest, '\n', &asked.listen);
    str_split(&rest, '\n', &asked.status);
    while (asked.count < SERVERS_MAX && str_split(&rest, '\n', &urls[asked.count]))
        check_endpoint(urls[asked.count++]);
    check_endpoint(asked.listen);
    arena_pool_init(&pool, 0, ROOM);
    arena_init(&arena, &pool);
    diagnostics_init(&diagnostics, &arena);
    struct model *model = oneliner_read(&asked, &diagnostics);
    check_model(model, &diagnostics);
    model_free(model);
    arena_fini(&arena);
    arena_pool_fini(&pool);
    fuzz_drop(copy);
    return 0;
}
