#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "admin/census.h"
#include "admin/history.h"

/* The same for Prometheus, text exposition format 0.0.4; each metric is told in docs/metrics.md. */
void metrics_build(struct builder *out, const struct census *census, const struct history_facts *facts);

#endif
