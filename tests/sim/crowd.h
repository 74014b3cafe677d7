#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include "node.h"

/* All who live around the engine in one world: clients of every kind, and the nodes. */

enum { CROWD_CLIENTS = 64, CROWD_NODES = 4 };

/* What kind of world it is; drawn from the seed, or set by a test. */
struct profile {
    bool is_calm;      /* nobody does wrong and nothing fails: everything must come out whole */
    unsigned misdeeds; /* of backends, in 1,000 requests */
    unsigned wrongs;   /* of clients, in 1,000 */
    uint64_t body_max; /* bytes, typically */
    unsigned delay_max_ms;
    unsigned clients, nodes;
    bool has_upgrade, has_files, has_return, has_sticky; /* what the configuration offers */
    bool has_malformed, has_sessions, has_guard;
    bool is_stream; /* the engine passes connections on as they are, to nodes chosen by the client's address */
    bool forgives;  /* the configuration sets no node aside for its misdeeds */
};

struct crowd;

struct client {
    struct crowd *crowd;
    unsigned index;
    struct address from;
    bool is_done;
    void (*give_up)(struct client *client); /* closes all it has, at once */
    void *self;
};

struct crowd {
    struct profile profile;
    struct client *clients[CROWD_CLIENTS];
    unsigned client_count, done, expected, started;
    struct node *nodes[CROWD_NODES];
    struct address front;
    bool is_healed;
};
extern struct crowd crowd;

void crowd_begin(const struct profile *profile, const struct address *front);
/* A client of a kind drawn from fate begins after so many milliseconds. */
void crowd_add(unsigned after_ms);
void crowd_add_all(void);
bool crowd_is_done(void);
struct client *client_new(void *self, void (*give_up)(struct client *client));
void client_done(struct client *client);
/* Those who are not done close everything. */
void crowd_give_up(void);

/* A request of random shape with a random plan for its answer. */
struct ask *ask_draw(enum ask_kind kind);
/* Its text: head and no body. */
void ask_build(const struct ask *ask, struct builder *out);

/* One answer as a client reads it. */
struct answer {
    struct plain_head head;
    struct plain_body body;
    struct ask *ask;
    bool has_head, is_own, is_text, closes;
    char text[512]; /* of a body that is no pattern */
    size_t text_len;
    unsigned continues; /* 100s seen */
};
enum answer_result { ANSWER_MORE, ANSWER_WHOLE, ANSWER_SWITCHED, ANSWER_BROKEN };
/* Reads on; ANSWER_BROKEN when the connection ended before the answer did. */
enum answer_result answer_read(struct answer *answer, struct wire *wire, struct ask *ask);

void http_client_start(void);
void ws_client_start(void);
void eio_client_start(void);
void bad_client_start(void);
/* Connects, sends part of something, and goes or stays; expects to be freed. */
void rude_client_start(void);

#endif
