#include "net/socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    KEEPALIVE_IDLE_S = 15,
    KEEPALIVE_INTERVAL_S = 5,
    KEEPALIVE_PROBES = 3,
    USER_TIMEOUT_MS = 30000,
    /* Beyond what is in flight the kernel takes only this much more, so that a reader who stalls costs no more.
     */
    UNSENT_BYTES = 131072,
};

/* Repeats a call that a signal interrupted. */
#define AGAIN(result, call) \
    do                      \
        result = (call);    \
    while (result < 0 && errno == EINTR)

static int set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int set_buffers(int fd, int send_bytes, int receive_bytes) {
    int error = send_bytes ? set(fd, SOL_SOCKET, SO_SNDBUF, send_bytes) : 0;
    if (!error && receive_bytes)
        error = set(fd, SOL_SOCKET, SO_RCVBUF, receive_bytes);
    return error;
}

struct socket_option {
    int level, option, value;
};

static int set_all(int fd, const struct socket_option *options, size_t count) {
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = set(fd, options[i].level, options[i].option, options[i].value);
    return error;
}

/* Finds out that the other machine has vanished: of no use towards our own, and each is a system call. */
static int set_watchful(int fd) {
    static const struct socket_option options[] = {
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES},
    };
    return set_all(fd, options, sizeof options / sizeof *options);
}

/* What every connection has: set on the listener, accepted sockets inherit it. */
static int set_common(int fd, int family, int send_bytes, int receive_bytes) {
    int error = set_buffers(fd, send_bytes, receive_bytes);
    return error || family == AF_UNIX ? error : set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static bool is_this_machine(const struct address *address) {
    switch (address->any.sa_family) {
    case AF_INET:
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    default:
        return true;
    }
}

static int open_for(const struct address *address) {
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

/* A socket file that refuses connections was left behind by a process that is gone. */
static bool is_stale(const struct address *address) {
    struct stat info;
    if (stat(address->path.sun_path, &info) < 0 || !S_ISSOCK(info.st_mode))
        return false;
    int fd = open_for(address);
    if (fd < 0)
        return false;
    bool is_refused = connect(fd, &address->any, address->len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

static int bind_to(int fd, const struct address *address) {
    if (bind(fd, &address->any, address->len) == 0)
        return 0;
    int error = -errno;
    if (error != -EADDRINUSE || address->any.sa_family != AF_UNIX || !is_stale(address))
        return error;
    if (unlink(address->path.sun_path) < 0)
        return -errno;
    return bind(fd, &address->any, address->len) < 0 ? -errno : 0;
}

/* What a configuration asks of a listener beyond that, or otherwise. */
static int set_asked(int fd, const struct socket_listen_options *options) {
    const struct socket_option asked[] = {
        {IPPROTO_TCP, TCP_KEEPIDLE, options->keepalive_idle_s},
        {IPPROTO_TCP, TCP_KEEPINTVL, options->keepalive_interval_s},
        {IPPROTO_TCP, TCP_KEEPCNT, options->keepalive_probes},
        {IPPROTO_TCP, TCP_FASTOPEN, options->fastopen},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, options->is_deferred},
    };
    int error =
        options->is_keepalive_off ? set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES) : set_watchful(fd);
    for (size_t i = 0; !error && i < sizeof asked / sizeof *asked; i++)
        if (asked[i].value)
            error = set_all(fd, &asked[i], 1);
    return error;
}

static int set_listener(int fd, const struct address *address, const struct socket_listen_options *options) {
    int family = address->any.sa_family;
    int error = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!error && options->is_reuseport && family != AF_UNIX)
        error = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!error && family == AF_INET6)
        error = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options->is_v6_only);
    if (!error)
        error = set_common(fd, family, options->send_bytes, options->receive_bytes);
    return error || family == AF_UNIX ? error : set_asked(fd, options);
}

int socket_listen(const struct address *address, const struct socket_listen_options *options) {
    int fd = open_for(address);
    if (fd < 0)
        return fd;
    int error = set_listener(fd, address, options);
    if (!error)
        error = bind_to(fd, address);
    if (!error && listen(fd, options->backlog ? options->backlog : INT_MAX) < 0)
        error = -errno;
    if (error)
        close(fd);
    return error ? error : fd;
}

/* accept(2): an error that belongs to a connection which is gone already says nothing about the next. */
static bool is_gone(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
           error == ENETUNREACH;
}

int socket_accept(int listener, struct address *remote) {
    int fd;
    do {
        remote->len = sizeof *remote - offsetof(struct address, any);
        fd = accept4(listener, &remote->any, &remote->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && is_gone(errno));
    return fd < 0 ? -errno : fd;
}

static int source_set(int fd, const struct socket_source *source) {
    int family = source->address.any.sa_family;
    int error = family == AF_UNIX ? 0 : set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (!error && source->is_transparent)
        error = family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
                                   : set(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
    if (!error && bind(fd, &source->address.any, source->address.len) < 0)
        error = -errno;
    return error;
}

static int connect_to(int fd, const struct address *address) {
    /* Interrupted, the connection goes on being made all the same. */
    if (connect(fd, &address->any, address->len) < 0 && errno != EINPROGRESS && errno != EINTR)
        return -errno;
    return 0;
}

int socket_connect(const struct address *address, const struct socket_source *source, int send_bytes,
                   int receive_bytes) {
    int fd = open_for(address);
    if (fd < 0)
        return fd;
    int error = set_common(fd, address->any.sa_family, send_bytes, receive_bytes);
    if (!error && !is_this_machine(address))
        error = set_watchful(fd);
    if (!error && source)
        error = source_set(fd, source);
    if (!error)
        error = connect_to(fd, address);
    if (error)
        close(fd);
    return error ? error : fd;
}

int socket_error(int fd) {
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? -errno : -error;
}

ssize_t socket_recv(int fd, void *bytes, size_t len) {
    ssize_t got;
    AGAIN(got, recv(fd, bytes, len, 0));
    return got < 0 ? -errno : got;
}

ssize_t socket_peek(int fd, void *bytes, size_t len) {
    ssize_t got;
    AGAIN(got, recv(fd, bytes, len, MSG_PEEK));
    return got < 0 ? -errno : got;
}

ssize_t socket_discard(int fd, size_t len) {
    ssize_t got; /* not recv(3), which sanitizers take to write all of that to its buffer */
    AGAIN(got, syscall(SYS_recvfrom, fd, NULL, len, MSG_TRUNC, NULL, NULL));
    if (got >= 0 || errno != EFAULT)
        return got < 0 ? -errno : got;
    /* Only TCP drops bytes uncopied. */
    char bytes[4096];
    size_t gone = 0;
    while (gone < len) {
        got = socket_recv(fd, bytes, len - gone < sizeof bytes ? len - gone : sizeof bytes);
        if (got <= 0)
            return gone ? (ssize_t)gone : got;
        gone += (size_t)got;
    }
    return (ssize_t)gone;
}

ssize_t socket_send(int fd, const void *bytes, size_t len) {
    ssize_t sent;
    AGAIN(sent, send(fd, bytes, len, MSG_NOSIGNAL));
    return sent < 0 ? -errno : sent;
}

ssize_t socket_send_vector(int fd, const struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
    ssize_t sent;
    AGAIN(sent, sendmsg(fd, &message, MSG_NOSIGNAL));
    return sent < 0 ? -errno : sent;
}

ssize_t socket_send_file(int fd, int file, uint64_t *offset, size_t len) {
    off_t at = (off_t)*offset;
    ssize_t sent;
    AGAIN(sent, sendfile(fd, file, &at, len));
    if (sent < 0)
        return -errno;
    *offset = (uint64_t)at;
    return sent;
}

ssize_t socket_unacked(int fd) {
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

int socket_shutdown(int fd) {
    return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

void socket_close(int fd) {
    close(fd);
}

void socket_reset(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

int socket_local(int fd, struct address *local) {
    local->len = sizeof *local - offsetof(struct address, any);
    return getsockname(fd, &local->any, &local->len) < 0 ? -errno : 0;
}

int socket_tcp_info(int fd, struct socket_tcp_info *info) {
    struct tcp_info found;
    socklen_t len = sizeof found;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &found, &len) < 0)
        return -errno;
    *info = (struct socket_tcp_info){.rtt_us = found.tcpi_rtt,
                                     .rtt_variance_us = found.tcpi_rttvar,
                                     .send_window = found.tcpi_snd_cwnd,
                                     .receive_space = found.tcpi_rcv_space};
    return 0;
}
