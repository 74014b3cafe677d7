#ifndef PROXY_LISTENER_H
#define PROXY_LISTENER_H

#include "proxy/engine.h"

/* A listening socket of one loop. Lives until it is closed and its last front has gone. */
struct listener {
    struct ev ev;
    struct engine *engine;
    struct list node;            /* in engine->listeners, until it is freed */
    const struct listen *listen; /* in the snapshot in force; NULL: no longer named, accepts nothing */
    char *text;                  /* canonical address, by which the next snapshot's is found */
    size_t fronts;
    struct listen_meter *meter; /* this loop's; NULL: there was no memory for it */
    struct timer pause;         /* no descriptors or memory: accepts again when it fires */
    bool is_closed;
    struct task burial;
};

/* Takes fd over. NULL on shortage, and then fd is closed. */
struct listener *listener_new(struct engine *engine, int fd, const struct listen *listen);
/* Stops accepting; the memory goes when the last front has. */
void listener_close(struct listener *listener);
/* A front of it more, or less. */
void listener_take_front(struct listener *listener);
void listener_drop_front(struct listener *listener);

#endif
