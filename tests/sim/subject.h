#ifndef SIM_SUBJECT_H
#define SIM_SUBJECT_H

#include "base/str.h"
#include "loop/loop.h"

/* What is under test in the world: the engine (subject_engine.c), or a toy that proves the world (toy.c).
 * Chosen at link time; one at a time. */

struct subject_counts {
    size_t fronts, exchanges, tunnels, idle_backs, buffered_bytes;
};

/* Reads the configuration and listens on every address in it. False when it cannot, said on stderr; without
 * memory or descriptors false too, and nothing is left. */
bool subject_start(struct loop *loop, struct str configuration);
/* Puts another configuration in force; false: the old one goes on. */
bool subject_reload(struct str configuration);
struct subject_counts subject_count(void);
/* What the subject finds wrong with itself; NULL: nothing. */
const char *subject_check(void);
/* The state of the first exchange by its name in the table; "": there is none. */
const char *subject_state(void);
/* Stops accepting and finishes; *is_drained becomes true when all is gone. */
void subject_drain(bool *is_drained);
void subject_stop(void);
/* Log lines of the engine on stderr. */
extern bool subject_is_loud;

#endif
