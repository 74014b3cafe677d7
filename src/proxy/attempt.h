#ifndef PROXY_ATTEMPT_H
#define PROXY_ATTEMPT_H

#include "base/str.h"

#include <stdint.h>

struct builder;
struct exchange;
struct variable;

/* What an exchange remembers of each server that it asked, for $upstream_addr and its like. In its arena. */

enum { ATTEMPT_NEVER = -1 };

struct attempt {
    struct attempt *next;
    struct str peer; /* its address; of nobody who could be asked the upstream's name; empty: an internal
                        redirection has happened here */
    unsigned status; /* 0: none */
    bool is_over;
    uint64_t began_ms;
    int64_t connect_ms, header_ms, response_ms; /* since began_ms; ATTEMPT_NEVER: it did not come to that */
    uint64_t length, received, sent;            /* bytes of the body, and of all */
};

/* Begins one with a server, the name outliving the exchange's group. False without memory. */
bool attempt_begin(struct exchange *x, struct str peer);
/* An internal redirection leads away from what was asked so far. Without memory it is not seen. */
void attempt_separate(struct exchange *x);
/* The present one, if there is any, has ended. */
void attempt_end(struct exchange *x, unsigned status);
/* The group is about to go: its peers' names are kept. */
void attempt_keep_names(struct exchange *x);
/* Milliseconds since the first began. */
uint64_t attempt_spent_ms(const struct exchange *x);
/* $upstream_... of the attempts. False when the variable is none of them. */
bool attempt_eval(struct exchange *x, const struct variable *variable, struct builder *out);

#endif
