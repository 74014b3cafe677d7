#include "scene.h"

#include <stdio.h>

enum { PATIENCE_MS = 10000, PEERS_MAX = 64, TEXT_MAX = 4096 };

static struct {
    struct scene_peer *clients[PEERS_MAX];
    unsigned client_count;
    struct scene_peer *backends[CROWD_NODES][PEERS_MAX];
    unsigned backend_count[CROWD_NODES], backend_taken[CROWD_NODES];
    struct service *services[CROWD_NODES];
    const char *http_text, *server_text, *upstream_text;
    bool is_stream;
    unsigned nodes;
    struct plain_head head;
    char head_bytes[32768], field[1024];
} scene;

static void noted(struct wire *wire) {
    ((struct scene_peer *)wire->owner)->has_news = true;
}

static struct scene_peer *peer_new(void) {
    struct scene_peer *peer = world_alloc(sizeof *peer);
    peer->wire.news = noted;
    peer->wire.owner = peer;
    return peer;
}

static void accepted(struct service *service, struct end *end) {
    unsigned node = (unsigned)(uintptr_t)service->actor;
    struct scene_peer *peer = peer_new();
    wire_accept(&peer->wire, end);
    assert_true(scene.backend_count[node] < PEERS_MAX);
    scene.backends[node][scene.backend_count[node]++] = peer;
}

static void stream_build(struct setting *setting) {
    struct builder out = builder_make(setting->text, sizeof setting->text);
    builder_format(&out,
                   "events {}\nstream {\n%s\nlimit_conn_zone $binary_remote_addr zone=one:64k;\n"
                   "proxy_connect_timeout %ds;\nproxy_timeout %ds;\npreread_timeout %ds;\nupstream nodes {\n",
                   scene.http_text, SCENE_CONNECT_S, SCENE_READ_S, SCENE_BODY_S);
    for (unsigned i = 1; i <= scene.nodes; i++)
        builder_format(&out, "server app%u:3000;\n", i);
    builder_format(&out, "}\nserver {\nlisten 8080;\n%s\nproxy_pass nodes;\n}\n}\n", scene.server_text);
    setting->text_len = out.len;
}

static void configuration_build(struct setting *setting) {
    struct builder out = builder_make(setting->text, sizeof setting->text);
    if (scene.is_stream) {
        stream_build(setting);
        return;
    }
    builder_format(&out,
                   "events {}\nhttp {\naccess_log off;\nproxy_request_buffering off;\nproxy_buffering "
                   "off;\n%s\nupstream nodes {\nsticky sid;\n%s\n",
                   scene.http_text, scene.upstream_text);
    for (unsigned i = 1; i <= scene.nodes; i++)
        builder_format(&out, "server app%u:3000;\n", i);
    builder_format(&out,
                   "keepalive_timeout %ds;\n}\nserver {\nlisten 8080;\nproxy_connect_timeout %ds;\n"
                   "proxy_read_timeout %ds;\nproxy_send_timeout %ds;\nclient_header_timeout %ds;\n"
                   "client_body_timeout %ds;\nsend_timeout %ds;\nkeepalive_timeout %ds;\n%s\n"
                   "location = /return { return 200 \"hello\"; }\nlocation /files/ { root /srv; }\n"
                   "location / { proxy_pass http://nodes; }\n}\n}\n",
                   SCENE_BACK_IDLE_S, SCENE_CONNECT_S, SCENE_READ_S, SCENE_SEND_S, SCENE_HEAD_S, SCENE_BODY_S,
                   SCENE_CLIENT_SEND_S, SCENE_KEEPALIVE_S, scene.server_text);
    setting->text_len = out.len;
}

static void setting_choose(struct setting *setting) {
    memset(setting, 0, sizeof *setting);
    setting->weather = world.weather;
    setting->weather.latency_us = 1000;
    setting->profile = (struct profile){.is_calm = true, .has_sticky = true};
    configuration_build(setting);
}

static void begin(unsigned nodes, bool is_stream, const char *http_text, const char *server_text,
                  const char *upstream_text) {
    if (stage.is_running) /* the scene before has failed */
        stage_close();
    memset(&scene, 0, sizeof scene);
    scene.nodes = nodes;
    scene.is_stream = is_stream;
    scene.http_text = http_text;
    scene.server_text = server_text;
    scene.upstream_text = upstream_text;
    if (!stage_open(1, setting_choose))
        fail_msg("%s", world.failure);
    for (unsigned i = 0; i < nodes; i++) {
        struct address address = net_address(10, 1, 0, i + 1, 3000);
        scene.services[i] = net_serve(&address, accepted, (void *)(uintptr_t)i);
    }
}

void scene_begin_with(unsigned nodes, const char *server_text, const char *upstream_text) {
    begin(nodes, false, "", server_text, upstream_text);
}

void scene_begin_within(unsigned nodes, const char *http_text, const char *server_text) {
    begin(nodes, false, http_text, server_text, "");
}

void scene_begin_stream(unsigned nodes, const char *server_text) {
    begin(nodes, true, "", server_text, "");
}

void scene_begin_stream_within(unsigned nodes, const char *stream_text, const char *server_text) {
    begin(nodes, true, stream_text, server_text, "");
}

void scene_begin(unsigned nodes) {
    begin(nodes, false, "", "", "");
}

static bool is_gone(void) {
    struct subject_counts counts = subject_count();
    return counts.fronts + counts.exchanges + counts.tunnels + counts.idle_backs == 0;
}

void scene_end(void) {
    for (unsigned i = 0; i < scene.client_count; i++)
        wire_close(&scene.clients[i]->wire);
    for (unsigned i = 0; i < scene.nodes; i++)
        for (unsigned k = 0; k < scene.backend_count[i]; k++)
            wire_close(&scene.backends[i][k]->wire);
    bool is_empty = stage_until(is_gone, 60000);
    stage_close();
    if (world_has_failed()) {
        world_print_trace(40);
        fail_msg("%s", world.failure);
    }
    assert_true(is_empty);
}

/* Turns until the condition holds. */
static bool comes(bool (*is_so)(const void *context), const void *context, uint64_t within_ms) {
    uint64_t until = world_ms() + within_ms;
    while (!is_so(context)) {
        uint64_t now = world_ms();
        if (now >= until)
            return false;
        if (!stage_turn(until - now < 5 ? until - now : 5)) {
            world_print_trace(40);
            fail_msg("%s", world.failure);
        }
    }
    return true;
}

static bool is_never(const void *context) {
    (void)context;
    return false;
}

void scene_wait_ms(uint64_t ms) {
    comes(is_never, NULL, ms);
}

struct scene_peer *scene_client(void) {
    struct scene_peer *peer = peer_new();
    struct address from = net_address(10, 9, 0, 1, 40000 + scene.client_count);
    wire_dial(&peer->wire, &from, &crowd.front);
    assert_true(scene.client_count < PEERS_MAX);
    scene.clients[scene.client_count++] = peer;
    return peer;
}

static bool has_backend(const void *context) {
    unsigned node = *(const unsigned *)context;
    return scene.backend_count[node] > scene.backend_taken[node];
}

struct scene_peer *scene_backend(unsigned node) {
    unsigned index = node - 1;
    if (!comes(has_backend, &index, PATIENCE_MS)) {
        world_print_trace(40);
        fail_msg("no connection comes to node %u", node);
    }
    return scene.backends[index][scene.backend_taken[index]++];
}

void scene_expect_no_backend(unsigned node) {
    unsigned index = node - 1;
    assert_false(comes(has_backend, &index, 1000));
}

void scene_node(unsigned node, enum service_mode mode) {
    scene.services[node - 1]->mode = mode;
}

void scene_send_bytes(struct scene_peer *peer, const char *bytes, size_t len) {
    wire_put(&peer->wire, bytes, len);
}

void scene_send(struct scene_peer *peer, const char *format, ...) {
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof text);
    wire_put(&peer->wire, text, (size_t)len);
}

void scene_finish(struct scene_peer *peer) {
    wire_finish(&peer->wire);
}

void scene_close(struct scene_peer *peer) {
    wire_close(&peer->wire);
}

void scene_reset(struct scene_peer *peer) {
    wire_reset(&peer->wire);
}

struct wanted {
    const struct scene_peer *peer;
    size_t count;
};

static bool has_bytes(const void *context) {
    const struct wanted *wanted = context;
    return wire_view(&wanted->peer->wire).len >= wanted->count;
}

static void bytes_wait(struct scene_peer *peer, size_t count) {
    struct wanted wanted = {peer, count};
    if (comes(has_bytes, &wanted, PATIENCE_MS))
        return;
    struct str view = wire_view(&peer->wire);
    world_print_trace(40);
    fail_msg("%zu bytes were expected, these are there: %.*s", count, STR_ARG(view));
}

void scene_expect(struct scene_peer *peer, const char *text) {
    size_t len = strlen(text);
    bytes_wait(peer, len);
    struct str view = wire_view(&peer->wire);
    if (memcmp(view.ptr, text, len) != 0)
        fail_msg("\"%s\" was expected, this came: %.*s", text, STR_ARG(view));
    wire_eat(&peer->wire, len);
}

void scene_expect_bytes(struct scene_peer *peer, size_t count) {
    bytes_wait(peer, count);
    wire_eat(&peer->wire, count);
}

void scene_expect_nothing(struct scene_peer *peer, uint64_t ms) {
    struct wanted wanted = {peer, 1};
    if (comes(has_bytes, &wanted, ms)) {
        struct str view = wire_view(&peer->wire);
        fail_msg("nothing was expected, this came: %.*s", STR_ARG(view));
    }
    assert_false(peer->wire.has_end || peer->wire.is_broken);
}

static bool has_end(const void *context) {
    const struct scene_peer *peer = context;
    return peer->wire.has_end || peer->wire.is_broken;
}

void scene_expect_end_between(struct scene_peer *peer, double from_s, double to_s) {
    uint64_t began = world_ms();
    if (!comes(has_end, peer, (uint64_t)(to_s * 1000))) {
        world_print_trace(40);
        fail_msg("no end within %.1f s", to_s);
    }
    struct str view = wire_view(&peer->wire);
    if (view.len)
        fail_msg("an end was expected, before it came: %.*s", STR_ARG(view));
    double passed = (double)(world_ms() - began) / 1000;
    if (passed < from_s)
        fail_msg("the end came after %.3f s, not before %.1f s was expected", passed, from_s);
}

void scene_expect_end(struct scene_peer *peer) {
    scene_expect_end_between(peer, 0, PATIENCE_MS / 1000.0);
}

static bool has_head(const void *context) {
    const struct scene_peer *peer = context;
    return str_find(wire_view(&peer->wire), STR("\r\n\r\n")) != STR_NONE || has_end(peer);
}

/* The head's bytes move to where scene_field finds them. */
static struct str head_take(struct scene_peer *peer, double within_s) {
    if (!comes(has_head, peer, (uint64_t)(within_s * 1000))) {
        world_print_trace(40);
        fail_msg("no head within %.1f s", within_s);
    }
    struct str view = wire_view(&peer->wire);
    size_t end = str_find(view, STR("\r\n\r\n"));
    if (end == STR_NONE)
        fail_msg("the connection ended before a head: %.*s", STR_ARG(view));
    assert_true(end + 4 < sizeof scene.head_bytes);
    memcpy(scene.head_bytes, view.ptr, end + 4);
    wire_eat(&peer->wire, end + 4);
    return str_make(scene.head_bytes, end + 4);
}

void scene_expect_request(struct scene_peer *peer, const char *method, const char *target) {
    struct str bytes = head_take(peer, PATIENCE_MS / 1000.0);
    if (plain_request_read(&scene.head, bytes) != PLAIN_DONE)
        fail_msg("no request (%s): %.*s", scene.head.reason, STR_ARG(bytes));
    if (!str_eq(scene.head.method, str_of(method)) || !str_eq(scene.head.target, str_of(target)))
        fail_msg("%s %s was expected, this came: %.*s", method, target, STR_ARG(bytes));
}

void scene_expect_answer_between(struct scene_peer *peer, unsigned status, double from_s, double to_s) {
    uint64_t began = world_ms();
    struct str bytes = head_take(peer, to_s);
    if (plain_answer_read(&scene.head, bytes) != PLAIN_DONE || scene.head.status != status)
        fail_msg("%u was expected, this came: %.*s", status, STR_ARG(bytes));
    double passed = (double)(world_ms() - began) / 1000;
    if (passed < from_s)
        fail_msg("the answer came after %.3f s, not before %.1f s was expected", passed, from_s);
}

void scene_expect_answer(struct scene_peer *peer, unsigned status) {
    scene_expect_answer_between(peer, status, 0, PATIENCE_MS / 1000.0);
}

void scene_expect_answer_with(struct scene_peer *peer, unsigned status, const char *text) {
    scene_expect_answer(peer, status);
    scene_expect(peer, text);
}

void scene_expect_whole_answer(struct scene_peer *peer, unsigned status) {
    scene_expect_answer(peer, status);
    uint64_t len = 0;
    assert_true(str_to_u64(str_of(scene_field("content-length")), &len));
    scene_expect_bytes(peer, (size_t)len);
}

const char *scene_field(const char *name) {
    struct str value = plain_field(&scene.head, name);
    size_t len = value.len < sizeof scene.field - 1 ? value.len : sizeof scene.field - 1;
    if (len)
        memcpy(scene.field, value.ptr, len);
    scene.field[len] = 0;
    return scene.field;
}

static bool is_in_state(const void *name) {
    return strcmp(subject_state(), name) == 0;
}

void scene_expect_state(const char *name) {
    if (!comes(is_in_state, name, PATIENCE_MS))
        fail_msg("state %s was expected, it is %s", name, subject_state());
}

void scene_expect_counts(size_t fronts, size_t tunnels, size_t idle_backs) {
    scene_wait_ms(50);
    struct subject_counts counts = subject_count();
    assert_int_equal(counts.fronts, fronts);
    assert_int_equal(counts.tunnels, tunnels);
    assert_int_equal(counts.idle_backs, idle_backs);
}

struct scene_peer *scene_ask(const char *request) {
    struct scene_peer *client = scene_client();
    scene_send(client, "%s", request);
    return client;
}

struct scene_peer *scene_asked(unsigned node, const char *method, const char *target) {
    struct scene_peer *backend = scene_backend(node);
    scene_expect_request(backend, method, target);
    return backend;
}

void scene_answer_ok(struct scene_peer *backend, struct scene_peer *client) {
    scene_send(backend, SCENE_OK);
    scene_expect_answer_with(client, 200, "ok");
}

void scene_tunnel(struct scene_peer **client, struct scene_peer **backend) {
    *client = scene_ask(SCENE_HANDSHAKE);
    *backend = scene_asked(1, "GET", "/chat");
    scene_send(*backend, SCENE_SWITCH);
    scene_expect_answer(*client, 101);
}

void scene_begin_get(struct scene_peer **client, struct scene_peer **backend) {
    scene_begin(1);
    *client = scene_ask(SCENE_GET);
    *backend = scene_asked(1, "GET", "/");
}

void scene_begin_tunnel(struct scene_peer **client, struct scene_peer **backend) {
    scene_begin(1);
    scene_tunnel(client, backend);
}
