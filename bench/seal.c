/* seal COMMAND --to 127.0.0.1:PORT --watch PID: loads a proxy with TLS and prints what it cost as one JSON
 * object. Its sockets wait: what is measured is the proxy, and all proxies wait alike. */
#include "frame.h"
#include "report.h"
#include "tool.h"
#include "watch.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
    "seal full|resumed|echo|idle --to 127.0.0.1:PORT --watch PID [options]\n"
    "  full, resumed: handshakes, one after another; echo: WebSocket messages over TLS;\n"
    "  idle: tunnels that have had one message";

static const char *to, *path = "/";
static unsigned long watched, conns = 100, size = 64, messages = 10000, warm, sources = 1, seconds = 300;
static const struct tool_option rows[] = {
    {"to", TOOL_TEXT, &to, 0, 0, "the proxy"},
    {"watch", TOOL_NUMBER, &watched, 1, 1ul << 30, "its process"},
    {"conns", TOOL_NUMBER, &conns, 1, 100000, "connections"},
    {"size", TOOL_NUMBER, &size, 1, 16384, "bytes a message"},
    {"messages", TOOL_NUMBER, &messages, 1, 1ul << 30, "messages or handshakes"},
    {"warm", TOOL_NUMBER, &warm, 0, 1ul << 30, "as many before, unmeasured"},
    {"sources", TOOL_NUMBER, &sources, 1, 100, "addresses to come from"},
    {"path", TOOL_TEXT, &path, 0, 0, "what is asked for"},
    {"seconds", TOOL_NUMBER, &seconds, 1, 3600, "ends by itself"},
};

static struct sockaddr_in proxy;
static SSL_CTX *context;
static SSL_SESSION *kept; /* of the handshake before */
static struct histogram latency;

static int session_keep(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static SSL *connection_open(unsigned source, SSL_SESSION *session) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {10, 0};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source)};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (struct sockaddr *)&proxy, sizeof proxy) < 0)
        tool_fail("cannot connect");
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (session)
        SSL_set_session(ssl, session);
    if (SSL_connect(ssl) != 1)
        tool_fail("the handshake failed");
    return ssl;
}

static void connection_close(SSL *ssl) {
    int fd = SSL_get_fd(ssl);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
}

/* A request and its answer, behind which a ticket has come too. */
static void request_make(SSL *ssl) {
    char text[4096];
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (SSL_write(ssl, text, len) != len || SSL_read(ssl, text, sizeof text) <= 0)
        tool_fail("no answer");
}

static void handshakes_make(bool is_resumed, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) {
        uint64_t began = tool_now_ns();
        SSL_SESSION *session = is_resumed && kept ? SSL_SESSION_dup(kept) : NULL;
        SSL *ssl = connection_open((unsigned)(i % sources), session);
        SSL_SESSION_free(session);
        histogram_add(&latency, tool_now_ns() - began);
        if (is_resumed && !kept)
            request_make(ssl);
        if (is_resumed && session && !SSL_session_reused(ssl))
            tool_fail("the session was not resumed");
        connection_close(ssl);
    }
}

static void run_handshakes(bool is_resumed) {
    handshakes_make(is_resumed, warm + 1);
    histogram_reset(&latency);
    uint64_t began = tool_now_ns(), cpu = watch_cpu_ns((pid_t)watched);
    handshakes_make(is_resumed, messages);
    uint64_t spent = watch_cpu_ns((pid_t)watched) - cpu, took = tool_now_ns() - began;
    report_open();
    report_count("messages", messages);
    report_number("seconds", (double)took / 1e9);
    report_number("cpu_us", (double)spent / 1e3 / (double)messages);
    report_number("rate", 1e9 * (double)messages / (double)spent);
    report_latency("", &latency);
    report_close();
}

/* ---- WebSocket ---- */

static SSL *tunnel_open(unsigned i) {
    char text[4096];
    SSL *ssl = connection_open(i % (unsigned)sources, NULL);
    int len = snprintf(text, sizeof text,
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                       path);
    if (SSL_write(ssl, text, len) != len || (len = SSL_read(ssl, text, sizeof text)) < 12 ||
        memcmp(text + 9, "101", 3) != 0)
        tool_fail("no tunnel");
    return ssl;
}

static void message_send(SSL *ssl) {
    static uint8_t frame[FRAME_HEAD_MAX + 16384];
    size_t head = frame_head(frame, 0x80 | FRAME_BINARY, size, true, 0);
    if (SSL_write(ssl, frame, (int)(head + size)) <= 0)
        tool_fail("a message cannot be sent");
}

static void message_take(SSL *ssl) {
    static uint8_t frame[FRAME_HEAD_MAX + 16384];
    struct frame read;
    for (size_t len = 0; !frame_read(frame, len, &read) || len < read.head + read.payload;) {
        int got = SSL_read(ssl, frame + len, (int)(sizeof frame - len));
        if (got <= 0)
            tool_fail("a message does not come back");
        len += (size_t)got;
    }
}

static void rounds_run(SSL **tunnels, unsigned long count) {
    for (unsigned long done = 0; done < count; done += conns) {
        uint64_t began = tool_now_ns();
        for (unsigned long i = 0; i < conns; i++)
            message_send(tunnels[i]);
        for (unsigned long i = 0; i < conns; i++) {
            message_take(tunnels[i]);
            histogram_add(&latency, tool_now_ns() - began);
        }
    }
}

static void run_echo(void) {
    SSL **tunnels = tool_alloc(conns, sizeof *tunnels);
    for (unsigned long i = 0; i < conns; i++)
        tunnels[i] = tunnel_open((unsigned)i);
    rounds_run(tunnels, warm + conns);
    histogram_reset(&latency);
    unsigned long rounded = (messages + conns - 1) / conns * conns;
    uint64_t cpu = watch_cpu_ns((pid_t)watched);
    rounds_run(tunnels, rounded);
    uint64_t spent = watch_cpu_ns((pid_t)watched) - cpu;
    report_open();
    report_count("messages", rounded);
    report_number("cpu_us", (double)spent / 1e3 / (double)rounded);
    report_latency("", &latency);
    report_close();
}

static uint64_t settled_pss(void) {
    tool_sleep_ms(1500);
    return watch_pss((pid_t)watched);
}

static void run_idle(void) {
    SSL *first = tunnel_open(0);
    message_send(first);
    message_take(first);
    uint64_t before = settled_pss();
    for (unsigned i = 0; i < conns; i++) {
        SSL *ssl = tunnel_open(i);
        message_send(ssl);
        message_take(ssl);
        SSL_set_quiet_shutdown(ssl, 1);
        SSL_free(ssl); /* the socket stays open */
    }
    uint64_t after = settled_pss();
    report_open();
    report_count("tunnels", conns);
    report_count("pss_before", before);
    report_count("pss_after", after);
    report_number("pss_each", ((double)after - (double)before) / (double)conns);
    report_close();
}

int main(int argc, char **argv) {
    tool_begin("seal");
    if (argc < 2 || *argv[1] == '-')
        tool_options(argc - 1, argv + 1, rows, sizeof rows / sizeof *rows, usage);
    else
        tool_options(argc - 2, argv + 2, rows, sizeof rows / sizeof *rows, usage);
    if (argc < 2 || !to)
        tool_fail("a command and --to 127.0.0.1:PORT are wanted; --help lists them");
    tool_life(seconds);
    tool_fd_limit();
    proxy = tool_address(to);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, session_keep);
    if (!strcmp(argv[1], "echo"))
        run_echo();
    else if (!strcmp(argv[1], "idle"))
        run_idle();
    else
        run_handshakes(!strcmp(argv[1], "resumed"));
    return 0;
}
