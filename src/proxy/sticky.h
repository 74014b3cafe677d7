#ifndef PROXY_STICKY_H
#define PROXY_STICKY_H

#include "proxy/exchange.h"

/* sticky cookie, route and learn: nginx's ways to bind a request to a server. (sticky sid is affinity.h's.) */

/* The member that the request is bound to, if it may be given it: once an exchange's group; NULL: by the
 * method. */
struct member *sticky_pick(struct exchange *x);
/* The answer's head is there: learns the session, where it is learned early. */
void sticky_answered(struct exchange *x);
/* The answer has been passed on: learns the session, where it is learned late. */
void sticky_end(struct exchange *x);
/* Set-Cookie with the member's id. */
void sticky_build(struct exchange *x, struct builder *out);

#endif
