#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *program = "bench";

void tool_begin(const char *name) {
    program = name;
    signal(SIGPIPE, SIG_IGN);
}

_Noreturn void tool_fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static _Noreturn void help(const struct tool_option *rows, size_t count, const char *usage) {
    fputs(usage, stdout);
    for (size_t i = 0; i < count; i++) {
        char label[48], preset[32] = "";
        snprintf(label, sizeof label, "--%s %s", rows[i].name, rows[i].kind == TOOL_NUMBER ? "N" : "TEXT");
        if (rows[i].kind == TOOL_NUMBER)
            snprintf(preset, sizeof preset, " (%lu)", *(unsigned long *)rows[i].to);
        else if (*(const char **)rows[i].to)
            snprintf(preset, sizeof preset, " (%s)", *(const char **)rows[i].to);
        printf("  %-20s %s%s\n", label, rows[i].help, preset);
    }
    exit(0);
}

static void assign(const struct tool_option *row, const char *value) {
    if (row->kind == TOOL_TEXT) {
        *(const char **)row->to = value;
        return;
    }
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (errno || end == value || *end || *value == '-' || number < row->min || number > row->max)
        tool_fail("--%s takes a number from %lu to %lu, not \"%s\"", row->name, row->min, row->max, value);
    *(unsigned long *)row->to = number;
}

void tool_options(int argc, char **argv, const struct tool_option *rows, size_t count, const char *usage) {
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!strcmp(word, "--help") || !strcmp(word, "-h"))
            help(rows, count, usage);
        if (strncmp(word, "--", 2))
            tool_fail("\"%s\" is not an option; --help lists them", word);
        word += 2;
        size_t len = strcspn(word, "="), row = 0;
        while (row < count && (strlen(rows[row].name) != len || strncmp(rows[row].name, word, len)))
            row++;
        if (row == count)
            tool_fail("unknown option --%.*s; --help lists them", (int)len, word);
        if (word[len] == '=')
            assign(&rows[row], word + len + 1);
        else if (i + 1 < argc)
            assign(&rows[row], argv[++i]);
        else
            tool_fail("--%s needs a value", rows[row].name);
    }
}

uint64_t tool_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void tool_sleep_ms(unsigned ms) {
    struct timespec rest = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (nanosleep(&rest, &rest) && errno == EINTR)
        ;
}

void *tool_alloc(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        tool_fail("no memory for %zu x %zu bytes", count, size);
    return memory;
}

unsigned long tool_fd_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        tool_fail("getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

static void expire(int signal_number) {
    (void)signal_number;
    static const char text[] = "time is up: the limit set with --seconds is reached\n";
    (void)!write(2, text, sizeof text - 1);
    _exit(3);
}

void tool_life(unsigned long seconds) {
    signal(SIGALRM, expire);
    alarm((unsigned)seconds);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

struct sockaddr_in tool_address(const char *text) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    char host[32];
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon || (size_t)(colon - text) >= sizeof host)
        tool_fail("an address reads 127.0.0.1:PORT, not \"%s\"", text ? text : "");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (inet_pton(AF_INET, host, &at.sin_addr) != 1 || *end || end == colon + 1 || port > 65535)
        tool_fail("an address reads 127.0.0.1:PORT, not \"%s\"", text);
    if (ntohl(at.sin_addr.s_addr) >> 24 != 127)
        tool_fail("%s is not a loopback address; the bench tools keep to 127.0.0.0/8", host);
    at.sin_port = htons((uint16_t)port);
    return at;
}

int tool_listen(struct sockaddr_in *at) {
    socklen_t len = sizeof *at;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        tool_fail("socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)at, len) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)at, &len))
        tool_fail("cannot listen on port %u: %s", ntohs(at->sin_port), strerror(errno));
    return fd;
}

int tool_connect(const struct sockaddr_in *to, unsigned source) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* With the port left to connect(), each source address has the whole ephemeral range for each target. */
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001u + source)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        (connect(fd, (const struct sockaddr *)to, sizeof *to) && errno != EINPROGRESS)) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

void tool_serve(int epoll, int listener, const struct sockaddr_in *at, const struct tool_server *server) {
    struct epoll_event events[512], event = {EPOLLIN, {.ptr = NULL}};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
        tool_fail("epoll: %s", strerror(errno));
    printf("%u\n", ntohs(at->sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                server->handle(events[i].data.ptr, events[i].events);
            else
                server->welcome(listener);
        }
        server->bury();
    }
}
