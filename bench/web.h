#ifndef BENCH_WEB_H
#define BENCH_WEB_H

#include "crowd.h"
#include "histogram.h"

/* The HTTP half of the load: polling sessions, handshakes, and visitors who come, get one page and go. */

struct poll {
    struct crowd *crowd;
    struct client *clients;
    unsigned count;
    uint64_t budget, sent, answered, closed;
    struct histogram latency;
};

/* Opens count keep-alive connections, each with an Engine.IO session of its own. */
void poll_open(struct poll *poll, struct crowd *crowd, unsigned count);
/* GET and POST in turn on each, until so many requests are answered; ends the program when one fails. */
void poll_run(struct poll *poll, uint64_t requests);

/* Connects, upgrades, takes the 101, sends a FIN and awaits the proxy's; `width` at a time, so many in all. */
struct shake {
    struct crowd *crowd;
    struct client *clients;
    unsigned width;
    uint64_t budget, done, failed;
    struct histogram latency; /* from connect to 101 */
};

void shake_init(struct shake *shake, struct crowd *crowd, unsigned width);
void shake_run(struct shake *shake, uint64_t handshakes);

/* New connections with one GET each, `rate` a second. */
struct visit {
    struct crowd *crowd;
    struct client *clients;
    unsigned width;
    uint64_t period_ns, due_ns;
    uint64_t done, failed, late; /* late: no client was free when it was due */
    struct histogram latency;
};

void visit_init(struct visit *visit, struct crowd *crowd, unsigned width, uint64_t rate);
/* Starts who is due; returns when the next one is, in ns from now. */
uint64_t visit_due(struct visit *visit, uint64_t now_ns);
/* How many are under way. */
unsigned visit_pending(const struct visit *visit);

#endif
