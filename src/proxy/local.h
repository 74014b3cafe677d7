#ifndef PROXY_LOCAL_H
#define PROXY_LOCAL_H

#include "proxy/exchange.h"

/* Answers of our own: for what went wrong, for `return`, for files. */

/* The answer for x->why. */
void local_prepare_why(struct exchange *x);
/* nginx's small page for a status. */
void local_prepare_status(struct exchange *x, unsigned status);
/* The route's `return`. False: the connection is to be closed without an answer (444). */
bool local_prepare_return(struct exchange *x);
/* A redirect; a target that begins with '/' is made absolute. False without memory. */
bool local_prepare_redirect(struct exchange *x, unsigned status, struct str target);
/* Writes a redirection's target as it stands in Location: made absolute when it begins with '/'. */
void local_build_location(struct exchange *x, struct builder *out, struct str target);
/* nginx's small HTML page for a status, in static memory. */
struct str local_page(unsigned status);
/* Closes what an answer had open. */
void local_close(struct exchange *x);

#endif
