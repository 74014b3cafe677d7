#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

#include "net/address.h"

#include <sys/types.h>

/* The wires of the world: connections of two ends, one of which is the engine's (a descriptor), the other an
 * actor's (told by a function). */

enum { NET_FDS = 1024, NET_FIRST_FD = 3, NET_SERVICES = 16 };

/* One direction: what was given by one end and not yet taken by the other. Positions count from the first byte
 * ever. */
struct flow {
    char *bytes;
    size_t room;   /* of `bytes` */
    size_t window; /* how much may be between `taken` and `given` */
    uint64_t given, arrived, taken;
    uint64_t last_us; /* when the last thing sent arrives: nothing overtakes */
    bool fin_given, fin_arrived;
};

struct end;
/* Something has changed at an actor's end: bytes, room, connected, or an end of any kind. */
typedef void end_tell(struct end *end);

struct end {
    struct end *other;
    struct flow in; /* towards this end */
    struct address local, remote;
    end_tell *tell; /* an actor's; NULL: the engine's */
    void *actor;
    int fd;    /* -1: not the engine's, or not accepted yet, or closed */
    void *tag; /* the poller's */
    int error; /* pending, positive errno */
    unsigned edges;
    bool is_watched, is_queued;
    bool is_connecting, is_connected, is_closed, is_dead; /* dead: by RST or error; nothing goes any more */
    bool wants_room;                                      /* a give took less than all */
    bool has_hup_told;
    bool is_lost; /* the other side of it has vanished: nothing arrives any more */
};

enum service_mode { SERVICE_OPEN, SERVICE_REFUSE, SERVICE_HOLE };

/* Where an actor listens. */
struct service;
typedef void service_accept(struct service *service, struct end *end);
struct service {
    struct address address;
    enum service_mode mode;
    service_accept *accept;
    void *actor;
};

/* Where the engine listens. */
struct listener {
    struct address address;
    struct end **waiting; /* accepted by the kernel, not by the engine; NET_BACKLOG places */
    unsigned first, count, backlog;
    int fd;
    void *tag;
    unsigned edges;
    bool is_watched, is_queued;
};
enum { NET_BACKLOG = 128 };

struct slot {
    enum { SLOT_FREE, SLOT_END, SLOT_LISTENER, SLOT_FILE } kind;
    struct end *end;
    struct listener *listener;
    unsigned file;
    char *temp; /* a temporary file's bytes; NULL: one that is served */
    size_t temp_size;
};

struct net {
    struct slot slots[NET_FDS];
    int open;           /* descriptors of the engine now */
    int queue[NET_FDS]; /* descriptors with edges to be told */
    int queued;
    struct service services[NET_SERVICES];
    unsigned service_count;
    unsigned ports;
};

/* Begins the wires of a new world. */
void net_begin(void);

struct address net_address(unsigned a, unsigned b, unsigned c, unsigned d, unsigned port);

/* Actors. */
struct service *net_serve(const struct address *address, service_accept *accept, void *actor);
/* Dials a listener of the engine; told when connected or refused. */
struct end *net_dial(const struct address *from, const struct address *to, end_tell *tell, void *actor);
/* The client behind this end is gone without a word: nothing more passes in either direction. */
void end_vanish(struct end *end);

/* Both kinds of ends: a count, 0 at the other's FIN, or a negative errno. */
ssize_t end_take(struct end *end, void *bytes, size_t len, bool is_peek);
ssize_t end_give(struct end *end, const void *bytes, size_t len);
int end_finish(struct end *end);
void end_close(struct end *end);
void end_reset(struct end *end);
/* An error strikes both sides, as when a middlebox drops the connection. */
void end_break(struct end *end, int error);

static inline size_t end_readable(const struct end *end) {
    return (size_t)(end->in.arrived - end->in.taken);
}

/* Below: for the ports only. */
int slot_take(void);
void slot_drop(int fd);
void end_edge(struct end *end, unsigned what);
void listener_edge(struct listener *listener);
unsigned end_state(const struct end *end);
/* Begins what socket_connect promises. */
void end_connect(struct end *end);
/* A connection came about whose maker had closed meanwhile. */
void end_answer_late(struct end *end);
uint64_t net_latency_us(void);

#endif
