#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "plain.h"
#include "tube.h"

#include "base/builder.h"
#include "base/list.h"

/* A backend: an HTTP server, WebSocket server and Engine.IO node that does what the ledger's plans say and
 * judges every byte it is given. */

enum node_health { NODE_UP, NODE_HANGS, NODE_HOLE, NODE_DEAD };

struct node {
    unsigned index;
    struct service *service;
    enum node_health health;
    unsigned epoch; /* grows with each death */
    struct list calls;
    uint64_t accepted, seen;
};

enum call_state { CALL_HEAD, CALL_BODY, CALL_PAUSE, CALL_ANSWER, CALL_TUNNEL, CALL_OVER };

/* One connection that the engine has made. */
struct call {
    struct list peers; /* in node->calls */
    struct node *node;
    struct wire wire;
    struct tube tube;
    enum call_state state;
    struct ask *ask; /* under way */
    struct plain_body body;
    bool body_is_done, is_answered, is_upgrade;
    bool has_begun, is_cut; /* the answer; it breaks off on purpose */
    uint64_t handled;       /* requests so far */
    unsigned turn;          /* counts states, so that a moment that comes late is known */
    char key[64];           /* Sec-WebSocket-Key */
};

struct node *node_new(unsigned index, const struct address *address);
/* Death resets every connection and refuses new ones. */
void node_change(struct node *node, enum node_health health);
/* Connections the engine holds to it. */
unsigned node_calls(const struct node *node);

/* call_answer.c */
/* Begins the answer to call->ask by its plan; true when it goes on later. */
void call_answer(struct call *call);
/* All of the answer is on the wire: the next request may come. */
void call_done(struct call *call);
void call_end(struct call *call, bool with_reset);
/* The way to Sec-WebSocket-Accept of RFC 6455 4.2.2; out holds 29 bytes. */
void node_accept(const char *key, char *out);

#endif
