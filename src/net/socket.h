#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/address.h"

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* System calls on sockets, all non-blocking and close-on-exec. Implemented in socket.c, and by the simulator
 * under tests/sim. Every function gives a count, a descriptor or 0, or the negative errno; EINTR never comes
 * out. */

/* What a socket's kernel buffers are capped at, each way: a reader that stops then costs a few 100 KiB, not 4
 * MiB and more. */
enum { SOCKET_BUFFER_BYTES = 131072 };

struct socket_listen_options {
    int backlog;       /* 0: the system's greatest */
    bool is_reuseport; /* one socket a loop on the same address */
    bool is_v6_only;
    int send_bytes, receive_bytes;                                /* SO_SNDBUF, SO_RCVBUF; 0: the system's */
    bool is_keepalive_off;                                        /* no keepalive, and no TCP_USER_TIMEOUT */
    int keepalive_idle_s, keepalive_interval_s, keepalive_probes; /* 0: as below */
    int fastopen;                                                 /* TCP_FASTOPEN's queue; 0: none */
    bool is_deferred;                                             /* TCP_DEFER_ACCEPT */
};

/* A bound, listening socket. Accepted sockets inherit from it: no delay, keepalive 15 s / 5 s / 3 probes,
 * TCP_USER_TIMEOUT 30 s, TCP_NOTSENT_LOWAT 128 KiB, buffer sizes. A unix socket's file that refuses connections
 * is stale and replaced; anything else at its path stays and gives -EADDRINUSE. -EADDRINUSE, -EACCES,
 * -EADDRNOTAVAIL are the caller's to explain. */
int socket_listen(const struct address *address, const struct socket_listen_options *options);
/* A new connection and who made it. -EAGAIN: none; -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS: our shortage. */
int socket_accept(int listener, struct address *remote);
/* Where a connection is to come from. */
struct socket_source {
    struct address address;
    bool is_transparent; /* any address, also one that is not this machine's (IP_TRANSPARENT) */
};
/* Begins a connection, with the same options as accepted ones have; `source` may be NULL. The descriptor, at
 * once: whether it is connected shows when it becomes writable or a send succeeds. -EADDRNOTAVAIL, -EMFILE: our
 * shortage; -EPERM of a transparent source: it takes CAP_NET_RAW. A unix socket fails at once: -ENOENT,
 * -ECONNREFUSED, and -EAGAIN when its backlog is full. */
int socket_connect(const struct address *address, const struct socket_source *source, int send_bytes,
                   int receive_bytes);
/* The error pending on the socket, as a negative errno, and clears it; 0 when none. */
int socket_error(int fd);

/* 0: the other side's FIN. -EAGAIN: nothing now. */
ssize_t socket_recv(int fd, void *bytes, size_t len);
/* The same without taking the bytes away. */
ssize_t socket_peek(int fd, void *bytes, size_t len);
/* Takes up to len bytes away unread. */
ssize_t socket_discard(int fd, size_t len);
/* May take less than len. -EAGAIN: no room, or not yet connected. Never raises SIGPIPE. */
ssize_t socket_send(int fd, const void *bytes, size_t len);
ssize_t socket_send_vector(int fd, const struct iovec *parts, int count);
/* From the open file at *offset, which moves on; 0: the file ends there. */
ssize_t socket_send_file(int fd, int file, uint64_t *offset, size_t len);
/* Bytes sent that the other side has not acknowledged yet (SIOCOUTQ). */
ssize_t socket_unacked(int fd);

/* Sends FIN; the other direction goes on. */
int socket_shutdown(int fd);
void socket_close(int fd);
/* Closes with RST. */
void socket_reset(int fd);
int socket_local(int fd, struct address *local);
/* What the kernel knows of a TCP connection. 0 or negative errno. */
struct socket_tcp_info {
    uint32_t rtt_us, rtt_variance_us, send_window /* segments */, receive_space;
};
int socket_tcp_info(int fd, struct socket_tcp_info *info);

#endif
