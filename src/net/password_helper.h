#ifndef NET_PASSWORD_HELPER_H
#define NET_PASSWORD_HELPER_H

#include "base/str.h"
#include "loop/loop.h"

/* Passwords that are slow on purpose are looked at by a thread that does nothing else, so that no loop waits.
 * Implemented in password_helper.c, and by the simulator. */

enum { PASSWORD_JOBS_MAX = 64 }; /* that wait: a guesser is not to fill the memory */

/* One question; its memory is the caller's until `done` is called. */
struct password_job {
    struct letter letter; /* the answer's way back */
    struct loop *loop;
    struct password_job *next;
    void (*done)(struct password_job *job); /* on the loop, later than password_ask */
    struct str stored, given;               /* live as long as the job */
    bool is_right;
};

/* Any loop's thread; loop, done, stored and given are set. False: too many wait, and nothing comes of it. */
bool password_ask(struct password_job *job);
/* Once all of a loop's jobs are done: the helper is no longer at that loop either, which may go. */
void password_settle(void);

#endif
