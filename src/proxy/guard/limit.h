#ifndef PROXY_GUARD_LIMIT_H
#define PROXY_GUARD_LIMIT_H

#include "proxy/guard/guard.h"

/* limit_req and limit_conn. A request is counted once, whatever internal redirections it goes through; one that
 * becomes a tunnel is a connection for as long as that lives. */

struct limit_hold;

enum guard_verdict limit_requests_check(struct exchange *x, const struct guard *guard);
enum guard_verdict limit_connections_check(struct exchange *x, const struct guard *guard);
/* Leaves all that is held; *holds is NULL then. */
void limit_release(struct limit_hold **holds);
/* What the exchange is counted in, from now on the caller's; NULL: nothing. */
struct limit_hold *limit_give(struct exchange *x);
/* What $limit_req_status says: "PASSED", ...; empty: no limit was asked. */
struct str limit_outcome_name(enum limit_outcome outcome);

#endif
