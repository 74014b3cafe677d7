#include "main/sockets.h"

#include "base/mem.h"
#include "main/occupant.h"
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    /* What one client that does not read can cost in kernel memory (the kernel doubles it). */
    BUFFER_BYTES = 128 << 10,
    PORT_PRIVILEGED = 1024,
    PORTS_TRIED = 20,
    NAME_MAX_BYTES = 200,
};

struct opening {
    const struct model *model, *before;
    bool is_oneliner;
    struct diagnostics *diagnostics;
};

static bool is_open_in(const struct model *model, const struct listen *listen) {
    for (size_t i = 0; model && i < model->listens.count; i++)
        if (str_eq(model->listens.items[i]->text, listen->text))
            return true;
    return false;
}

static bool has_port(const struct model *model, uint16_t port) {
    for (size_t i = 0; model && i < model->listens.count; i++)
        if (!model->listens.items[i]->is_unix && model->listens.items[i]->port == port)
            return true;
    return false;
}

static bool listen_address(const struct listen *listen, struct address *address) {
    return listen->is_unix ? address_unix(listen->host, address)
                           : address_parse(listen->host, listen->port, address);
}

/* Binds without SO_REUSEPORT and lets go again: with it, a second hawser would share the port without a word.
 */
static int address_probe(const struct address *address) {
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    int error = bind(fd, &address->any, address->len) < 0 ? -errno : 0;
    close(fd);
    return error;
}

bool sockets_have_free(struct str host, uint16_t port) {
    struct address address;
    return address_parse(host, port, &address) && address_probe(&address) == 0;
}

/* ---- what is said when it cannot be had ---- */

static uint16_t port_free_above(const struct listen *listen) {
    struct address address;
    for (unsigned port = listen->port + 1u; port <= UINT16_MAX && port <= listen->port + (unsigned)PORTS_TRIED;
         port++)
        if (address_parse(listen->host, (uint16_t)port, &address) && address_probe(&address) == 0)
            return (uint16_t)port;
    return 0;
}

static void busy_hint(const struct opening *o, struct diagnostic *said, const struct listen *listen) {
    if (listen->is_unix) {
        diagnostic_hint(o->diagnostics, said,
                        "another process answers on that socket: stop it, or choose another path");
        return;
    }
    char memory[NAME_MAX_BYTES];
    struct builder name = builder_make(memory, sizeof memory);
    bool is_known = occupant_build(&name, listen->port) && !name.overflow;
    uint16_t other = port_free_above(listen);
    const char *by = is_known ? " by " : "";
    struct str who = is_known ? builder_view(&name) : STR("");
    if (o->is_oneliner && other)
        diagnostic_hint(o->diagnostics, said, "port %u is in use%s%.*s; choose another with -%c :%u",
                        listen->port, by, STR_ARG(who), listen == o->model->listens.items[0] ? 'l' : 'a',
                        other);
    else
        diagnostic_hint(o->diagnostics, said, "port %u is in use%s%.*s; stop that, or listen on another",
                        listen->port, by, STR_ARG(who));
}

static void refusal_hint(const struct opening *o, struct diagnostic *said, const struct listen *listen,
                         int error) {
    char path[NAME_MAX_BYTES];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path);
    struct str self = len > 0 ? str_make(path, (size_t)len) : STR("hawser");
    if (error == -EADDRINUSE)
        busy_hint(o, said, listen);
    else if (error == -EACCES && !listen->is_unix && listen->port < PORT_PRIVILEGED)
        diagnostic_hint(o->diagnostics, said,
                        "ports below 1024 need root or: setcap cap_net_bind_service=+ep %.*s", STR_ARG(self));
    else if (error == -EADDRNOTAVAIL)
        diagnostic_hint(o->diagnostics, said, "no interface of this machine has the address %.*s",
                        STR_ARG(listen->host));
    else if (error == -EAFNOSUPPORT)
        diagnostic_hint(o->diagnostics, said, "this machine has no IPv6");
}

static bool refuse(const struct opening *o, const struct listen *listen, int error) {
    struct diagnostic *said =
        diagnostics_add(o->diagnostics, SEVERITY_ERROR, listen->place, "bind() to %.*s failed (%d: %s)",
                        STR_ARG(listen->text), -error, strerrordesc_np(-error));
    refusal_hint(o, said, listen, error);
    return false;
}

/* ---- opening ---- */

static bool listens_probe(const struct opening *o) {
    bool is_fine = true;
    for (size_t i = 0; i < o->model->listens.count; i++) {
        const struct listen *listen = o->model->listens.items[i];
        struct address address;
        if (is_open_in(o->before, listen))
            continue;
        if (!listen_address(listen, &address)) {
            diagnostics_add(o->diagnostics, SEVERITY_ERROR, listen->place,
                            "\"%.*s\" is no address to listen on", STR_ARG(listen->text));
            is_fine = false;
            continue;
        }
        int error = listen->is_unix ? 0 : address_probe(&address);
        /* A port that is ours already on another address: the sockets themselves will tell. */
        if (error == -EADDRINUSE && has_port(o->before, listen->port))
            error = 0;
        if (error)
            is_fine = refuse(o, listen, error);
    }
    return is_fine;
}

static int listen_open(const struct listen *listen, int first) {
    struct address address;
    const struct listen_options *asked = &listen->options;
    struct socket_listen_options options = {
        .backlog = asked->backlog,
        .is_reuseport = true,
        .is_v6_only = !asked->is_dual,
        .send_bytes = asked->send_bytes ? (int)asked->send_bytes : BUFFER_BYTES,
        .receive_bytes = asked->receive_bytes ? (int)asked->receive_bytes : BUFFER_BYTES,
        .is_keepalive_off = asked->keepalive == KEEPALIVE_OFF,
        .keepalive_idle_s = asked->keepalive_idle_s,
        .keepalive_interval_s = asked->keepalive_interval_s,
        .keepalive_probes = asked->keepalive_probes,
        .fastopen = asked->fastopen,
        .is_deferred = asked->is_deferred,
    };
    if (listen->is_unix && first >= 0) {
        int fd = fcntl(first, F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
    }
    return listen_address(listen, &address) ? socket_listen(&address, &options) : -EINVAL;
}

static bool listens_open(struct sockets *sockets, const struct opening *o) {
    for (size_t i = 0; i < sockets->listens; i++) {
        const struct listen *listen = o->model->listens.items[i];
        int *fds = sockets->fds + i * sockets->loops;
        for (unsigned loop = 0; loop < sockets->loops && !is_open_in(o->before, listen); loop++) {
            int fd = listen_open(listen, loop ? fds[0] : -1);
            if (fd < 0)
                return refuse(o, listen, fd);
            fds[loop] = fd;
        }
    }
    return true;
}

bool sockets_open(struct sockets *sockets, const struct model *model, const struct model *before,
                  unsigned loops, bool is_oneliner, struct diagnostics *diagnostics) {
    struct opening opening = {model, before, is_oneliner, diagnostics};
    size_t count = model->listens.count * loops;
    *sockets = (struct sockets){model->listens.count, loops, mem_zero(count, sizeof(int))};
    if (!sockets->fds) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        sockets->fds[i] = -1;
    if (listens_probe(&opening) && listens_open(sockets, &opening))
        return true;
    sockets_close(sockets);
    return false;
}

int sockets_take(struct sockets *sockets, size_t listen, unsigned loop) {
    int *place = &sockets->fds[listen * sockets->loops + loop], fd = *place;
    *place = -1;
    return fd;
}

void sockets_close(struct sockets *sockets) {
    for (size_t i = 0; sockets->fds && i < sockets->listens * sockets->loops; i++)
        if (sockets->fds[i] >= 0)
            socket_close(sockets->fds[i]);
    mem_free(sockets->fds);
    sockets->fds = NULL;
}

void sockets_unlink(const struct model *model, const struct model *after) {
    for (size_t i = 0; i < model->listens.count; i++) {
        const struct listen *listen = model->listens.items[i];
        struct address address;
        if (listen->is_unix && !is_open_in(after, listen) && listen_address(listen, &address))
            unlink(address.path.sun_path);
    }
}
