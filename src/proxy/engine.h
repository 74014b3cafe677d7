#ifndef PROXY_ENGINE_H
#define PROXY_ENGINE_H

#include "base/log.h"
#include "loop/loop.h"
#include "model/model.h"
#include "net/address.h"
#include "upstream/sid.h"

/* All of the proxy that one loop runs: listeners, fronts, exchanges, tunnels and their memory. Everything here
 * is touched by its own loop's thread only, but for engine_new before the loop runs. */

struct engine;
struct snapshot;

struct engine_setup {
    struct loop *loop;
    unsigned index, loops;  /* which loop of how many */
    const struct log *log;  /* copied */
    struct sid_table *sids; /* shared; outlives the engine */
};

/* NULL without memory or descriptors. */
struct engine *engine_new(const struct engine_setup *setup);
/* Ends everything at once and frees it. */
void engine_free(struct engine *engine);

/* Puts a snapshot in force between two turns: new requests use it; exchanges under way finish with their own.
 * Takes a reference. */
void engine_install(struct engine *engine, struct snapshot *snapshot);
/* Accepts connections on an open listening socket, which is the engine's from now on, for the snapshot's
 * listener number `slot` (snapshot_slot). 0 or negative errno. */
int engine_listen(struct engine *engine, int fd, unsigned slot);
/* Stops accepting on every slot that the snapshot in force does not have any more. */
void engine_close_stale(struct engine *engine);
/* Stops accepting at all, closes idle connections, lets exchanges and tunnels finish; `done` runs on the loop
 * when the last is gone. */
void engine_drain(struct engine *engine, void (*done)(void *), void *context);

struct engine_counts {
    size_t fronts, exchanges, tunnels, idle_backs;
    uint64_t accepted, requests, upgraded, bad_requests;
    size_t buffered_bytes; /* kept for sides that did not take them */
};
struct engine_counts engine_count(const struct engine *engine);

#endif
