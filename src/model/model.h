#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/site.h"
#include "model/value_map.h"

#include "base/log.h"

/* A variable that the configuration makes itself. */
struct slot {
    struct str name;
    bool is_set; /* by `set`: it is worth a warning when it is read before that */
};

/* What is said of the process itself. */
struct process_settings {
    struct str user, group; /* empty: it stays who it is; the group named like the user */
    struct place user_place;
    struct str directory; /* working_directory */
    bool is_transparent;  /* some proxy_bind is: takes CAP_NET_RAW */
    struct place transparent_place;
    int priority;
    bool has_core_bytes;
    uint64_t core_bytes;         /* worker_rlimit_core */
    VEC(struct str) environment; /* NAME=VALUE */
    bool is_affinity_auto;       /* a processor for each loop, in turn; of those that the mask names */
    VEC(struct str) masks; /* worker_cpu_affinity: binary digits, one for each loop; the last for the rest */
};

struct log_file {
    struct str path;     /* or "syslog:..." */
    size_t buffer_bytes; /* 0: each line is written at once */
    uint64_t flush_ms;   /* 0: when the buffer is full */
    unsigned gzip_level; /* 0: not compressed */
};

/* What hawser was told, whole: built once by a dialect, then immutable and read by all threads. It owns an
 * arena in which everything in it lives, and the regular expressions it lists. */
struct model {
    struct arena_pool pool;
    struct arena arena;

    unsigned loops;                   /* worker_processes; 0: auto */
    uint64_t worker_connections;      /* 0: not said */
    bool is_daemon;                   /* daemon on */
    struct str pid_path;              /* empty: none is written */
    VEC(struct error_log) error_logs; /* the program's own; empty: not said */
    uint64_t descriptors;             /* worker_rlimit_nofile; 0: as found */
    uint64_t shutdown_timeout_ms;     /* worker_shutdown_timeout: how long a graceful end waits; 0: no limit */
    struct process_settings process;
    bool has_reports;      /* a route tells of the program itself */
    bool names_body_files; /* some text names $request_body_file: a body's file has a name while it is there */
    bool keeps_sent_heads; /* some text names $sent_http_...: heads are kept as they were sent */

    struct map *types; /* the built-in ones, for policies whose `types` is not said; NULL: not made */

    VEC(struct listen *) listens;
    VEC(struct site *) sites;
    VEC(struct upstream *) upstreams; /* implicit ones included */
    VEC(struct resolver *) resolvers;
    VEC(struct route *) secure_routes; /* those that pass to https:// */
    VEC(struct certificate_cache *) certificate_caches;
    struct str certificate_directory; /* where certificates lie whose names have variables; ends with '/' */
    VEC(struct value_map *) maps;
    VEC(struct log_file) log_files; /* of all logs but the program's own, each once */
    VEC(struct slot) slots; /* the variables that the configuration makes itself: a value a request each */
    VEC(struct limit_zone *) limit_zones;
    VEC(struct session_zone *) session_zones;
    VEC(struct trusted *) trusted_names; /* of set_real_ip_from: the snapshot resolves them */
    VEC(struct str) temp_directories;    /* those that are said: made when the configuration is loaded */
    VEC(struct regex *) regexes;         /* freed with the model */
    VEC(struct str) files;               /* every file read, for -T, with contents below */
    VEC(struct str) file_contents;
};

/* An empty model with nginx's defaults; NULL without memory. */
struct model *model_new(void);
void model_free(struct model *model);

/* The upstream block of that name, in any letter case, of http or of stream: each has its own. NULL: there is
 * none. */
struct upstream *model_find_upstream(const struct model *model, struct str name, bool is_stream);

/* What nginx's defaults give; for dialects to begin with. */
void policy_init(struct policy *policy);
void site_init(struct site *site);

/* Canonical text, one fact a line, stable across versions of the program: for golden tests. */
void model_print(struct builder *out, const struct model *model);

/* What can be said of a model as such, whatever its dialect: read timeouts not above 45 s where Socket.IO may
 * pass, ports that differ from their siblings' by a typing slip, upstreams nobody uses, several servers without
 * any affinity. Of a model that was read with errors only what they cannot be the reason of. */
void model_lint(const struct model *model, struct diagnostics *diagnostics);

#endif
