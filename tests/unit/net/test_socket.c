#include "../unit.h"

#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/hawser-unit-XXXXXX";

static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return rmdir(folder);
}

static struct address in_folder(const char *name) {
    char path[100];
    struct address address;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(address_unix(str_of(path), &address));
    return address;
}

static void wait_for(int fd, short events) {
    struct pollfd one = {.fd = fd, .events = events};
    assert_int_equal(poll(&one, 1, 10000), 1);
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

struct ends {
    int listener, client, server;
    struct address address, remote;
};

static struct ends ends_open(struct address address, struct socket_listen_options options) {
    struct ends ends = {.address = address};
    ends.listener = socket_listen(&ends.address, &options);
    assert_true(ends.listener >= 0);
    assert_int_equal(socket_local(ends.listener, &ends.address), 0);
    assert_int_equal(socket_accept(ends.listener, &ends.remote), -EAGAIN);
    ends.client = socket_connect(&ends.address, NULL, options.send_bytes, options.receive_bytes);
    assert_true(ends.client >= 0);
    wait_for(ends.listener, POLLIN);
    ends.server = socket_accept(ends.listener, &ends.remote);
    assert_true(ends.server >= 0);
    wait_for(ends.client, POLLOUT);
    assert_int_equal(socket_error(ends.client), 0);
    return ends;
}

static void ends_close(struct ends *ends) {
    socket_close(ends->listener);
    socket_close(ends->client);
    socket_close(ends->server);
}

static struct address loopback(void) {
    struct address address;
    assert_true(address_parse(STR("127.0.0.1"), 0, &address));
    return address;
}

/* What finds out that the other machine has vanished. */
static void watchful_are(int fd) {
    assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 15);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 5);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 131072);
}

static void options_are_inherited_and_set(void **state) {
    (void)state;
    struct ends ends =
        ends_open(loopback(), (struct socket_listen_options){.send_bytes = 65536, .receive_bytes = 32768});
    int fds[] = {ends.server, ends.client};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(option(fds[i], IPPROTO_TCP, TCP_NODELAY), 1);
        assert_int_equal(option(fds[i], SOL_SOCKET, SO_SNDBUF), 2 * 65536); /* the kernel doubles */
        assert_int_equal(option(fds[i], SOL_SOCKET, SO_RCVBUF), 2 * 32768);
        assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
    }
    watchful_are(ends.server);
    assert_int_equal(option(ends.client, SOL_SOCKET, SO_KEEPALIVE), 0); /* this machine: it cannot vanish */
    assert_int_equal(ends.remote.any.sa_family, AF_INET);
    struct address local;
    assert_int_equal(socket_local(ends.client, &local), 0);
    assert_true(address_eq(&local, &ends.remote));
    ends_close(&ends);
}

/* 0.0.0.0 leads to this machine, but does not say so. */
static void connections_to_elsewhere_are_watched(void **state) {
    (void)state;
    struct socket_listen_options options = {.backlog = 1};
    struct address address = loopback(), elsewhere;
    int listener = socket_listen(&address, &options);
    assert_true(listener >= 0);
    assert_int_equal(socket_local(listener, &address), 0);
    assert_true(address_parse(STR("0.0.0.0"), address_port(&address), &elsewhere));
    int fd = socket_connect(&elsewhere, NULL, 0, 0);
    assert_true(fd >= 0);
    watchful_are(fd);
    socket_close(fd);
    socket_close(listener);
}

static void bytes_are_sent_peeked_discarded_and_ended(struct ends *ends) {
    char bytes[32];
    struct iovec parts[] = {{(char[]){"abc"}, 3}, {(char[]){"defgh"}, 5}};
    assert_int_equal(socket_recv(ends->server, bytes, sizeof bytes), -EAGAIN);
    assert_int_equal(socket_send_vector(ends->client, parts, 2), 8);
    wait_for(ends->server, POLLIN);
    assert_int_equal(socket_peek(ends->server, bytes, sizeof bytes), 8);
    assert_int_equal(socket_discard(ends->server, 3), 3);
    assert_int_equal(socket_recv(ends->server, bytes, 2), 2);
    assert_memory_equal(bytes, "de", 2);
    assert_int_equal(socket_discard(ends->server, 100), 3);
    assert_int_equal(socket_discard(ends->server, 100), -EAGAIN);
    assert_int_equal(socket_shutdown(ends->client), 0);
    wait_for(ends->server, POLLIN);
    assert_int_equal(socket_recv(ends->server, bytes, sizeof bytes), 0);
    assert_int_equal(socket_discard(ends->server, 100), 0);
    assert_int_equal(socket_send(ends->client, "x", 1), -EPIPE); /* and no SIGPIPE */
    assert_int_equal(socket_send(ends->server, "back", 4), 4);
    wait_for(ends->client, POLLIN);
    assert_int_equal(socket_recv(ends->client, bytes, sizeof bytes), 4);
    assert_true(socket_unacked(ends->server) >= 0);
}

static void tcp_carries_bytes(void **state) {
    (void)state;
    struct ends ends = ends_open(loopback(), (struct socket_listen_options){0});
    bytes_are_sent_peeked_discarded_and_ended(&ends);
    ends_close(&ends);
}

static void v6_carries_bytes_alone_or_with_v4(void **state) {
    (void)state;
    struct address v6, v4 = loopback();
    assert_true(address_parse(STR("::1"), 0, &v6));
    int probe = socket_listen(&v6, &(struct socket_listen_options){0});
    if (probe < 0)
        skip(); /* this machine has no IPv6 */
    socket_close(probe);
    struct ends ends = ends_open(v6, (struct socket_listen_options){.is_v6_only = true});
    bytes_are_sent_peeked_discarded_and_ended(&ends);
    ends_close(&ends);
    assert_true(address_parse(STR("::"), 0, &v6));
    int listener = socket_listen(&v6, &(struct socket_listen_options){0});
    assert_true(listener >= 0);
    assert_int_equal(socket_local(listener, &v6), 0);
    v4.v4.sin_port = v6.v6.sin6_port;
    int client = socket_connect(&v4, NULL, 0, 0);
    assert_true(client >= 0);
    wait_for(listener, POLLIN);
    int server = socket_accept(listener, &v6);
    assert_true(server >= 0);
    assert_int_equal(address_bytes(&v6).len, 4);
    socket_close(server);
    socket_close(client);
    socket_close(listener);
}

static void unix_carries_bytes(void **state) {
    (void)state;
    struct address address = in_folder("a.sock");
    struct ends ends = ends_open(address, (struct socket_listen_options){0});
    bytes_are_sent_peeked_discarded_and_ended(&ends);
    assert_int_equal(address_bytes(&ends.remote).len, 0);
    ends_close(&ends);
    unlink(address.path.sun_path);
}

static void a_stale_unix_socket_gives_way(void **state) {
    (void)state;
    struct socket_listen_options options = {0};
    struct address address = in_folder("stale.sock");
    int first = socket_listen(&address, &options);
    assert_true(first >= 0);
    assert_int_equal(socket_listen(&address, &options), -EADDRINUSE); /* somebody listens */
    socket_close(first);
    int second = socket_listen(&address, &options);
    assert_true(second >= 0);
    socket_close(second);
    unlink(address.path.sun_path);
}

static void a_file_is_never_taken_for_a_stale_socket(void **state) {
    (void)state;
    struct address address = in_folder("precious");
    int file = open(address.path.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(socket_listen(&address, &(struct socket_listen_options){0}), -EADDRINUSE);
    assert_int_equal(access(address.path.sun_path, F_OK), 0);
    unlink(address.path.sun_path);
}

static void a_taken_port_is_told_and_reuseport_shares_it(void **state) {
    (void)state;
    struct socket_listen_options alone = {0}, shared = {.is_reuseport = true};
    struct address address = loopback();
    int first = socket_listen(&address, &alone);
    assert_int_equal(socket_local(first, &address), 0);
    assert_int_equal(socket_listen(&address, &alone), -EADDRINUSE);
    socket_close(first);
    first = socket_listen(&address, &shared);
    int second = socket_listen(&address, &shared);
    assert_true(first >= 0 && second >= 0);
    socket_close(first);
    socket_close(second);
}

static void a_bound_connection_comes_from_there(void **state) {
    (void)state;
    struct address address = loopback(), remote;
    struct socket_source source = {.is_transparent = false};
    assert_true(address_parse(STR("127.0.0.2"), 0, &source.address));
    int listener = socket_listen(&address, &(struct socket_listen_options){0});
    assert_int_equal(socket_local(listener, &address), 0);
    int client = socket_connect(&address, &source, 0, 0);
    assert_true(client >= 0);
    wait_for(listener, POLLIN);
    int server = socket_accept(listener, &remote);
    assert_true(server >= 0);
    assert_memory_equal(address_bytes(&remote).ptr, "\x7f\0\0\2", 4);
    socket_close(server);
    socket_close(client);
    /* An address that is not ours. */
    assert_true(address_parse(STR("192.0.2.1"), 0, &source.address));
    assert_int_equal(socket_connect(&address, &source, 0, 0), -EADDRNOTAVAIL);
    source.is_transparent = true; /* then it may be anybody's, for who has the right */
    client = socket_connect(&address, &source, 0, 0);
    assert_true(client >= 0 || client == -EPERM);
    if (client >= 0) {
        struct address local;
        assert_int_equal(socket_local(client, &local), 0);
        assert_memory_equal(address_bytes(&local).ptr, "\xc0\0\2\1", 4);
        socket_close(client);
    }
    socket_close(listener);
}

static void unix_refusals_come_at_once(void **state) {
    (void)state;
    struct address address = in_folder("nobody.sock");
    assert_int_equal(socket_connect(&address, NULL, 0, 0), -ENOENT);
    int listener = socket_listen(&address, &(struct socket_listen_options){0});
    socket_close(listener);
    assert_int_equal(socket_connect(&address, NULL, 0, 0), -ECONNREFUSED);
    unlink(address.path.sun_path);
}

static void reset_reaches_the_other_side_as_such(void **state) {
    (void)state;
    char byte;
    struct ends ends = ends_open(loopback(), (struct socket_listen_options){0});
    socket_reset(ends.client);
    wait_for(ends.server, POLLIN);
    assert_int_equal(socket_recv(ends.server, &byte, 1), -ECONNRESET);
    socket_close(ends.server);
    socket_close(ends.listener);
}

static void a_file_is_sent_from_its_offset(void **state) {
    (void)state;
    char bytes[16];
    struct address name = in_folder("file");
    int file = open(name.path.sun_path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "0123456789", 10), 10);
    struct ends ends = ends_open(loopback(), (struct socket_listen_options){0});
    uint64_t offset = 4;
    assert_int_equal(socket_send_file(ends.client, file, &offset, 3), 3);
    assert_int_equal(offset, 7);
    assert_int_equal(socket_send_file(ends.client, file, &offset, 100), 3);
    assert_int_equal(offset, 10);
    assert_int_equal(socket_send_file(ends.client, file, &offset, 100), 0);
    wait_for(ends.server, POLLIN);
    size_t got = 0;
    while (got < 6) {
        wait_for(ends.server, POLLIN);
        ssize_t n = socket_recv(ends.server, bytes + got, sizeof bytes - got);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_memory_equal(bytes, "456789", 6);
    ends_close(&ends);
    close(file);
    unlink(name.path.sun_path);
}

static void without_descriptors_it_is_our_own_shortage(void **state) {
    (void)state;
    struct ends ends = ends_open(loopback(), (struct socket_listen_options){0});
    int waiting = socket_connect(&ends.address, NULL, 0, 0);
    wait_for(ends.listener, POLLIN);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int accepted = socket_accept(ends.listener, &ends.remote);
    int connected = socket_connect(&ends.address, NULL, 0, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(accepted, -EMFILE);
    assert_int_equal(connected, -EMFILE);
    accepted = socket_accept(ends.listener, &ends.remote); /* it was not lost */
    assert_true(accepted >= 0);
    socket_close(accepted);
    socket_close(waiting);
    ends_close(&ends);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_inherited_and_set),
        cmocka_unit_test(connections_to_elsewhere_are_watched),
        cmocka_unit_test(tcp_carries_bytes),
        cmocka_unit_test(v6_carries_bytes_alone_or_with_v4),
        cmocka_unit_test(unix_carries_bytes),
        cmocka_unit_test(a_stale_unix_socket_gives_way),
        cmocka_unit_test(a_file_is_never_taken_for_a_stale_socket),
        cmocka_unit_test(a_taken_port_is_told_and_reuseport_shares_it),
        cmocka_unit_test(a_bound_connection_comes_from_there),
        cmocka_unit_test(unix_refusals_come_at_once),
        cmocka_unit_test(reset_reaches_the_other_side_as_such),
        cmocka_unit_test(a_file_is_sent_from_its_offset),
        cmocka_unit_test(without_descriptors_it_is_our_own_shortage),
    };
    return cmocka_run_group_tests_name("socket", tests, setup, teardown);
}
