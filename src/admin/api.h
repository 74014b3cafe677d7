#ifndef ADMIN_API_H
#define ADMIN_API_H

#include "admin/census.h"
#include "admin/history.h"

/* The state of the program as JSON, as docs/status.md describes it. One line, ended by a newline. `history` may
 * be NULL: then the past is left out. */
void api_build(struct builder *out, const struct engine *engine, const struct census *census,
               struct history *history);

#endif
