#ifndef BENCH_SCENE_H
#define BENCH_SCENE_H

#include "crowd.h"
#include "talk.h"
#include "watch.h"
#include "web.h"

#include <sys/types.h>

/* Trouble beside ordinary traffic: talkers and visitors go on at a fixed rate, before and during it, so that
   what the trouble costs them can be told. Each function prints one JSON object. */

struct scene_settings {
    struct crowd *crowd;
    pid_t watch;
    unsigned talkers, talk_size;
    uint64_t talk_rate, visit_rate; /* a second */
    uint64_t hold_ms;               /* how long each half lasts */
    unsigned troubles;              /* stalled readers, slow writers or signals */
    uint64_t flood_bytes;           /* what the backend offers each stalled reader */
    uint64_t resume_ms;             /* 0: stalled readers never read again; otherwise how long they may take */
    uint64_t interval_ms;           /* between signals */
    int signal;
};

/* Readers that stop after the 101 while the backend floods them. */
void scene_stall(const struct scene_settings *settings);
/* Clients that send a request's head, one byte a second. */
void scene_slow(const struct scene_settings *settings);
/* Signals to the watched process, under talking tunnels. */
void scene_reload(const struct scene_settings *settings);

#endif
