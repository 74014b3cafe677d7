#ifndef MODEL_PRINT_UPSTREAM_PRINT_H
#define MODEL_PRINT_UPSTREAM_PRINT_H

#include "base/builder.h"
#include "model/upstream.h"

/* A line: the name servers, and how long they are waited for. */
void upstream_print_resolver(struct builder *out, unsigned depth, const struct resolver *resolver,
                             uint64_t timeout_ms);
/* The lines of an upstream. */
void upstream_print(struct builder *out, const struct upstream *upstream);

#endif
