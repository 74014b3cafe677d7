#ifndef PROXY_ENGINE_H
#define PROXY_ENGINE_H

#include "base/log.h"
#include "base/slab.h"
#include "codec/h1_head.h"
#include "loop/loop.h"
#include "proxy/snapshot.h"
#include "proxy/tally.h"
#include "upstream/health.h"
#include "upstream/idle.h"
#include "upstream/roster.h"
#include "upstream/sid.h"

/* All of the proxy that one loop runs: listeners, fronts, exchanges, tunnels and their memory. Everything here
 * is touched by its own loop's thread only, but for engine_new before the loop runs. */

struct exchange;
struct engine;

struct engine_setup {
    struct loop *loop;
    unsigned index, loops;     /* which loop of how many */
    const struct log *log;     /* copied */
    struct sid_table *sids;    /* shared; outlives the engine */
    struct registry *registry; /* shared; outlives the engine */
    struct tally *tallies;     /* one a loop, shared; outlive the engine; NULL: it has one of its own */
    int descriptor_limit;      /* of the process: the last few are kept back and answered 503; 0: not known */
    unsigned pid;              /* for $pid */
    void (*tick)(struct engine *engine); /* once a second on loop 0; NULL: nothing */
    void (*report)(struct exchange *x);  /* prepares the answer of a route that reports; NULL: none does */
    void *report_context;                /* for both */
    const char *hostname; /* for $hostname; static or longer-lived than the engine; may be NULL */
};

struct engine_counts {
    size_t fronts, exchanges, tunnels;
    uint64_t accepted, requests, upgraded, bad_requests;
    size_t buffered_bytes; /* kept for sides that did not take them, or of heads that are not whole */
};

/* The snapshot in force, or an older one that exchanges of this loop still use; counted here so that a request
 * does not touch memory shared with other loops. */
struct snapshot_hold {
    struct snapshot *snapshot;
    size_t users;
    struct dns **dns; /* one for each of model->resolvers, made when it is first asked; NULL: not yet */
    struct tls_store **stores; /* one for each of model->certificate_caches, likewise */
    struct roster **rosters;   /* one for each of the snapshot's groups whose members change */
    struct task burial;
};

enum { ENGINE_DATE_MAX = 64 };

struct engine {
    struct loop *loop;
    unsigned index, loops;
    struct log log;
    struct sid_table *sids;
    struct registry *registry;
    int descriptor_limit;
    unsigned pid;
    void (*tick)(struct engine *engine);
    void (*report)(struct exchange *x);
    void *report_context;
    const char *hostname;
    struct tally *tallies, *tally; /* of all loops; of this one */
    struct tally own_tally;
    struct snapshot_hold *hold; /* in force; NULL before engine_install */

    struct duct_pool *ducts;
    struct idle_pool *idle;
    struct health *health;    /* of loop 0 alone; else NULL */
    struct arena_pool arenas; /* for exchanges */
    struct slab fronts, exchanges, tunnels, walks;
    struct list listeners, front_list, exchange_list, tunnel_list;

    char *back_scratch; /* LOOP_SCRATCH_BYTES: what backs are read into; fronts and tunnels use loop->scratch */
    char *stage;        /* GATHER_STAGE_BYTES: where messages are put together */
    struct h1_head head; /* where heads are parsed, before they are kept */

    struct password_cache *passwords; /* of auth_basic; NULL until there was a slow one */

    struct engine_counts counts;
    struct timer sweep;       /* once a second: idle sessions, memory no longer needed */
    struct list queue;        /* exchanges that wait for a server, the first to come first */
    struct task queue_task;   /* a server of this loop's has become free */
    struct timer queue_timer; /* looks for those that other loops have let go */

    uint64_t date_s;  /* the second that the texts below stand for */
    uint64_t date_ms; /* loop->now_ms when that was looked at last */
    char date_http[ENGINE_DATE_MAX], date_log[ENGINE_DATE_MAX], date_iso[ENGINE_DATE_MAX];

    bool is_draining;
    void (*drained)(void *);
    void *drained_context;
};

/* NULL without memory or descriptors. */
struct engine *engine_new(const struct engine_setup *setup);
/* Ends everything at once and frees it. */
void engine_free(struct engine *engine);

/* Puts a snapshot in force between two turns: new requests use it; exchanges under way finish with their own.
 * Takes a reference. Listeners that it does not name stop accepting. False without memory: all stays as it was.
 */
bool engine_install(struct engine *engine, struct snapshot *snapshot);
/* Accepts connections on an open listening socket, the engine's from now on, for the listener `slot` among the
 * installed snapshot's model->listens. 0 or negative errno. */
int engine_listen(struct engine *engine, int fd, unsigned slot);
/* Stops accepting at all, closes idle connections, lets exchanges and tunnels finish; `done` runs on the loop
 * when the last is gone. */
void engine_drain(struct engine *engine, void (*done)(void *), void *context);
/* Takes a drain back: what is under way goes on as if it had not been, and sockets may be listened on again. */
void engine_undrain(struct engine *engine);
/* For the simulator, which asks it each turn: walks all live objects and calls `report` for each that breaks a
 * rule (no deadline armed, a buffer not counted). The number of reports. */
size_t engine_check(const struct engine *engine, void (*report)(void *context, const char *what),
                    void *context);

/* For the rest of the folder. */
void engine_hold_drop(struct engine *engine, struct snapshot_hold *hold);
/* Who answers for a resolver of the hold's snapshot; NULL without memory. */
struct dns *engine_dns(struct engine *engine, struct snapshot_hold *hold, const struct resolver *resolver);
/* The group of an upstream of the hold's snapshot, as it is now. */
struct group *engine_group(const struct snapshot_hold *hold, const struct upstream *upstream);
/* Brings date_http, date_log and date_iso up to date. */
void engine_date_update(struct engine *engine);
/* Called whenever a front or tunnel has gone: ends a drain. */
void engine_note_gone(struct engine *engine);

#endif
