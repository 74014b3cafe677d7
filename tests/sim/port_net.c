#include "net.h"
#include "port.h"

#include "loop/poller.h"
#include "net/file.h"
#include "net/resolver.h"
#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* src/net's ways to the system, in the world: sockets and names. */

/* Every call of the engine may take a moment, in which the world goes on. */
static void slip(void) {
    world.calls++;
    if (dice_chance(&world.fate, world.weather.slip)) {
        world.now_us += dice_between(&world.fate, 1, 50);
        world_catch_up();
    }
}

static struct end *end_of(int fd, const char *call) {
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (slot && slot->kind == SLOT_END)
        return slot->end;
    world_fail("%s on descriptor %d, which is no open connection", call, fd);
    return NULL;
}

static int fault(int error, uint64_t harm_ms) {
    world_trace(TRACE_FAULT, -1, error, 0);
    world_harm(harm_ms);
    return -error;
}

static int fault_of(const int *errors, size_t count) {
    return fault(errors[dice_below(&world.fate, count)], 1000);
}

int socket_listen(const struct address *address, const struct socket_listen_options *options) {
    int fd = slot_take();
    if (fd < 0)
        return fd;
    struct listener *listener = world_alloc(sizeof *listener);
    listener->waiting = world_alloc(NET_BACKLOG * sizeof(struct end *));
    listener->address = *address;
    listener->fd = fd;
    int most = world.weather.backlog < NET_BACKLOG ? world.weather.backlog : NET_BACKLOG;
    listener->backlog = (unsigned)(options->backlog > 0 && options->backlog < most ? options->backlog : most);
    world.net->slots[fd] = (struct slot){.kind = SLOT_LISTENER, .listener = listener};
    world_trace(TRACE_LISTEN, fd, address_port(address), 0);
    return fd;
}

static struct end *waiting_shift(struct listener *listener) {
    struct end *end = listener->waiting[listener->first];
    listener->first = (listener->first + 1) % NET_BACKLOG;
    listener->count--;
    return end;
}

int socket_accept(int fd, struct address *remote) {
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
    slip();
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (!slot || slot->kind != SLOT_LISTENER) {
        world_fail("accept on descriptor %d, which does not listen", fd);
        return -EBADF;
    }
    struct listener *listener = slot->listener;
    if (listener->count == 0)
        return -EAGAIN;
    if (dice_chance(&world.fate, world.weather.accept_fail)) {
        if (dice_chance(&world.fate, 700))
            return fault_of(errors, sizeof errors / sizeof *errors);
        struct end *aborted = waiting_shift(listener);
        end_reset(aborted);
        return fault(ECONNABORTED, 1);
    }
    int number = slot_take();
    if (number < 0)
        return fault(-number, 1000);
    struct end *end = waiting_shift(listener);
    end->fd = number;
    world.net->slots[number] = (struct slot){.kind = SLOT_END, .end = end};
    *remote = end->remote;
    world_trace(TRACE_ACCEPT, number, address_port(remote), fd);
    return number;
}

int socket_connect(const struct address *address, const struct socket_source *source, int send_bytes,
                   int receive_bytes) {
    static const int errors[] = {EMFILE, EADDRNOTAVAIL, ENOBUFS, ENOMEM, ENFILE};
    (void)source, (void)send_bytes, (void)receive_bytes;
    slip();
    if (dice_chance(&world.fate, world.weather.connect_fail))
        return fault_of(errors, sizeof errors / sizeof *errors);
    int fd = slot_take();
    if (fd < 0)
        return fault(-fd, 1000);
    struct end *end = world_alloc(sizeof *end);
    end->fd = fd;
    end->local = net_address(10, 200, 0, 1, world.net->ports++);
    end->remote = *address;
    world.net->slots[fd] = (struct slot){.kind = SLOT_END, .end = end};
    end_connect(end);
    world_trace(TRACE_CONNECT, fd, address_port(address), 0);
    return fd;
}

int socket_error(int fd) {
    slip();
    struct end *end = end_of(fd, "socket_error");
    if (!end)
        return -EBADF;
    int error = end->error;
    end->error = 0;
    world_trace(TRACE_ERROR, fd, error, 0);
    return -error;
}

/* Fate cuts the connection at this call. */
static void maybe_cut(struct end *end) {
    if (!end->is_connected || end->is_dead || !dice_chance(&world.fate, world.weather.reset))
        return;
    world_trace(TRACE_CUT, end->fd, 0, 0);
    world_harm(100);
    end_break(end, dice_chance(&world.fate, 800) ? ECONNRESET : ETIMEDOUT);
}

static void read_edge(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (!end->is_closed)
        end_edge(end, POLLER_READ);
}

static void write_edge(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (end->is_closed)
        return;
    /* Full meanwhile: then the edge is that of the room to come. */
    if (end_state(end) & POLLER_WRITE)
        end_edge(end, POLLER_WRITE);
    else
        end->wants_room = true;
}

static ssize_t take(int fd, void *bytes, size_t len, enum trace_kind kind) {
    slip();
    struct end *end = end_of(fd, "recv");
    if (!end)
        return -EBADF;
    maybe_cut(end);
    /* Bytes that were seen by a peek can be thrown away for sure. */
    if (bytes && !end->is_dead && end_readable(end) && dice_chance(&world.fate, world.weather.recv_again)) {
        world_later(dice_between(&world.fate, 1, 300), read_edge, end, 0);
        world_trace(kind, fd, -EAGAIN, (int64_t)len);
        return -EAGAIN;
    }
    ssize_t got = end_take(end, bytes, len, kind == TRACE_PEEK);
    world_trace(kind, fd, got, (int64_t)len);
    return got;
}

ssize_t socket_recv(int fd, void *bytes, size_t len) {
    return take(fd, bytes, len, TRACE_RECV);
}

ssize_t socket_peek(int fd, void *bytes, size_t len) {
    return take(fd, bytes, len, TRACE_PEEK);
}

ssize_t socket_discard(int fd, size_t len) {
    return take(fd, NULL, len, TRACE_RECV);
}

/* How much of len this call shall take; a cut one is followed by an edge, as when the buffer was full. */
static size_t send_limit(struct end *end, size_t len) {
    if (end->is_dead || !end->is_connected || len == 0)
        return len;
    size_t limit = len;
    if (dice_chance(&world.fate, world.weather.send_again))
        limit = 0;
    else if (len > 1 && dice_chance(&world.fate, world.weather.send_short))
        limit = (size_t)(dice_chance(&world.fate, 300) ? 1 : dice_between(&world.fate, 1, len - 1));
    if (limit < len)
        world_later(dice_between(&world.fate, 1, 2000), write_edge, end, 0);
    return limit;
}

ssize_t socket_send(int fd, const void *bytes, size_t len) {
    struct iovec part = {(void *)(uintptr_t)bytes, len};
    return socket_send_vector(fd, &part, 1);
}

ssize_t socket_send_vector(int fd, const struct iovec *parts, int count) {
    slip();
    struct end *end = end_of(fd, "send");
    if (!end)
        return -EBADF;
    maybe_cut(end);
    if (end->other && end->other->in.fin_given)
        world_fail("send on descriptor %d after its shutdown", fd);
    size_t all = 0;
    for (int i = 0; i < count; i++)
        all += parts[i].iov_len;
    size_t limit = send_limit(end, all);
    ssize_t sent = 0, error = limit || !all ? 0 : -EAGAIN;
    for (int i = 0; i < count && limit; i++) {
        size_t len = parts[i].iov_len < limit ? parts[i].iov_len : limit;
        ssize_t took = end_give(end, parts[i].iov_base, len);
        if (took < 0 && sent == 0)
            error = took;
        if (took < 0)
            break;
        sent += took;
        limit -= (size_t)took;
        if ((size_t)took < len)
            break;
    }
    world_trace(TRACE_SEND, fd, sent ? sent : error, (int64_t)all);
    return sent ? sent : error;
}

ssize_t socket_send_file(int fd, int file, uint64_t *offset, size_t len) {
    char bytes[4096];
    struct end *end = end_of(fd, "send_file");
    size_t most =
        end && end->other && end->other->in.window < sizeof bytes ? end->other->in.window : sizeof bytes;
    ssize_t got = file_read(file, bytes, len < most ? len : most, *offset);
    if (got <= 0)
        return got;
    ssize_t sent = socket_send(fd, bytes, (size_t)got);
    if (sent > 0)
        *offset += (uint64_t)sent;
    return sent;
}

ssize_t socket_unacked(int fd) {
    struct end *end = end_of(fd, "unacked");
    return end && end->other ? (ssize_t)(end->other->in.given - end->other->in.arrived) : 0;
}

int socket_shutdown(int fd) {
    slip();
    struct end *end = end_of(fd, "shutdown");
    world_trace(TRACE_SHUTDOWN, fd, 0, 0);
    return end ? end_finish(end) : -EBADF;
}

static void listener_close(struct listener *listener) {
    while (listener->count)
        end_reset(waiting_shift(listener));
}

static void close_slot(int fd, bool with_reset) {
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (!slot || slot->kind == SLOT_FREE || slot->kind == SLOT_FILE) {
        world_fail("close of descriptor %d, which is no open socket", fd);
        return;
    }
    if (slot->kind == SLOT_LISTENER) {
        world_trace(TRACE_CLOSE, fd, 0, 0);
        listener_close(slot->listener);
    } else {
        struct end *end = slot->end;
        world_trace(with_reset ? TRACE_RESET : TRACE_CLOSE, fd, (int64_t)end_readable(end), 0);
        if (with_reset)
            end_reset(end);
        else
            end_close(end);
        end->fd = -1;
    }
    slot_drop(fd);
}

void socket_close(int fd) {
    slip();
    close_slot(fd, false);
}

void socket_reset(int fd) {
    slip();
    close_slot(fd, true);
}

int socket_tcp_info(int fd, struct socket_tcp_info *info) {
    *info = (struct socket_tcp_info){
        .rtt_us = 1000, .rtt_variance_us = 500, .send_window = 10, .receive_space = 65536};
    return end_of(fd, "tcp_info") ? 0 : -EBADF;
}

int socket_local(int fd, struct address *local) {
    struct end *end = end_of(fd, "local");
    if (!end)
        return -EBADF;
    *local = end->local;
    return 0;
}

/* "appNN" is 10.1.0.NN; nothing else has a name. */
int resolver_lookup(struct str host, uint16_t port, struct address addresses[RESOLVER_MAX],
                    const char **reason) {
    uint64_t number;
    if (address_parse(host, port, &addresses[0]))
        return 1;
    if (str_starts(host, STR("app")) && str_to_u64(str_from(host, 3), &number) && number < 256) {
        addresses[0] = net_address(10, 1, 0, (unsigned)number, port);
        return 1;
    }
    *reason = "Name or service not known";
    return 0;
}

struct port_file {
    const char *path;
    uint64_t size;
};

static const struct port_file files[] = {
    {"empty.html", 0}, {"index.html", 300}, {"a.txt", 5000}, {"big.bin", 100000}, {"one", 1}};

static const struct port_file *file_find(const char *path) {
    while (*path == '/' || (path[0] == '.' && path[1] == '/'))
        path++;
    path += strncmp(path, "files/", 6) == 0 ? 6 : 0;
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

static struct file_info file_tell(const struct port_file *file) {
    return (struct file_info){.size = file->size, .modified_s = 1700000000, .is_regular = true};
}

int file_look(const char *path, struct file_info *info) {
    slip();
    if (dice_chance(&world.fate, world.weather.file_fail))
        return fault(EIO, 1000);
    const struct port_file *file = file_find(path);
    if (!file)
        return -ENOENT;
    *info = file_tell(file);
    return 0;
}

int file_resolve(const char *path, char *real, size_t room) {
    slip();
    size_t len = strlen(path);
    if (len >= room)
        return -ENAMETOOLONG;
    memcpy(real, path, len + 1);
    return 0;
}

int file_open(const char *path, size_t trusted, struct file_info *info) {
    path += trusted;
    slip();
    if (dice_chance(&world.fate, world.weather.file_fail))
        return fault(dice_chance(&world.fate, 500) ? EMFILE : EIO, 1000);
    const struct port_file *file = file_find(path);
    if (!file)
        return -ENOENT;
    int fd = slot_take();
    if (fd < 0)
        return fault(-fd, 1000);
    world.net->slots[fd] = (struct slot){.kind = SLOT_FILE, .file = (unsigned)(file - files)};
    *info = file_tell(file);
    world_trace(TRACE_FILE, fd, (int64_t)file->size, 0);
    return fd;
}

char port_file_byte(unsigned file, uint64_t offset) {
    return (char)('a' + (offset * 7 + file * 3 + offset / 251) % 26);
}

ssize_t file_read(int fd, void *bytes, size_t len, uint64_t offset) {
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (!slot || slot->kind != SLOT_FILE) {
        world_fail("file_read on descriptor %d, which is no open file", fd);
        return -EBADF;
    }
    if (dice_chance(&world.fate, world.weather.file_fail))
        return fault(EIO, 1000);
    uint64_t size = slot->temp ? slot->temp_size : files[slot->file].size;
    size_t count = offset >= size ? 0 : len < size - offset ? len : (size_t)(size - offset);
    for (size_t i = 0; i < count; i++)
        ((char *)bytes)[i] = slot->temp ? slot->temp[offset + i] : port_file_byte(slot->file, offset + i);
    return (ssize_t)count;
}

void file_close(int fd) {
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (!slot || slot->kind != SLOT_FILE) {
        world_fail("file_close of descriptor %d, which is no open file", fd);
        return;
    }
    free(slot->temp);
    slot->temp = NULL;
    slot_drop(fd);
}

int file_temp(const char *directory) {
    (void)directory;
    slip();
    if (dice_chance(&world.fate, world.weather.file_fail))
        return fault(dice_chance(&world.fate, 500) ? EMFILE : ENOSPC, 1000);
    int fd = slot_take();
    if (fd < 0)
        return fault(-fd, 1000);
    world.net->slots[fd] = (struct slot){.kind = SLOT_FILE, .temp = malloc(1)};
    world_trace(TRACE_FILE, fd, 0, 0);
    return fd;
}

/* Names are nobody's concern here. */
int file_temp_named(const char *directory, const unsigned char levels[3], uint64_t number, char *path,
                    size_t size) {
    (void)levels, (void)number;
    if (size)
        path[0] = '\0';
    return file_temp(directory);
}

ssize_t file_write(int fd, const void *bytes, size_t len, uint64_t offset) {
    struct slot *slot = fd >= 0 && fd < NET_FDS ? &world.net->slots[fd] : NULL;
    if (!slot || !slot->temp || offset > slot->temp_size) {
        world_fail("file_write on descriptor %d at %llu", fd, (unsigned long long)offset);
        return -EBADF;
    }
    if (dice_chance(&world.fate, world.weather.file_fail))
        return fault(ENOSPC, 1000);
    size_t count = len > 1 && dice_chance(&world.fate, 100) ? (size_t)dice_between(&world.fate, 1, len) : len;
    if (offset + count > slot->temp_size) {
        char *grown = realloc(slot->temp, offset + count);
        if (!grown)
            return -ENOSPC;
        slot->temp = grown;
        slot->temp_size = offset + count;
    }
    memcpy(slot->temp + offset, bytes, count);
    return (ssize_t)count;
}

int file_truncate(int fd, uint64_t size) {
    struct slot *slot = &world.net->slots[fd];
    if (size < slot->temp_size)
        slot->temp_size = size;
    return 0;
}

int file_remove(const char *path) {
    (void)path;
    return 0;
}
