#ifndef UPSTREAM_PROBE_VERDICT_H
#define UPSTREAM_PROBE_VERDICT_H

#include "base/builder.h"

/* How a check may end. */
enum probe_verdict {
#define VERDICT(name, is_deadly, text) PROBE_##name,
#include "upstream/probe_verdict.def"
#undef VERDICT
    PROBE_VERDICTS
};

/* What a verdict says, for people. */
void probe_verdict_build(struct builder *out, enum probe_verdict verdict, unsigned status);
/* Does it mean that nobody is there, so that its sessions are lost too? */
bool probe_verdict_is_deadly(enum probe_verdict verdict);

#endif
