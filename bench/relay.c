/* A blind TCP relay on one edge-triggered epoll loop: what moving the bytes costs when nothing else is done.
   One buffer for all, each descriptor registered once, no second recv after a short read, memory only while
   the other side is blocked. The physical limit that the proxies are compared with; not a product. */
#include "tool.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* One side of a pair; both are freed together when the loop's turn ends. */
struct end {
    int fd;
    bool connecting; /* not writable yet */
    bool more;       /* there may be bytes to read */
    bool hup;        /* the peer has sent its FIN: read on to the end */
    bool eof;        /* read to the end; the other side has been told */
    bool dead;
    uint8_t *spill; /* what this side has not taken yet */
    size_t spill_at, spill_len;
    struct end *other, *next_dead;
};

static uint8_t shared[65536];
static struct end *graveyard;
static int epoll;
static struct sockaddr_in backend; /* where each connection is relayed to */

static void kill_pair(struct end *e) {
    if (e->dead)
        return;
    e->dead = e->other->dead = true;
    close(e->fd);
    close(e->other->fd);
    e->next_dead = graveyard;
    graveyard = e;
}

static void bury(void) {
    while (graveyard) {
        struct end *e = graveyard;
        graveyard = e->next_dead;
        free(e->spill);
        free(e->other->spill);
        free(e->other);
        free(e);
    }
}

static void finish(struct end *e) {
    if (e->eof && e->other->eof && !e->spill && !e->other->spill)
        kill_pair(e);
}

/* Sends what was kept for e; false when the pair is gone or still blocked. */
static bool flush(struct end *e) {
    if (!e->spill)
        return true;
    ssize_t n = send(e->fd, e->spill + e->spill_at, e->spill_len - e->spill_at, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        kill_pair(e);
        return false;
    }
    e->spill_at += n > 0 ? (size_t)n : 0;
    if (e->spill_at < e->spill_len)
        return false;
    free(e->spill);
    e->spill = NULL;
    if (e->other->eof)
        shutdown(e->fd, SHUT_WR);
    finish(e);
    return !e->dead;
}

static bool deliver(struct end *to, size_t len) {
    ssize_t n = send(to->fd, shared, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        return false;
    size_t sent = n > 0 ? (size_t)n : 0;
    if (sent == len)
        return true;
    to->spill_at = 0;
    to->spill_len = len - sent;
    to->spill = malloc(to->spill_len);
    if (!to->spill)
        return false;
    memcpy(to->spill, shared + sent, to->spill_len);
    return true;
}

static void move(struct end *from) {
    struct end *to = from->other;
    while (from->more && !from->dead && !to->spill && !to->connecting) {
        ssize_t n = recv(from->fd, shared, sizeof shared, 0);
        if (n < 0 && errno == EAGAIN) {
            from->more = false;
        } else if (n < 0) {
            kill_pair(from);
        } else if (n == 0) {
            from->more = false;
            from->eof = true;
            shutdown(to->fd, SHUT_WR);
            finish(from);
        } else {
            from->more = n == sizeof shared || from->hup;
            if (!deliver(to, (size_t)n))
                kill_pair(from);
        }
    }
}

static void handle(void *owner, uint32_t events) {
    struct end *e = owner;
    if (e->dead)
        return;
    if (events & EPOLLOUT) {
        e->connecting = false;
        if (flush(e) && e->other->more)
            move(e->other);
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        e->hup = true;
    if (!e->dead && !e->eof && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        if (e->connecting && events & (EPOLLERR | EPOLLHUP)) {
            kill_pair(e);
            return;
        }
        e->more = true;
        move(e);
    }
}

static struct end *end_new(int fd) {
    struct end *e = tool_alloc(1, sizeof *e);
    int one = 1;
    e->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return e;
}

static void watch(struct end *e) {
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = e}};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, e->fd, &event))
        tool_fail("epoll_ctl: %s", strerror(errno));
}

static void welcome(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        int back = tool_connect(&backend, 0);
        if (back < 0) {
            close(fd);
            continue;
        }
        struct end *front = end_new(fd), *rear = end_new(back);
        front->other = rear;
        rear->other = front;
        rear->connecting = true;
        watch(front);
        watch(rear);
    }
}

int main(int argc, char **argv) {
    const char *at_text = "127.0.0.1:0", *to_text = NULL;
    unsigned long seconds = 900;
    const struct tool_option rows[] = {
        {"listen", TOOL_TEXT, &at_text, 0, 0, "loopback address; port 0: any, printed on stdout"},
        {"to", TOOL_TEXT, &to_text, 0, 0, "the backend's loopback address"},
        {"seconds", TOOL_NUMBER, &seconds, 1, 86400, "ends by itself after this time"},
    };
    tool_begin("relay");
    tool_options(argc - 1, argv + 1, rows, sizeof rows / sizeof *rows, "relay: a blind TCP relay, one loop\n");
    tool_life(seconds);
    tool_fd_limit();
    struct sockaddr_in at = tool_address(at_text);
    backend = tool_address(to_text);
    int listener = tool_listen(&at);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    tool_serve(epoll, listener, &at, &(struct tool_server){welcome, handle, bury});
}
