#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void crowd_init(struct crowd *crowd, struct sockaddr_in to, unsigned sources) {
    *crowd = (struct crowd){.epoll = epoll_create1(EPOLL_CLOEXEC), .to = to, .sources = sources ? sources : 1};
    if (crowd->epoll < 0)
        tool_fail("epoll: %s", strerror(errno));
    prctl(PR_SET_TIMERSLACK, 1UL); /* messages that are due at a moment leave at that moment */
}

void client_close(struct client *c) {
    if (c->phase == CLIENT_CLOSED)
        return;
    close(c->fd);
    c->phase = CLIENT_CLOSED;
}

void client_opened(struct client *c) {
    c->phase = CLIENT_OPEN;
    c->crowd->settled += c->role == c->crowd->opening;
}

void client_fail(struct client *c, int error, const char *why) {
    if (!*c->crowd->why)
        snprintf(c->crowd->why, sizeof c->crowd->why, "%s%s%s", why, error ? ": " : "",
                 error ? strerror(error) : "");
    if (c->phase != CLIENT_OPEN && c->role == c->crowd->opening) {
        c->crowd->settled++;
        c->crowd->failed++;
    }
    client_close(c);
    c->role->closed(c, error);
}

void client_start(struct client *c) {
    int fd = tool_connect(&c->crowd->to, c->index % c->crowd->sources);
    c->phase = CLIENT_CLOSED;
    c->deaf = c->blocked = c->busy = false;
    c->in_at = c->out_at = c->text_len = 0;
    if (fd < 0) {
        client_fail(c, -fd, "connect");
        return;
    }
    c->fd = fd;
    c->phase = CLIENT_CONNECTING;
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = c}};
    if (epoll_ctl(c->crowd->epoll, EPOLL_CTL_ADD, fd, &event))
        tool_fail("epoll_ctl: %s", strerror(errno));
}

static const char *ending(const struct client *c) {
    return c->phase == CLIENT_OPEN ? "an open connection was closed"
                                   : "the connection was closed before an answer";
}

/* Edge-triggered: a short read means empty, so there is no second recv, unless an end is announced. */
static void drain(struct client *c, bool to_the_end) {
    while (c->phase != CLIENT_CLOSED && !c->deaf) {
        ssize_t n = recv(c->fd, c->crowd->in, CROWD_READ, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            client_fail(c, n < 0 ? errno : 0, ending(c));
            return;
        }
        c->role->bytes(c, c->crowd->in, (size_t)n);
        if (n < CROWD_READ && !to_the_end)
            return;
    }
}

static void handle(struct client *c, uint32_t events) {
    if (c->phase == CLIENT_CLOSED)
        return;
    if (c->phase == CLIENT_CONNECTING) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) {
            client_fail(c, error, "connect");
            return;
        }
        if (!(events & EPOLLOUT))
            return;
        c->phase = CLIENT_ASKING;
        c->role->connected(c);
    }
    if (c->phase != CLIENT_CLOSED && events & EPOLLOUT && c->blocked && c->role->writable)
        c->role->writable(c);
    if (c->deaf && c->phase != CLIENT_CLOSED && events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        client_fail(c, 0, "a reader that had stopped was cut off");
    else if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        drain(c, events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

void client_listen(struct client *c) {
    c->deaf = false;
    if (c->phase != CLIENT_CLOSED)
        drain(c, true);
}

void crowd_turn(struct crowd *crowd, uint64_t wait_ns) {
    struct epoll_event events[512];
    uint64_t due_ns = crowd->due ? crowd->due(crowd->due_with, tool_now_ns()) : UINT64_MAX;
    if (due_ns < wait_ns)
        wait_ns = due_ns;
    struct timespec wait = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
    int count = epoll_pwait2(crowd->epoll, events, 512, &wait, NULL);
    for (int i = 0; i < count; i++)
        handle(events[i].data.ptr, events[i].events);
}

void crowd_open(struct crowd *crowd, struct client *clients, unsigned count, const struct role *role,
                void *owner) {
    uint64_t last = tool_now_ns();
    unsigned started = 0, seen = 0;
    crowd->opening = role;
    crowd->settled = crowd->failed = 0;
    while (crowd->settled < count) {
        while (started < count && started - crowd->settled < CROWD_PACE) {
            struct client *c = &clients[started];
            *c = (struct client){.index = started++, .role = role, .owner = owner, .crowd = crowd};
            client_start(c);
        }
        crowd_turn(crowd, 100000000);
        if (crowd->settled != seen) {
            seen = crowd->settled;
            last = tool_now_ns();
        } else if (tool_now_ns() - last > 10000000000u) {
            tool_fail("no answer for 10 s with %u of %u connections open", seen, count);
        }
        if (crowd->failed)
            tool_fail("%u of %u connections opened, then one failed: %s", crowd->settled - crowd->failed, count,
                      crowd->why);
    }
    crowd->opening = NULL;
}

void crowd_close(struct client *clients, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        client_close(&clients[i]);
}

bool client_send(struct client *c, const char *text, size_t len) {
    ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);
    if (n == (ssize_t)len)
        return true;
    client_fail(c, n < 0 ? errno : 0, "send");
    return false;
}

void client_upgrade(struct client *c, const char *path) {
    char text[512];
    int len =
        snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: bench.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Origin: http://bench.localhost\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                 path);
    client_send(c, text, (size_t)len);
}

static bool gather(struct client *c, const uint8_t *data, size_t len) {
    if (len > CLIENT_TEXT - 1 - c->text_len) {
        client_fail(c, 0, "an answer is longer than expected");
        return false;
    }
    memcpy(c->text + c->text_len, data, len);
    c->text_len += len;
    c->text[c->text_len] = 0;
    return true;
}

bool client_upgraded(struct client *c, uint8_t **data, size_t *len) {
    size_t before = c->text_len, room = CLIENT_TEXT - 1 - before;
    if (!gather(c, *data, *len < room ? *len : room))
        return false;
    char *end = strstr(c->text, "\r\n\r\n");
    if (!end) {
        if (c->text_len == CLIENT_TEXT - 1)
            client_fail(c, 0, "an answer's head is longer than expected");
        return false;
    }
    if (strncmp(c->text, "HTTP/1.1 101 ", 13) || !strstr(c->text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
        char why[64];
        snprintf(why, sizeof why, "no valid 101 but \"%.30s\"", c->text);
        why[strcspn(why, "\r")] = 0;
        client_fail(c, 0, why);
        return false;
    }
    size_t used = (size_t)(end + 4 - c->text) - before;
    *data += used;
    *len -= used;
    c->text_len = 0;
    return true;
}

bool client_answered(struct client *c, const uint8_t *data, size_t len, struct answer *out) {
    if (!gather(c, data, len))
        return false;
    const char *end = memmem(c->text, c->text_len, "\r\n\r\n", 4);
    if (!end)
        return false;
    size_t body = SIZE_MAX, head = (size_t)(end + 4 - c->text);
    for (const char *line = strstr(c->text, "\r\n"); line < end; line = strstr(line + 2, "\r\n"))
        if (!strncasecmp(line + 2, "content-length:", 15))
            body = (size_t)strtoul(line + 17, NULL, 10);
    if (body == SIZE_MAX || strncmp(c->text, "HTTP/1.1 ", 9) || head + body < c->text_len) {
        client_fail(c, 0, "an answer without Content-Length, or longer than it says");
        return false;
    }
    if (c->text_len < head + body)
        return false;
    *out = (struct answer){(int)strtol(c->text + 9, NULL, 10), end + 4, body};
    c->text_len = 0;
    return true;
}
