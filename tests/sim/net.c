#include "net.h"

#include "loop/poller.h"

#include <arpa/inet.h>
#include <errno.h>

/* Descriptors, listeners and how connections come about. */

void net_begin(void) {
    world.net = world_alloc(sizeof *world.net);
    world.net->ports = 20000;
}

struct address net_address(unsigned a, unsigned b, unsigned c, unsigned d, unsigned port) {
    struct address address = {.len = sizeof(struct sockaddr_in)};
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons((uint16_t)port);
    address.v4.sin_addr.s_addr = htonl(a << 24 | b << 16 | c << 8 | d);
    return address;
}

int slot_take(void) {
    struct net *net = world.net;
    if (net->open >= world.weather.fd_limit)
        return -EMFILE;
    for (int fd = NET_FIRST_FD; fd < NET_FDS; fd++)
        if (net->slots[fd].kind == SLOT_FREE) {
            net->open++;
            return fd;
        }
    return -ENFILE;
}

void slot_drop(int fd) {
    struct net *net = world.net;
    net->slots[fd] = (struct slot){.kind = SLOT_FREE};
    net->open--;
    for (int i = 0; i < net->queued; i++)
        if (net->queue[i] == fd) {
            net->queue[i] = net->queue[--net->queued];
            return;
        }
}

static void queue_put(int fd) {
    world.net->queue[world.net->queued++] = fd;
}

void end_edge(struct end *end, unsigned what) {
    end->edges |= what;
    if (end->fd >= 0 && end->is_watched && !end->is_queued) {
        end->is_queued = true;
        queue_put(end->fd);
    }
}

void listener_edge(struct listener *listener) {
    listener->edges |= POLLER_READ;
    if (listener->is_watched && !listener->is_queued) {
        listener->is_queued = true;
        queue_put(listener->fd);
    }
}

struct service *net_serve(const struct address *address, service_accept *accept, void *actor) {
    struct net *net = world.net;
    if (net->service_count == NET_SERVICES)
        return NULL;
    struct service *service = &net->services[net->service_count++];
    *service = (struct service){.address = *address, .accept = accept, .actor = actor};
    return service;
}

static size_t window_draw(void) {
    return (size_t)dice_between(&world.fate, world.weather.window_min, world.weather.window_max);
}

static void pair_make(struct end *a, struct end *b) {
    a->other = b;
    b->other = a;
    b->local = a->remote;
    b->remote = a->local;
    b->fd = -1;
    a->in.window = window_draw();
    b->in.window = window_draw();
}

static void connect_done(void *object, uint64_t error) {
    struct end *end = object;
    if (end->is_dead)
        return;
    if (end->is_closed) {
        end_answer_late(end);
        return;
    }
    end->is_connecting = false;
    if (error) {
        end->is_dead = true;
        end->error = (int)error;
    } else {
        end->is_connected = true;
        end->wants_room = false;
    }
    world_trace(error ? TRACE_REFUSED : TRACE_CONNECTED, end->fd, (int64_t)error, 0);
    if (end->tell)
        end->tell(end);
    else
        end_edge(end, error ? POLLER_READ | POLLER_WRITE | POLLER_END | POLLER_ERROR : POLLER_WRITE);
}

static struct listener *listener_find(const struct address *address) {
    for (int fd = NET_FIRST_FD; fd < NET_FDS; fd++) {
        struct slot *slot = &world.net->slots[fd];
        if (slot->kind == SLOT_LISTENER && address_port(&slot->listener->address) == address_port(address))
            return slot->listener;
    }
    return NULL;
}

/* A client's SYN comes to where the engine listens; with the backlog full it is dropped and sent again. */
static void dial_arrives(void *object, uint64_t wait_us) {
    struct end *client = object;
    if (client->is_closed)
        return;
    struct listener *listener = listener_find(&client->remote);
    if (!listener) {
        connect_done(client, ECONNREFUSED);
        return;
    }
    if (listener->count >= listener->backlog) {
        if (wait_us > 32000000)
            connect_done(client, ETIMEDOUT);
        else
            world_later(wait_us, dial_arrives, client, wait_us * 2);
        return;
    }
    client->other->is_connected = true;
    listener->waiting[(listener->first + listener->count++) % NET_BACKLOG] = client->other;
    listener_edge(listener);
    world_later(net_latency_us(), connect_done, client, 0);
}

struct end *net_dial(const struct address *from, const struct address *to, end_tell *tell, void *actor) {
    struct end *client = world_alloc(sizeof *client), *server = world_alloc(sizeof *server);
    client->local = *from;
    client->remote = *to;
    client->fd = -1;
    client->tell = tell;
    client->actor = actor;
    client->is_connecting = true;
    pair_make(client, server);
    world_trace(TRACE_DIAL, -1, address_port(from), 0);
    world_later(net_latency_us(), dial_arrives, client, 1000000);
    return client;
}

static struct service *service_find(const struct address *address) {
    for (unsigned i = 0; i < world.net->service_count; i++)
        if (address_eq(&world.net->services[i].address, address))
            return &world.net->services[i];
    return NULL;
}

static void serve_arrives(void *object, uint64_t value) {
    struct end *end = object;
    (void)value;
    if (end->is_closed || end->is_dead)
        return;
    struct service *service = service_find(&end->remote);
    if (!service || service->mode == SERVICE_REFUSE) {
        connect_done(end, ECONNREFUSED);
        return;
    }
    if (service->mode == SERVICE_HOLE) {
        world_later(127000000, connect_done, end, ETIMEDOUT);
        return;
    }
    struct end *served = end->other;
    served->is_connected = true;
    served->actor = service->actor;
    service->accept(service, served);
    world_later(net_latency_us(), connect_done, end, 0);
}

void end_connect(struct end *end) {
    struct end *served = world_alloc(sizeof *served);
    end->is_connecting = true;
    pair_make(end, served);
    served->tell = NULL;
    world_later(net_latency_us(), serve_arrives, end, 0);
}
