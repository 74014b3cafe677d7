#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "setting.h"

#include "loop/loop.h"

/* One world from its beginning to its end, with the invariants looked at each turn. */

struct stage {
    struct setting setting;
    struct loop loop;
    bool is_running;
    uint64_t turns, quiet_turns, quiet_since_ms, happenings;
    struct {
        size_t blocks, bytes;
    } before; /* memory in use before it began */
};
extern struct stage stage;

/* Begins the world of `seed` with the setting that `choose` makes (NULL: drawn from the seed), the nodes and
 * the subject. False when it could not start. */
bool stage_open(uint64_t seed, void (*choose)(struct setting *setting));
/* One turn, waiting at most so long; then the invariants. False once one is broken. */
bool stage_turn(uint64_t most_ms);
/* Turns until `is_so` says so, or so much time has passed: false. */
bool stage_until(bool (*is_so)(void), uint64_t most_ms);
/* All is gone: counts, descriptors, memory. */
void stage_close(void);

/* A whole world as the seed draws it. False with world.failure. */
bool stage_play(uint64_t seed, void (*choose)(struct setting *setting));

#endif
