#ifndef UPSTREAM_PROBE_H
#define UPSTREAM_PROBE_H

#include "model/check.h"
#include "net/duct.h"

/* One active check of one server: connects, says what the check says, judges the answer. */

enum probe_verdict {
#define VERDICT(name, is_deadly, text) PROBE_##name,
#include "upstream/probe.def"
#undef VERDICT
    PROBE_VERDICTS
};

struct probe;
/* The check is over; the probe is gone. `status` is the answer's, 0 when there was none. */
typedef void probe_done(void *context, enum probe_verdict verdict, unsigned status);

/* Begins one; `done` comes later, never from within. The address is copied, the check outlives the probe. NULL
 * on a shortage of our own, which says nothing of the server. */
struct probe *probe_begin(struct loop *loop, struct duct_pool *ducts, const struct address *address,
                          const struct check *check, probe_done *done, void *context);
/* Ends it without a verdict. */
void probe_cancel(struct probe *probe);

/* What a verdict says, for people. */
void probe_verdict_build(struct builder *out, enum probe_verdict verdict, unsigned status);
/* Does it mean that nobody is there, so that its sessions are lost too? */
bool probe_verdict_is_deadly(enum probe_verdict verdict);

#endif
