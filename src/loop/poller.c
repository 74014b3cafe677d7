#include "loop/poller.h"

#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { WAIT_MAX = 256 };

struct poller {
    int epoll;
    int wake; /* an eventfd; its tag is the poller itself */
};

static int both_open(struct poller *poller) {
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll < 0)
        return -errno;
    poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = poller->wake < 0 ? -errno : poller_add(poller, poller->wake, poller);
    if (error) {
        if (poller->wake >= 0)
            close(poller->wake);
        close(poller->epoll);
    }
    return error;
}

struct poller *poller_open(int *error) {
    struct poller *poller = mem_alloc(sizeof *poller);
    *error = poller ? both_open(poller) : -ENOMEM;
    if (*error) {
        mem_free(poller);
        return NULL;
    }
    /* A side that went away must not end the process, and sendfile(2) has no flag against it. */
    signal(SIGPIPE, SIG_IGN);
    return poller;
}

void poller_close(struct poller *poller) {
    if (!poller)
        return;
    close(poller->wake);
    close(poller->epoll);
    mem_free(poller);
}

int poller_add(struct poller *poller, int fd, void *tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = tag};
    return epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static unsigned translate(uint32_t events) {
    return (events & EPOLLIN ? POLLER_READ : 0u) | (events & EPOLLOUT ? POLLER_WRITE : 0u) |
           (events & (EPOLLRDHUP | EPOLLHUP) ? POLLER_END : 0u) |
           (events & (EPOLLERR | EPOLLHUP) ? POLLER_ERROR : 0u);
}

int poller_wait(struct poller *poller, struct poller_event *events, int max, int timeout_ms) {
    struct epoll_event ready[WAIT_MAX];
    int kept = 0;
    int count = epoll_wait(poller->epoll, ready, max < WAIT_MAX ? max : WAIT_MAX, timeout_ms);
    for (int i = 0; i < count; i++) {
        /* The eventfd's counter is never read: edge-triggered, each write to it is an event of its own. */
        if (ready[i].data.ptr == poller)
            continue;
        events[kept++] = (struct poller_event){ready[i].data.ptr, translate(ready[i].events)};
    }
    return kept;
}

void poller_wake(struct poller *poller) {
    uint64_t one = 1;
    while (write(poller->wake, &one, sizeof one) < 0 && errno == EINTR)
        ;
}
