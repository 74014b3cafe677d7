#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "tool.h"

/* Many client connections on one edge-triggered epoll, each registered once. What a connection does is its
 * role. */

enum { CROWD_READ = 65536, CLIENT_TEXT = 2048, CROWD_PACE = 64 };

enum client_phase { CLIENT_CLOSED, CLIENT_CONNECTING, CLIENT_ASKING, CLIENT_OPEN };

struct crowd {
    int epoll;
    struct sockaddr_in to;
    unsigned sources;           /* how many 127.0.0.x the connections come from */
    const struct role *opening; /* whose connections crowd_open awaits: */
    unsigned settled, failed;   /* those that are open or ended; those that ended before they were open */
    /* Does what is due, and returns when the next thing is, in ns from now. May be NULL. */
    uint64_t (*due)(void *with, uint64_t now_ns);
    void *due_with;
    char why[160]; /* the first failure */
    uint8_t in[CROWD_READ];
};

struct client {
    int fd;
    unsigned index;
    enum client_phase phase;
    bool deaf;    /* does not read */
    bool blocked; /* waits to be writable */
    bool busy;    /* an answer is awaited */
    uint32_t serial;
    size_t in_at, out_at;
    uint64_t since_ns; /* when the exchange under way was due */
    const struct role *role;
    struct crowd *crowd;
    void *owner;
    uint8_t head[18]; /* the first bytes of an echo */
    char sid[32];
    size_t text_len;
    char text[CLIENT_TEXT]; /* an HTTP answer until it is whole */
};

/* The connection is closed already when `closed` is called; error is 0 after a FIN, else an errno.
   None of these may start the client again: that is for the loop. */
struct role {
    void (*connected)(struct client *c);
    void (*bytes)(struct client *c, uint8_t *data, size_t len);
    void (*writable)(struct client *c); /* may be NULL */
    void (*closed)(struct client *c, int error);
};

void crowd_init(struct crowd *crowd, struct sockaddr_in to, unsigned sources);
/* One turn of the loop; waits at most wait_ns. */
void crowd_turn(struct crowd *crowd, uint64_t wait_ns);
/* Opens `count` connections, a few at a time, and ends the program when one fails. */
void crowd_open(struct crowd *crowd, struct client *clients, unsigned count, const struct role *role,
                void *owner);
void crowd_close(struct client *clients, unsigned count);

/* Starts one connection; role, owner, index and crowd are set by the caller. A refusal is reported to
 * role->closed. */
void client_start(struct client *c);
/* Closes without telling the role. */
void client_close(struct client *c);
/* The connection is as its role wants it. */
void client_opened(struct client *c);
/* A deaf client reads again, at once what is there. */
void client_listen(struct client *c);
/* Closes, keeps the reason if it is the first, and tells the role. */
void client_fail(struct client *c, int error, const char *why);
/* Sends a small text at once; a socket that does not take it counts as failed. */
bool client_send(struct client *c, const char *text, size_t len);
/* Sends a WebSocket upgrade request for path. */
void client_upgrade(struct client *c, const char *path);
/* Takes an upgrade's answer. True when the 101 is there: *data, *len is then what came behind it. */
bool client_upgraded(struct client *c, uint8_t **data, size_t *len);

struct answer {
    int status;
    const char *body;
    size_t body_len;
};

/* Gathers an HTTP answer; true when it is whole. Anything the tool does not expect of a proxy fails the client.
 */
bool client_answered(struct client *c, const uint8_t *data, size_t len, struct answer *out);

#endif
