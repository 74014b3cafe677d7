#include "../unit.h"

#include "base/mem.h"
#include "dialect/nginx/nginx.h"
#include "dialect/oneliner.h"

#include <stdio.h>

/* A configuration with something of everything, and with mistakes. */
static const char everything[] =
    "worker_processes auto; events { worker_connections 10; } error_log x.log info;\n"
    "http { include types.inc; include *.glob; ...\n"
    "log_format main '$remote_addr $map' \"$gzip_ratio\"; access_log a.log main; gzip on;\n"
    "map $http_upgrade $map { hostnames; default upgrade; '' close; *.a b; ~^x y; lonely; }\n"
    "upstream nodes { sticky sid; hash $arg_room consistent; server a:1 weight=2; 10.0.0.1:3000; check x; }\n"
    "server { listen 80 default_server; listen [::]:80; server_name a *.b ~^(?<n>c)$; root /x/$n/;\n"
    "  location / { proxy_pass http://nodes; proxy_set_header A $map; add_header B c always; lisen 80; }\n"
    "  location /x/ { proxy_pass http://127.0.0.1:3000/y/; location /x/z { return 200 $host; } }\n"
    "  location = /e { return 301 /f; } index a b; types { a/b c d; } }\n"
    "server { listen 81; location ~ ^/(a)$ { return 200 \"$1 ${host}\"; } proxy_read_timeout 10s; }\n"
    "server { server_name \"esc\\\"aped\"; }\n";

static bool file_read(void *context, struct arena *arena, struct str path, struct str *contents,
                      const char **reason) {
    if (str_eq(path, STR("/etc/main.conf")))
        *contents = str_of(context);
    else if (str_eq(path, STR("/etc/types.inc")) || str_eq(path, STR("/etc/one.glob")))
        *contents = STR("client_max_body_size 5m;");
    else
        *reason = "No such file or directory";
    *contents = *reason ? STR("") : arena_copy(arena, *contents);
    return contents->ptr != NULL && !*reason;
}

static bool file_glob(void *context, struct arena *arena, struct str pattern, struct str **paths,
                      size_t *count) {
    (void)context;
    *count = str_eq(pattern, STR("/etc/*.glob"));
    *paths = arena_alloc(arena, sizeof **paths);
    if (*paths)
        **paths = STR("/etc/one.glob");
    return *paths != NULL;
}

static struct nginx_source source_of(char *text) {
    return (struct nginx_source){.path = STR("/etc/main.conf"),
                                 .prefix = STR("/srv"),
                                 .globals = STR(""),
                                 .read = file_read,
                                 .glob = file_glob,
                                 .context = text};
}

struct reading {
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    struct model *model;
};

static void reading_init(struct reading *reading) {
    arena_pool_init(&reading->pool, 0, 1 << 24);
    arena_init(&reading->arena, &reading->pool);
    diagnostics_init(&reading->diagnostics, &reading->arena);
}

static void reading_fini(struct reading *reading) {
    model_free(reading->model);
    arena_fini(&reading->arena);
    arena_pool_fini(&reading->pool);
    assert_int_equal(reading->pool.bytes_out, 0);
}

static void read_text(struct reading *reading, const char *text, const char *globals) {
    static char kept[4096];
    snprintf(kept, sizeof kept, "%s", text);
    struct nginx_source source = source_of(kept);
    source.globals = str_of(globals);
    reading_init(reading);
    reading->model = nginx_read(&source, &reading->diagnostics);
    assert_non_null(reading->model);
}

static void says(const struct reading *reading, size_t number, const char *text) {
    assert_true(number < reading->diagnostics.list.count);
    assert_str(reading->diagnostics.list.items[number].text, str_of(text));
}

static void whole(void **state) {
    (void)state;
    struct reading r;
    read_text(&r, everything, "daemon on;");
    assert_true(r.diagnostics.errors >= 3);
    assert_true(r.model->is_daemon);
    assert_int_equal(r.model->loops, 0);
    assert_int_equal(r.model->files.count, 3);
    assert_int_equal(r.model->sites.count, 3);
    assert_str(r.model->files.items[0], STR("/etc/main.conf"));
    assert_int_equal(r.model->error_logs.count, 1);
    assert_str(r.model->error_logs.items[0].path, STR("/srv/x.log"));
    reading_fini(&r);
}

static void globals_are_verified(void **state) {
    (void)state;
    struct reading r;
    read_text(&r, "", "demon on;");
    assert_int_equal(r.diagnostics.errors, 1);
    says(&r, 0, "unknown directive \"demon\"");
    assert_str(r.diagnostics.list.items[0].place.file, STR("command line"));
    assert_str(r.diagnostics.list.items[0].hint, STR("did you mean \"daemon\"?"));
    reading_fini(&r);
    read_text(&r, "", "daemon on");
    assert_int_equal(r.diagnostics.errors, 1);
    reading_fini(&r);
}

static void absent_file(void **state) {
    (void)state;
    struct reading r;
    struct nginx_source source = source_of(NULL);
    source.path = STR("/etc/absent.conf");
    reading_init(&r);
    r.model = nginx_read(&source, &r.diagnostics);
    assert_non_null(r.model);
    assert_int_equal(r.diagnostics.errors, 1);
    says(&r, 0, "open() \"/etc/absent.conf\" failed (No such file or directory)");
    reading_fini(&r);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    static char text[4096];
    struct reading r;
    struct builder out = builder_make(text, sizeof text - 1);
    for (int i = 0; i < 1000; i++)
        builder_str(&out, STR("a{"));
    read_text(&r, text, "");
    assert_true(r.diagnostics.errors > 0);
    reading_fini(&r);
}

/* Memory refused at every point in turn: no model or a whole one, and nothing is left. */
static void without_memory(void **state) {
    (void)state;
    static char text[4096];
    snprintf(text, sizeof text, "%s", everything);
    struct nginx_source source = source_of(text);
    bool is_whole = false;
    uint64_t count = 0;
    for (; !is_whole; count++) {
        struct reading r;
        reading_init(&r);
        mem_fail_after(count);
        r.model = nginx_read(&source, &r.diagnostics);
        if (r.model)
            model_lint(r.model, &r.diagnostics);
        void *probe = mem_alloc(1); /* refused while anything before was */
        is_whole = probe != NULL;
        mem_free(probe);
        mem_fail_never();
        reading_fini(&r);
        assert_true(count < 100000);
    }
    assert_true(count > 10);
}

static void oneliner_without_memory(void **state) {
    (void)state;
    const struct str urls[] = {STR("http://127.0.0.1:3001"), STR("nope"), STR("unix:/x")};
    bool is_made = false;
    for (uint64_t count = 0; !is_made; count++) {
        struct reading r;
        reading_init(&r);
        mem_fail_after(count);
        r.model = oneliner_read(&(struct oneliner){urls, 3, STR(":8080"), STR("8081")}, &r.diagnostics);
        mem_fail_never();
        is_made = r.model != NULL;
        reading_fini(&r);
    }
}

static struct model *door(struct reading *r, const char *listen, size_t count, const char *const *arguments) {
    struct str urls[8];
    for (size_t i = 0; i < count; i++)
        urls[i] = str_of(arguments[i]);
    reading_init(r);
    r->model = oneliner_read(&(struct oneliner){urls, count, str_of(listen), STR("")}, &r->diagnostics);
    assert_non_null(r->model);
    return r->model;
}

static void oneliner_servers(void **state) {
    (void)state;
    static const char *const urls[] = {"http://127.0.0.1:3001", "app02:3000", ":3003",      "3004",
                                       "unix:/run/a.sock",      "http://h/",  "[::1]:3005", "HTTP://h2:80"};
    static const char *const names[] = {"127.0.0.1:3001",   "app02:3000", "127.0.0.1:3003", "127.0.0.1:3004",
                                        "unix:/run/a.sock", "h:80",       "[::1]:3005",     "h2:80"};
    struct reading r;
    struct model *model = door(&r, "", 8, urls);
    assert_int_equal(r.diagnostics.list.count, 0);
    const struct upstream *upstream = model->upstreams.items[0];
    assert_true(upstream->is_sticky_by_sid);
    assert_int_equal(upstream->servers.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_str(upstream->servers.items[i].name, str_of(names[i]));
    assert_str(model->listens.items[0]->text, STR("0.0.0.0:8080"));
    const struct site *site = listen_find_site(model->listens.items[0], STR("any"), NULL);
    const struct route *route = route_find(&site->routes, &site->fallback, STR("/socket.io/"), NULL);
    assert_int_equal(route->action, ROUTE_PASS);
    assert_ptr_equal(route->pass->upstream, upstream);
    assert_true(route->policy.forwards);
    assert_int_equal(route->policy.read_timeout_ms, 120000);
    assert_str(route->policy.proxy_headers.items[0].name, STR("Host"));
    reading_fini(&r);
}

static void oneliner_secure(void **state) {
    (void)state;
    static const char *const urls[] = {"https://a", "wss://b:3000/", "HTTPS://[::1]:8443"};
    static const char *const names[] = {"a:443", "b:3000", "[::1]:8443"};
    struct reading r;
    struct model *model = door(&r, "", 3, urls);
    assert_int_equal(r.diagnostics.list.count, 0);
    for (size_t i = 0; i < 3; i++)
        assert_str(model->upstreams.items[0]->servers.items[i].name, str_of(names[i]));
    assert_int_equal(model->secure_routes.count, 1);
    const struct route *route = model->secure_routes.items[0];
    assert_true(route->pass->is_secure && route->policy.tls.sends_name && route->policy.tls.names_servers);
    assert_false(route->policy.tls.verifies);
    reading_fini(&r);
    static const char *const mixed[] = {"https://a", "b:3000"}, *const other[] = {"3001", "wss://b"};
    door(&r, "", 2, mixed);
    says(&r, 0, "\"b:3000\" is without TLS, and the servers before it have it");
    reading_fini(&r);
    door(&r, "", 2, other);
    says(&r, 0, "\"wss://b\" asks for TLS, and the servers before it have none");
    reading_fini(&r);
}

static void oneliner_listens(void **state) {
    (void)state;
    static const char *const urls[] = {"3001"};
    static const char *const rows[][2] = {{":8080", "0.0.0.0:8080"},        {"3000", "0.0.0.0:3000"},
                                          {"127.0.0.1:80", "127.0.0.1:80"}, {"[::]:80", "[::]:80"},
                                          {"unix:/run/x", "unix:/run/x"},   {"*:81", "0.0.0.0:81"},
                                          {"127.0.0.1", "127.0.0.1:8080"},  {"localhost:1", "127.0.0.1:1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading r;
        door(&r, rows[i][0], 1, urls);
        assert_int_equal(r.diagnostics.errors, 0);
        assert_str(r.model->listens.items[0]->text, str_of(rows[i][1]));
        assert_int_equal(r.model->sites.items[0]->fallback.policy.client_max_body_bytes, 0);
        reading_fini(&r);
    }
}

static void oneliner_status(void **state) {
    (void)state;
    const struct str urls[] = {STR("3001")};
    static const char *const rows[][2] = {{"8081", "127.0.0.1:8081"},
                                          {":8081", "127.0.0.1:8081"},
                                          {"0.0.0.0:8081", "0.0.0.0:8081"},
                                          {"unix:/run/x", "unix:/run/x"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading r;
        reading_init(&r);
        r.model = oneliner_read(&(struct oneliner){urls, 1, STR(":8080"), str_of(rows[i][0])}, &r.diagnostics);
        assert_int_equal(r.diagnostics.list.count, 0);
        const struct listen *listen = r.model->listens.items[1];
        assert_str(listen->text, str_of(rows[i][1]));
        const struct site *site = listen_find_site(listen, STR("any"), NULL);
        const struct route *route = route_find(&site->routes, &site->fallback, STR("/metrics"), NULL);
        assert_int_equal(route->action, ROUTE_REPORT);
        assert_int_equal(route->report.kind, REPORT_METRICS);
        assert_int_equal(route_find(&site->routes, &site->fallback, STR("/x"), NULL)->action, ROUTE_FILES);
        reading_fini(&r);
    }
    struct reading r;
    reading_init(&r);
    r.model = oneliner_read(&(struct oneliner){urls, 1, STR(":8081"), STR(":8081")}, &r.diagnostics);
    says(&r, 0, "the status page cannot be on the application's own port 8081");
    reading_fini(&r);
}

static void oneliner_says(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"nope", "\"nope\" needs a port: write it as http://HOST or HOST:PORT"},
        {"https://a/b", "\"https://a/b\" has a path: requests keep their own path"},
        {"http://a/b", "\"http://a/b\" has a path: requests keep their own path"},
        {"http://", "\"http://\" has no host"},
        {"70000", "\"70000\" is no port: it must be from 1 to 65535"},
        {"0", "\"0\" is no port: it must be from 1 to 65535"},
        {"a:b", "\"a:b\" has an invalid port: it must be a number from 1 to 65535"},
        {"", "\"\" has no host"},
        {"unix:", "\"unix:\" has no path"},
        {"ftp://a", "\"ftp://a\" is a URL, where a host and its port alone are wanted"},
        {"http://1.2.3.400", "\"http://1.2.3.400\" is no valid IPv4 address"},
    };
    struct reading r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        door(&r, "", 1, rows[i]);
        assert_int_equal(r.diagnostics.errors, 1);
        says(&r, 0, rows[i][1]);
        reading_fini(&r);
    }
    static const char *const twice[] = {"3001", "127.0.0.1:3001"};
    door(&r, "app:80", 2, twice);
    says(&r, 0, "-l \"app:80\" is no address to listen on, as 127.0.0.1:3000");
    says(&r, 1, "\"127.0.0.1:3001\" is given twice");
    reading_fini(&r);
    door(&r, "", 0, NULL);
    says(&r, 0, "no server is given");
    reading_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(globals_are_verified),
        cmocka_unit_test(absent_file),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(oneliner_without_memory),
        cmocka_unit_test(oneliner_servers),
        cmocka_unit_test(oneliner_secure),
        cmocka_unit_test(oneliner_listens),
        cmocka_unit_test(oneliner_status),
        cmocka_unit_test(oneliner_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
