#ifndef UPSTREAM_PROBE_H
#define UPSTREAM_PROBE_H

#include "model/check.h"
#include "net/duct.h"
#include "upstream/probe_verdict.h"

/* One active check of one server: connects, says what the check says, judges the answer. */

struct probe;
/* The check is over; the probe is gone. `status` is the answer's, 0 when there was none. */
typedef void probe_done(void *context, enum probe_verdict verdict, unsigned status);

/* Begins one; `done` comes later, never from within. The address is copied, the check outlives the probe. NULL
 * on a shortage of our own, which says nothing of the server. */
struct probe *probe_begin(struct loop *loop, struct duct_pool *ducts, const struct address *address,
                          const struct check *check, probe_done *done, void *context);
/* Ends it without a verdict. */
void probe_cancel(struct probe *probe);

#endif
