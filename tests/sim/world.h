#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The world that the engine runs in when it is simulated: one virtual clock, one seed, moments in order. One
 * world exists at a time and everything below src/loop and src/net asks it. What is made in a world lives until
 * its end. */

/* A sequence of numbers drawn from a seed. */
struct dice {
    uint64_t state;
};

struct dice dice_make(uint64_t seed);
uint64_t dice_roll(struct dice *dice);
/* 0 <= result < below; 0 when below is 0. */
uint64_t dice_below(struct dice *dice, uint64_t below);
/* from <= result <= to */
uint64_t dice_between(struct dice *dice, uint64_t from, uint64_t to);
/* True `in_1000` times of 1,000. */
bool dice_chance(struct dice *dice, unsigned in_1000);

/* How likely each thing is, in 1,000, and how things are made. */
struct weather {
    unsigned accept_fail, connect_fail, recv_again, send_again, send_short, slip, jump;
    unsigned file_fail;   /* opening or reading a file */
    unsigned reset;       /* a connection of the engine is cut at a call on it */
    unsigned split;       /* the directions of one descriptor come as events of their own, in any order */
    unsigned hold;        /* an event waits for a later turn */
    unsigned shuffle;     /* the events of one turn come in another order */
    unsigned jump_max_ms; /* how far the clock jumps */
    unsigned latency_us;  /* each way, at least */
    unsigned jitter_us;   /* and up to so much more */
    size_t piece_min, piece_max;   /* bytes arrive in pieces of such sizes; 0: whole */
    size_t window_min, window_max; /* bytes a direction holds */
    int fd_limit;                  /* descriptors the engine may have */
    int backlog;                   /* connections that wait to be accepted, at most */
    bool reset_discards;           /* an arriving RST destroys what was not read */
};

typedef void moment_run(void *object, uint64_t value);

struct moment {
    uint64_t at_us, order;
    moment_run *run;
    void *object;
    uint64_t value;
};

/* What happened, for the eye and for the hash. */
enum trace_kind {
#define TRACE(name, text) TRACE_##name,
#include "trace.def"
#undef TRACE
    TRACE_COUNT
};

struct trace_line {
    uint64_t at_us;
    uint32_t kind;
    int32_t fd;
    int64_t a, b;
};

enum { TRACE_KEPT = 256, WORLD_PAGE = 1 << 18 };

struct world_page {
    struct world_page *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

struct net;

struct world {
    uint64_t seed;
    struct dice fate;   /* what the world decides */
    struct dice engine; /* what the engine draws */
    struct weather weather;
    uint64_t now_us, wall_ms;
    struct moment *moments; /* a heap */
    size_t moment_count, moment_room;
    uint64_t order;
    uint64_t harm_least_ms;       /* every fault is felt so long, because nodes are set aside for it */
    uint64_t harm, harm_until_us; /* faults so far, and until when one may still be felt */
    uint64_t hash;                /* of all trace lines */
    uint64_t trace_count;
    struct trace_line trace[TRACE_KEPT];
    struct world_page *pages, *spare;
    struct net *net;
    uint64_t calls;      /* calls of the engine on descriptors */
    uint64_t waits;      /* calls of poller_wait */
    uint64_t happenings; /* moments that have come and events that were told */
    bool is_awake;       /* poller_wake was called */
    bool is_still;       /* nothing is left that could happen, and the engine waits for ever */
    bool shows_trace;
    char failure[512]; /* the first broken invariant; empty: none */
};

/* The world there is. */
extern struct world world;

/* Begins a world anew from its seed; all of the old one is gone. Weather is calm: no fault at all. */
void world_begin(uint64_t seed);
/* Gives the memory of all worlds back. */
void world_end(void);
/* Zeroed memory until the world's end. */
void *world_alloc(size_t size);
/* The same with whatever is in it. */
void *world_room(size_t size);

uint64_t world_ms(void);
/* Something to happen after so many microseconds; of two at the same time the one said first comes first. */
void world_later(uint64_t after_us, moment_run *run, void *object, uint64_t value);
/* Runs all moments up to now. */
void world_catch_up(void);
/* Moves the clock to the next moment, but not past `until_us`, and runs all of it. False when there was none.
 */
bool world_advance(uint64_t until_us);

/* A fault that anybody alive may feel for so long. */
void world_harm(uint64_t lasting_ms);
/* An invariant is broken: the first one said is kept. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline bool world_has_failed(void) {
    return world.failure[0] != 0;
}

void world_trace(enum trace_kind kind, int fd, int64_t a, int64_t b);
/* Prints the last lines. */
void world_print_trace(unsigned lines);

#endif
