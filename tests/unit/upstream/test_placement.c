/* Places requests side by side with nginx, where it is installed: the same upstreams, the same clients in the
 * same order, and each request must try the same servers in the same order. nginx runs on a folder of its own,
 * takes the clients' addresses from a field (realip) on a unix socket, and says by $upstream_addr whom it
 * tried. */

#include "fixture.h"

#include "net/why.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORTS = 5, CLIENTS = 2000, BATCH = 40, TEXT_MAX = 256 };

/* Where a server of a scene is. */
enum where {
    PORT_0,
    PORT_1,
    PORT_2,
    PORT_3,
    PORT_4, /* of nginx on 127.0.0.1 */
    NAME_0,
    NAME_1, /* "localhost" with the same ports: one address or two */
    UNIX,
    CLOSED,  /* a port that refuses */
    NO_PORT, /* only for servers marked down */
};

struct scene_server {
    enum where where;
    unsigned weight, max_fails;
    bool is_down, is_backup;
};

struct scene {
    const char *name, *method;
    enum balance balance;
    unsigned clients;
    struct scene_server servers[8]; /* up to the first of weight 0 */
};

#define HASH "hash $remote_addr;"
#define RING "hash $remote_addr consistent;"
static const struct scene scenes[] = {
    {"hash", HASH, BALANCE_HASH, CLIENTS, {{PORT_0, 1, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"hash-mixed",
     HASH,
     BALANCE_HASH,
     CLIENTS,
     {{PORT_0, 1, 1, 0, 0},
      {PORT_1, 5, 1, 0, 0},
      {UNIX, 3, 1, 0, 0},
      {PORT_2, 2, 1, true, 0},
      {PORT_3, 2, 1, 0, 0}}},
    {"hash-dead",
     HASH,
     BALANCE_HASH,
     300,
     {{CLOSED, 3, 2, 0, 0}, {PORT_0, 2, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"ring",
     RING,
     BALANCE_HASH_CONSISTENT,
     CLIENTS,
     {{PORT_0, 1, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"ring-mixed",
     RING,
     BALANCE_HASH_CONSISTENT,
     CLIENTS,
     {{PORT_0, 1, 1, 0, 0},
      {PORT_1, 5, 1, 0, 0},
      {UNIX, 3, 1, 0, 0},
      {NO_PORT, 2, 1, true, 0},
      {PORT_3, 2, 1, 0, 0}}},
    {"ring-names",
     RING,
     BALANCE_HASH_CONSISTENT,
     CLIENTS,
     {{NAME_0, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}, {NAME_1, 2, 1, 0, 0}, {PORT_2, 3, 1, 0, 0}}},
    {"ring-dead",
     RING,
     BALANCE_HASH_CONSISTENT,
     300,
     {{CLOSED, 3, 2, 0, 0}, {PORT_0, 2, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"ip",
     "ip_hash;",
     BALANCE_IP_HASH,
     CLIENTS,
     {{PORT_0, 1, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"ip-mixed",
     "ip_hash;",
     BALANCE_IP_HASH,
     CLIENTS,
     {{PORT_0, 1, 1, 0, 0},
      {PORT_1, 5, 1, 0, 0},
      {UNIX, 3, 1, 0, 0},
      {PORT_2, 2, 1, true, 0},
      {NAME_0, 2, 1, 0, 0}}},
    {"ip-dead",
     "ip_hash;",
     BALANCE_IP_HASH,
     300,
     {{CLOSED, 3, 2, 0, 0}, {PORT_0, 2, 1, 0, 0}, {PORT_1, 1, 1, 0, 0}, {PORT_2, 1, 1, 0, 0}}},
    {"round",
     "",
     BALANCE_ROUND_ROBIN,
     100,
     {{PORT_0, 5, 1, 0, 0},
      {PORT_1, 1, 1, 0, 0},
      {NAME_1, 3, 1, 0, 0},
      {PORT_2, 1, 1, true, 0},
      {PORT_3, 1, 1, 0, true}}},
    {"round-dead",
     "",
     BALANCE_ROUND_ROBIN,
     100,
     {{PORT_0, 5, 1, 0, 0}, {CLOSED, 9, 4, 0, 0}, {PORT_2, 3, 1, 0, 0}}},
    {"round-backup",
     "",
     BALANCE_ROUND_ROBIN,
     100,
     {{CLOSED, 7, 3, 0, 0}, {PORT_2, 2, 1, 0, true}, {PORT_3, 1, 1, 0, true}}},
    {"least-dead",
     "least_conn;",
     BALANCE_LEAST_CONN,
     100,
     {{PORT_0, 5, 1, 0, 0}, {CLOSED, 9, 4, 0, 0}, {PORT_2, 3, 1, 0, 0}, {PORT_3, 1, 1, 0, true}}},
};
enum { SCENES = sizeof scenes / sizeof *scenes };

static struct {
    char folder[64];
    uint16_t ports[PORTS];
    uint16_t closed_port;
    int closed_fd;
    bool has_v6;
    pid_t pid;
    int fd; /* to nginx */
    char clients[CLIENTS][INET6_ADDRSTRLEN];
    char answers[CLIENTS][TEXT_MAX];
} test;

/* ---- nginx ---- */

/* A port that is free now on the address, bound; *fd is the socket. Port 0: any. */
static uint16_t port_bind(int family, uint16_t port, int *fd) {
    struct address address;
    socklen_t len = sizeof address.v6;
    assert_true(address_parse(family == AF_INET ? STR("127.0.0.1") : STR("::1"), port, &address));
    *fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return 0;
    if (bind(*fd, &address.any, address.len) < 0 || getsockname(*fd, &address.any, &len) < 0) {
        close(*fd);
        return 0;
    }
    return address_port(&address);
}

static void ports_find(void) {
    int fds[PORTS], v6;
    for (int i = 0; i < PORTS; i++)
        assert_int_not_equal(test.ports[i] = port_bind(AF_INET, 0, &fds[i]), 0);
    test.has_v6 = true;
    for (int i = 0; i < 2 && test.has_v6; i++) {
        test.has_v6 = port_bind(AF_INET6, test.ports[i], &v6) != 0;
        if (test.has_v6)
            close(v6);
    }
    for (int i = 0; i < PORTS; i++)
        close(fds[i]);
}

static void server_text(const struct scene_server *server, char text[TEXT_MAX]) {
    if (server->where <= PORT_4)
        snprintf(text, TEXT_MAX, "127.0.0.1:%u", test.ports[server->where]);
    else if (server->where <= NAME_1)
        snprintf(text, TEXT_MAX, "localhost:%u", test.ports[server->where - NAME_0]);
    else if (server->where == UNIX)
        snprintf(text, TEXT_MAX, "unix:%s/back", test.folder);
    else if (server->where == CLOSED)
        snprintf(text, TEXT_MAX, "127.0.0.1:%u", test.closed_port);
    else
        snprintf(text, TEXT_MAX, "127.0.0.9");
}

static void scene_write(FILE *file, const struct scene *scene) {
    fprintf(file, "upstream %s { %s\n", scene->name, scene->method);
    for (const struct scene_server *server = scene->servers; server->weight; server++) {
        char text[TEXT_MAX];
        server_text(server, text);
        fprintf(file, " server %s weight=%u max_fails=%u fail_timeout=1h %s %s;\n", text, server->weight,
                server->max_fails, server->is_down ? "down" : "", server->is_backup ? "backup" : "");
    }
    fprintf(file, "}\n");
}

static void configuration_write(void) {
    static const char *const kinds[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    char path[TEXT_MAX];
    snprintf(path, sizeof path, "%s/nginx.conf", test.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "daemon off; master_process off; pid %s/pid; error_log %s/error.log;\n", test.folder,
            test.folder);
    fprintf(file, "events { worker_connections 512; }\nhttp { access_log off; keepalive_requests 1000000;\n");
    for (int i = 0; i < 5; i++)
        fprintf(file, "%s_temp_path %s/%s;\n", kinds[i], test.folder, kinds[i]);
    for (int i = 0; i < SCENES; i++)
        scene_write(file, &scenes[i]);
    fprintf(file, "server { listen unix:%s/front; set_real_ip_from unix:; real_ip_header X-Real-IP;\n",
            test.folder);
    fprintf(file, "add_header X-To $upstream_addr always;\n");
    for (int i = 0; i < SCENES; i++)
        fprintf(file, "location = /%s { proxy_pass http://%s; }\n", scenes[i].name, scenes[i].name);
    fprintf(file, "}\nserver { listen unix:%s/back;\n", test.folder);
    for (int i = 0; i < PORTS; i++)
        fprintf(file, "listen 127.0.0.1:%u;\n", test.ports[i]);
    for (int i = 0; i < 2 && test.has_v6; i++)
        fprintf(file, "listen [::1]:%u;\n", test.ports[i]);
    fprintf(file, "return 200 ok; } }\n");
    assert_int_equal(fclose(file), 0);
}

static int front_connect(void) {
    char path[TEXT_MAX];
    struct address address;
    snprintf(path, sizeof path, "%s/front", test.folder);
    assert_true(address_unix(str_of(path), &address));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, &address.any, address.len) == 0)
        return fd;
    close(fd);
    return -1;
}

/* False when nginx ended, as it does when a port was taken meanwhile. */
static bool nginx_start(void) {
    char path[TEXT_MAX];
    ports_find();
    configuration_write();
    snprintf(path, sizeof path, "%s/nginx.conf", test.folder);
    test.pid = fork();
    assert_true(test.pid >= 0);
    if (test.pid == 0) {
        execlp("nginx", "nginx", "-p", test.folder, "-e", "stderr", "-c", path, (char *)NULL);
        _exit(127);
    }
    while ((test.fd = front_connect()) < 0) {
        int status;
        if (waitpid(test.pid, &status, WNOHANG) == test.pid) {
            test.pid = 0;
            return false;
        }
        usleep(10000);
    }
    return true;
}

static int nginx_stop(void **state) {
    (void)state;
    char command[TEXT_MAX];
    if (!test.folder[0])
        return 0;
    if (test.pid > 0) {
        kill(test.pid, SIGTERM);
        waitpid(test.pid, NULL, 0);
    }
    snprintf(command, sizeof command, "rm -r '%s'", test.folder);
    return system(command);
}

/* Addresses of all kinds, the same in every run: IPv4 and IPv6 by turns. */
static void clients_make(void) {
    uint64_t seed = 1;
    for (unsigned i = 0; i < CLIENTS; i++) {
        unsigned char bytes[16];
        for (size_t j = 0; j < sizeof bytes; j++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[j] = (unsigned char)(seed >> 56);
        }
        bytes[0] = i % 2 ? 0x20 : bytes[0] % 223 + 1;
        assert_non_null(inet_ntop(i % 2 ? AF_INET6 : AF_INET, bytes, test.clients[i], INET6_ADDRSTRLEN));
    }
}

/* ---- what nginx says ---- */

static size_t answers_take(char *text, unsigned *answered) {
    char *at = text, *field, *end;
    while ((field = strstr(at, "X-To: ")) && (end = strstr(field, "\r\n"))) {
        *end = '\0';
        snprintf(test.answers[(*answered)++], TEXT_MAX, "%s", field + 6);
        at = end + 1;
    }
    return (size_t)(at - text);
}

/* All requests of a scene, pipelined by batches, the answers in test.answers. */
static void nginx_ask(const struct scene *scene) {
    static char text[BATCH * 1024];
    unsigned answered = 0;
    size_t filled = 0;
    for (unsigned asked = 0; asked < scene->clients;) {
        size_t len = 0;
        for (unsigned last = asked + BATCH; asked < last && asked < scene->clients; asked++)
            len += (size_t)snprintf(text + len, sizeof text - len,
                                    "GET /%s HTTP/1.1\r\nHost: x\r\nX-Real-IP: %s\r\n\r\n", scene->name,
                                    test.clients[asked]);
        assert_int_equal(write(test.fd, text, len), len);
        for (filled = 0; answered < asked;) {
            ssize_t got = read(test.fd, text + filled, sizeof text - 1 - filled);
            assert_true(got > 0);
            filled += (size_t)got;
            text[filled] = '\0';
            size_t used = answers_take(text, &answered);
            memmove(text, text + used, filled - used + 1);
            filled -= used;
        }
    }
}

/* ---- what hawser says ---- */

static void servers_make(struct fixture *f, const struct scene *scene) {
    fixture_init(f, scene->balance);
    for (const struct scene_server *from = scene->servers; from->weight; from++) {
        struct upstream_server *server = fixture_server(f, from->weight);
        char text[TEXT_MAX];
        server_text(from, text);
        server->name = arena_copy(&f->arena, str_of(text));
        server->is_unix = from->where == UNIX;
        size_t colon = str_find_char(server->name, ':');
        server->host = server->is_unix ? str_from(server->name, 5) : str_head(server->name, colon);
        uint64_t port = 80;
        if (!server->is_unix && colon != STR_NONE)
            assert_true(str_to_u64(str_from(server->name, colon + 1), &port));
        server->port = (uint16_t)port;
        server->max_fails = from->max_fails;
        server->fail_timeout_ms = 3600000;
        server->is_down = from->is_down;
        server->is_backup = from->is_backup;
    }
    fixture_begin(f, 1);
}

/* Tries members until one answers; the text is $upstream_addr's. */
static struct str tries_of(struct fixture *f, const char *client, char memory[TEXT_MAX]) {
    uint64_t now_ms = 5000000;
    struct builder text = builder_make(memory, TEXT_MAX);
    struct address address;
    struct pick pick = {.key = str_of(client), .client = &address};
    assert_true(address_parse(pick.key, 0, &address));
    for (;;) {
        struct member *member = group_pick(f->group, &pick, now_ms);
        assert_non_null(member);
        if (text.len)
            builder_str(&text, STR(", "));
        builder_str(&text, str_of(member->peer->name));
        if (address_port(&member->peer->address) != test.closed_port) {
            member_succeed(member, now_ms);
            return builder_view(&text);
        }
        member_fail(f->group, member, WHY_CONNECT_REFUSED, now_ms);
    }
}

static void test_scene(void **state) {
    const struct scene *scene = *state;
    if (test.pid <= 0)
        skip();
    struct fixture f;
    servers_make(&f, scene);
    nginx_ask(scene);
    unsigned wrong = 0;
    for (unsigned i = 0; i < scene->clients; i++) {
        char memory[TEXT_MAX];
        struct str tries = tries_of(&f, test.clients[i], memory);
        if (str_eq(tries, str_of(test.answers[i])))
            continue;
        if (wrong++ < 5)
            print_error("%s, request %u, %s: nginx %s, hawser %.*s\n", scene->name, i, test.clients[i],
                        test.answers[i], STR_ARG(tries));
    }
    fixture_fini(&f);
    assert_int_equal(wrong, 0);
}

static int nginx_begin(void **state) {
    (void)state;
    if (system("command -v nginx >/dev/null")) {
        print_message("nginx is not installed: nothing to compare with\n");
        return 0;
    }
    snprintf(test.folder, sizeof test.folder, "/tmp/hawser-placement-XXXXXX");
    assert_non_null(mkdtemp(test.folder));
    clients_make();
    test.closed_port = port_bind(AF_INET, 0, &test.closed_fd);
    assert_int_not_equal(test.closed_port, 0);
    for (int i = 0; i < 5; i++)
        if (nginx_start())
            return 0;
    return -1;
}

int main(void) {
    struct CMUnitTest tests[SCENES];
    for (int i = 0; i < SCENES; i++) {
        struct scene *scene = (struct scene *)(uintptr_t)&scenes[i];
        tests[i] = (struct CMUnitTest){scenes[i].name, test_scene, NULL, NULL, scene};
    }
    return _cmocka_run_group_tests("placement", tests, SCENES, nginx_begin, nginx_stop);
}
