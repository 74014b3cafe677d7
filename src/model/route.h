#ifndef MODEL_ROUTE_H
#define MODEL_ROUTE_H

#include "base/log.h"
#include "base/map.h"
#include "model/expires.h"
#include "model/guard.h"
#include "model/pass.h"
#include "model/rewrite.h"
#include "model/status_report.h"
#include "model/stream.h"
#include "model/tls.h"

/* Which request gets what treatment: location blocks and what holds in them. */

struct header_rule {
    struct str name;
    struct template value; /* evaluates to "": the field is not sent */
    bool is_always;        /* add_header ... always */
    enum header_kind {
        HEADER_ADDS,
        HEADER_IS_ETAG,
        HEADER_IS_LAST_MODIFIED
    } kind; /* of add_header: the last
two stand in for the answer's own */
};

/* add_header's of a block, and with add_header_inherit merge those of the blocks around it. */
struct header_rules {
    VEC(struct header_rule) rules;
    const struct header_rules *outer; /* they come behind; NULL: none */
};

enum header_inherit { INHERIT_ON, INHERIT_OFF, INHERIT_MERGE };

struct log_format {
    struct str name;
    struct template text;
    enum log_escape { LOG_ESCAPE_DEFAULT, LOG_ESCAPE_JSON, LOG_ESCAPE_NONE } escape;
};

struct access_log {
    struct str path;      /* made absolute against the prefix */
    struct template file; /* the path when it has variables: then there is no sink; else empty */
    struct log_format *format;
    struct template condition; /* "" or "0": the line is not written; empty: it always is */
    unsigned sink;             /* index among the model's log files */
};

struct error_log {
    struct str path; /* made absolute against the prefix */
    enum log_level level;
    unsigned sink;
};

enum next_upstream { /* bits: when to try the next server */
                     NEXT_ERROR = 1,
                     NEXT_TIMEOUT = 2,
                     NEXT_INVALID_HEADER = 4,
                     NEXT_NON_IDEMPOTENT = 8,
                     NEXT_403 = 16,
                     NEXT_404 = 32,
                     NEXT_429 = 64,
                     NEXT_500 = 128,
                     NEXT_502 = 256,
                     NEXT_503 = 512,
                     NEXT_504 = 1024,
};

/* error_page CODE ... [=[RESPONSE]] TARGET: one for each code. */
struct error_page {
    unsigned status;        /* of the answer that this stands in for */
    bool keeps_status;      /* no "=": the target's answer gets the status above */
    unsigned response;      /* else the status it gets; 0: the target's own */
    struct template target; /* a path (with arguments), @NAME, or a URL to redirect to */
};

/* try_files: one name after the other is looked for. */
struct try_name {
    struct template name;
    bool is_directory; /* it was written with a '/' at its end, which is not in the name */
};

struct try_files {
    VEC(struct try_name) names; /* the last one is where to go when nothing is found: a path or @NAME */
    unsigned status;            /* or this is answered then, and all names are looked for */
};

/* What Server and our own pages say: name and version, the name alone, or (Server only) a text. */
enum server_tokens { SERVER_TOKENS_ON, SERVER_TOKENS_OFF, SERVER_TOKENS_BUILD, SERVER_TOKENS_TEXT };

#define POLICY_ALIAS_WHOLE SIZE_MAX

/* lingering_close: whether a rest that the client sends is read before its connection is closed. */
enum lingering { LINGERING_ON, LINGERING_OFF, LINGERING_ALWAYS };
/* keepalive_disable: bits, of browsers that are not good at it. */
enum keepalive_disable { DISABLE_MSIE6 = 1, DISABLE_SAFARI = 2 };

/* if_modified_since */
enum modified_since { MODIFIED_EXACT, MODIFIED_BEFORE, MODIFIED_IGNORED };

/* Settings with nginx's inheritance already applied: every route has its own whole set. */
struct policy {
    struct guard *guard; /* who may pass; NULL: everybody */
    VEC(struct header_rule)
    proxy_headers; /* proxy_set_header, in order; Host and Connection defaults are not in here */
    struct header_rules add_headers, add_trailers;
    enum header_inherit header_inherit, trailer_inherit;
    struct expires expires;
    VEC(struct error_page) error_pages;
    VEC(struct template) early_hints;   /* a 103 passes if one of them is neither "" nor "0"; none: it passes */
    VEC(struct access_log) access_logs; /* empty: none */
    bool is_access_log_off;             /* of this level: "off" beside others wins */
    VEC(struct error_log) error_logs;   /* empty: the program's own */
    enum log_level error_level;         /* of the most talkative of them */
    enum server_tokens server_tokens;
    struct template server_text; /* SERVER_TOKENS_TEXT; evaluates to "": no Server field */
    size_t alias_len; /* alias: bytes of the path that root stands for; POLICY_ALIAS_WHOLE: all; 0: no alias */
    struct template root; /* empty: nginx's default "html" made absolute */
    VEC(struct template) indexes;
    struct map *types; /* extension in lower case -> struct str *; NULL: no extension says a type */
    struct str default_type;
    uint64_t connect_timeout_ms, read_timeout_ms, send_timeout_ms; /* proxy_*: 60,000 each */
    uint64_t handshake_timeout_ms; /* ours: connect and answer of a handshake while other servers are left to
                                      try; 3,000 */
    uint64_t client_body_timeout_ms, client_send_timeout_ms; /* 60,000 */
    uint64_t keepalive_timeout_ms;                           /* of client connections, 75,000; 0: none kept */
    uint64_t keepalive_header_s;                             /* Keep-Alive: timeout=; 0: not sent */
    uint64_t keepalive_requests;                             /* 1,000 */
    uint64_t client_max_body_bytes;                          /* 1 MiB; 0: no limit */
    uint64_t keepalive_time_ms;        /* 3,600,000: how old a connection may be and be kept */
    uint64_t keepalive_min_timeout_ms; /* 0: an end of the process or a reload closes idle ones at once */
    unsigned keepalive_disable;        /* DISABLE_MSIE6 */
    enum lingering lingering;
    bool resets_timedout; /* reset_timedout_connection: by RST, so that the system keeps nothing of it */
    uint64_t lingering_time_ms, lingering_timeout_ms; /* 30,000 and 5,000 */
    unsigned next_upstream;                           /* NEXT_*; 0: off */
    unsigned next_upstream_tries;                     /* 0: no limit */
    uint64_t next_upstream_timeout_ms;                /* 0: no limit */
    struct resolver *resolver;                        /* for proxy_pass with variables; NULL: none */
    uint64_t resolver_timeout_ms;                     /* 30,000 */
    struct template limit_rate, limit_rate_after;     /* of answers; empty: none */
    struct body_policy body;
    struct stream_policy stream;
    struct proxy_policy proxy;
    bool says_upgrade;   /* a proxy_set_header names Upgrade: then that decides, else a valid upgrade passes */
    uint64_t max_ranges; /* 0: none are served; UINT64_MAX when not said */
    enum modified_since modified_since;
    bool is_chunked_forbidden;   /* chunked_transfer_encoding off */
    bool has_etag;               /* of files; on */
    bool is_not_found_logged;    /* log_not_found; on */
    bool is_error_recursive;     /* recursive_error_pages: the page of an error may have an error page too */
    bool is_redirect_absolute;   /* absolute_redirect: "/x" in a Location becomes a whole URL; on */
    bool is_redirect_with_port;  /* port_in_redirect; on */
    bool is_redirect_site_named; /* server_name_in_redirect: its host is the first server_name */
    bool logs_rewrites;          /* rewrite_log: what programs do is told at notice */
    bool warns_uninitialized;    /* uninitialized_variable_warn; on */
    struct tls_pass tls;         /* proxy_ssl_* */
    bool forwards; /* the one-liner's: set X-Forwarded-For, -Proto, -Host where no proxy_set_header does */
};

enum route_match {
    ROUTE_PREFIX,
    ROUTE_PREFIX_FINAL,
    ROUTE_EXACT,
    ROUTE_REGEX,
    ROUTE_DEFAULT, /* the server level itself */
    ROUTE_NAMED    /* "@name": reached by internal redirections alone */
};
enum route_action {
    ROUTE_FILES,
    ROUTE_PASS,
    ROUTE_TEXT, /* of a stream: `return` */
    ROUTE_STUB_STATUS,
    ROUTE_REPORT
};

/* Sibling locations. */
struct route_table {
    struct map exact;        /* pattern -> struct route * */
    struct route **prefixes; /* sorted by pattern, each with the longest other prefix that begins it */
    size_t prefix_count;
    VEC(struct route *) regexes; /* in the order written */
};

/* limit_except METHOD ... { }: what holds for the other methods. */
struct limit_except {
    VEC(struct str) methods; /* GET means HEAD too */
    struct route *route;     /* for the others */
};

struct route {
    struct place place;
    enum route_match match;
    struct str pattern;            /* as written */
    struct regex *regex;           /* ROUTE_REGEX */
    bool is_internal;              /* internal: who asks for it from outside gets 404 */
    struct route *shorter;         /* among prefixes: the longest proper prefix of this one, or NULL */
    struct route *outer;           /* the location that it stands in; NULL: the server */
    const struct route *branch_of; /* an `if`: its location */
    enum route_action action;
    struct pass *pass;
    struct status_report report; /* of ROUTE_REPORT */
    struct program program;
    struct limit_except *limit; /* limit_except; NULL: all methods are served alike */
    struct try_files *tries;    /* try_files; NULL: none */
    struct policy policy;
    struct route_table children; /* nested locations */
};

/* For those who build a table, empty (zeroed) at first. */
enum route_added { ROUTE_ADDED, ROUTE_IS_DUPLICATE, ROUTE_NO_MEMORY };
/* Adds a route with match, pattern and regex set; the table refers to it. A second exact route, or a second
 * prefix route, of one pattern is a duplicate and not added. */
enum route_added route_table_add(struct route_table *table, struct route *route, struct arena *arena);
/* The prefix route of just this pattern; NULL when there is none. */
const struct route *route_table_prefix(const struct route_table *table, struct str pattern);

/* nginx's choice for a normalised path: exact; the longest prefix (final when ^~); the first matching regex;
 * else the longest prefix; descending into nested tables; `fallback` when nothing matches. Fills captures (may
 * be NULL) when a regex matched, else leaves them as they are: those of the server name then still hold. */
const struct route *route_find(const struct route_table *table, const struct route *fallback, struct str path,
                               struct regex_match *captures);

#endif
