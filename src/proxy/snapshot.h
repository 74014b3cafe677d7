#ifndef PROXY_SNAPSHOT_H
#define PROXY_SNAPSHOT_H

#include "model/model.h"
#include "upstream/group.h"

#include <stdatomic.h>

/* A configuration in force: the model, its groups with their peers, its open log files. Immutable; counted
 * atomically. */
struct snapshot {
    atomic_uint references;
    struct model *model;
    struct map groups;              /* upstream name -> struct group * */
    struct log_sink **access_sinks; /* one for each of model->log_paths */
    struct arena_pool pool;
    struct arena arena;
};

/* Resolves, opens and verifies all that the model names. Takes the model over in either case. On an error NULL,
 * said in diagnostics. `loops`: how many loops will balance with it. Blocks. */
struct snapshot *snapshot_new(struct model *model, struct registry *registry, unsigned loops,
                              struct diagnostics *diagnostics);
void snapshot_take(struct snapshot *snapshot);
void snapshot_drop(struct snapshot *snapshot);

#endif
