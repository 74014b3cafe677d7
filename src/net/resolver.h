#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "net/address.h"

enum { RESOLVER_MAX = 16 }; /* addresses a name: more are cut */

/* All TCP addresses of `host` (a literal or a name, through the system's resolver; of the families this
 * machine has, AI_ADDRCONFIG), in the system's order, without doubles: nginx's choice, on which hashes rest.
 * Blocks: only for loading a configuration, never on a loop. The count, or 0 with *reason a static text. */
int resolver_lookup(struct str host, uint16_t port, struct address addresses[RESOLVER_MAX],
                    const char **reason);

#endif
