#ifndef PROXY_SNAPSHOT_H
#define PROXY_SNAPSHOT_H

#include "model/model.h"
#include "proxy/guard/zone.h"
#include "upstream/group.h"
#include "upstream/sid.h"

#include <stdatomic.h>

/* A configuration in force: the model, its groups with their peers, its open log files. Immutable; counted
 * atomically. */
struct snapshot {
    atomic_uint references;
    struct model *model;
    struct map groups;             /* upstream name -> struct group * */
    struct str *resolver_lists;    /* for each of model->resolvers, as nameserver_new takes it */
    unsigned rosters;              /* groups whose members change */
    struct log_sink **sinks;       /* one for each of model->log_files */
    struct zone **zones;           /* one for each of model->limit_zones; a reference is held */
    struct sid_table **sessions;   /* one for each of model->session_zones; likewise */
    struct tls_context **site_tls; /* by number of the site; NULL: it has no certificate */
    struct tls_context **pass_tls; /* by slot of the pass */
    struct arena_pool pool;
    struct arena arena;
};

/* Resolves, opens and verifies all that the model names. Takes the model over in either case. On an error NULL,
 * said in diagnostics. `loops`: how many loops will balance with it. Blocks. */
struct snapshot *snapshot_new(struct model *model, struct registry *registry, unsigned loops,
                              struct diagnostics *diagnostics);
/* What `after` counts as `before` does (the same zone of the same size) goes on being counted, and sessions
 * that were learned stay known. False when a zone has another key or upstream now, said in diagnostics. Before
 * `after` is in force. */
bool snapshot_keep_zones(struct snapshot *after, const struct snapshot *before,
                         struct diagnostics *diagnostics);
/* What `after` takes over from `before`, which it is to replace; before any loop has it. */
void snapshot_inherit(struct snapshot *after, const struct snapshot *before);
/* `after` is in force from now on and `before` no more (NULL: none was): peers that only `before` names are
 * gone, and the sessions they held with them. */
void snapshot_replace(struct snapshot *before, struct snapshot *after);
/* To be called about once a second by each loop: forgets learned sessions whose time is over. */
void snapshot_sweep_sessions(struct snapshot *snapshot, unsigned loop, unsigned loops, uint64_t now_ms);
/* To be called now and then by one loop: log files that gather lines write those that have waited long enough,
 * and what could not be written is said in `log`. */
void snapshot_tidy_logs(struct snapshot *snapshot, const struct log *log, uint64_t now_ms);
/* Opens the log files anew, under their names: after rotation. */
void snapshot_reopen_logs(struct snapshot *snapshot);
void snapshot_take(struct snapshot *snapshot);
void snapshot_drop(struct snapshot *snapshot);

#endif
