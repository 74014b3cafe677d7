#ifndef PROXY_VARIABLE_REWRITE_H
#define PROXY_VARIABLE_REWRITE_H

#include "proxy/exchange.h"

/* Runs what set, if, rewrite, return and break of a server or location say, nginx's rewrite module. */

enum rewrite_end {
    REWRITE_STAYS,    /* goes on with x->route, which an `if` may have changed */
    REWRITE_MOVES,    /* x->path is another one: a location is to be found for it */
    REWRITE_ANSWERED, /* x->local is the answer */
    REWRITE_CLOSED,   /* return 444, 408 or 499: the connection is to be closed without one */
    REWRITE_FAILED    /* 500: no memory, or a path of no length */
};

/* The program is not empty and belongs to x->route. */
enum rewrite_end rewrite_run(struct exchange *x, const struct program *program);
/* Gives a variable a value: a slot, $args or $limit_rate. The text outlives the exchange. False without memory.
 */
bool rewrite_set(struct exchange *x, const struct variable *target, struct str text);

#endif
