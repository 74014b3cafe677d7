#ifndef MODEL_UPSTREAM_H
#define MODEL_UPSTREAM_H

#include "model/check.h"
#include "model/template.h"

/* Who can answer, as configured: an upstream block, or the server a proxy_pass names directly. */

enum balance {
    BALANCE_ROUND_ROBIN,
    BALANCE_LEAST_CONN,
    BALANCE_HASH,
    BALANCE_HASH_CONSISTENT,
    BALANCE_IP_HASH,
    BALANCE_RANDOM,
    BALANCE_RANDOM_TWO
};

/* A name server. */
struct resolver_server {
    struct place place;
    struct str host; /* a name or literal */
    uint16_t port;
};

/* Name servers, asked while serving. */
struct resolver {
    struct place place;
    VEC(struct resolver_server) servers;
    uint64_t valid_ms; /* how long an answer holds; 0: as long as it says */
    bool has_v4, has_v6;
    unsigned number; /* among the model's resolvers */
};

struct upstream_server {
    struct place place;
    struct str name; /* as written: "app01:3000", "unix:/run/app.sock" */
    struct str host; /* a name or literal, IPv6 without brackets; for unix the path */
    uint16_t port;   /* default 80 */
    bool is_unix, is_backup, is_down;
    bool is_resolved;   /* resolve: its addresses are looked for while serving */
    struct str service; /* service: the name of its SRV records, "_http._tcp.app"; empty: its own addresses */
    unsigned weight;    /* default 1 */
    unsigned max_fails; /* default 1; 0: never set aside */
    uint64_t fail_timeout_ms; /* default 10,000 */
    unsigned max_connections; /* 0: no limit */
    uint64_t slow_start_ms;   /* how long it takes to be given its whole share again; 0: none */
    bool is_draining;         /* only those get there who are bound to it */
    struct str route;         /* what binds to it, beside nginx's digest of its address; empty: that */
};

/* What becomes of the tunnels of a server that its checks find down. */
enum on_down { ON_DOWN_KEEP, ON_DOWN_CLOSE };

/* Where an upstream's learned sessions are kept. */
struct session_zone {
    struct place place;
    struct str name;
    uint64_t bytes;
    struct upstream *upstream;
    unsigned index; /* among the model's */
};

/* sticky cookie|route|learn: a request is bound to a server by a text that it carries. */
struct sticky {
    enum sticky_kind { STICKY_COOKIE, STICKY_ROUTE, STICKY_LEARN } kind;
    VEC(struct template) lookup; /* the first that is not empty is that text */
    VEC(struct template) create; /* LEARN: likewise, of an answer */
    struct str cookie, path;     /* COOKIE; path empty: none is said */
    struct template domain, samesite;
    bool has_expires, is_httponly, is_secure;
    uint64_t expires_s;        /* STICKY_EXPIRES_MAX: for ever */
    struct session_zone *zone; /* LEARN */
    uint64_t timeout_ms;
    bool learns_early; /* as soon as the answer's head is there */
};
#define STICKY_EXPIRES_MAX UINT64_MAX

struct upstream {
    struct place place;
    struct str name; /* of the block; for an implicit one "host:port" as written in proxy_pass */
    struct str key;  /* the name, made distinct: http and stream may each have one of it */
    bool is_implicit, is_stream;
    VEC(struct upstream_server) servers;
    enum balance balance;
    struct template hash_key;
    bool is_sticky_by_sid;
    struct sticky *sticky; /* another way to bind; NULL: none */
    uint64_t queue_max;    /* requests that may wait for a server; 0: none */
    uint64_t queue_timeout_ms;
    size_t keepalive;              /* idle connections kept a loop; default 128, 0: none */
    uint64_t keepalive_timeout_ms; /* default 60,000 */
    uint64_t keepalive_requests;   /* a connection, default 1,000 */
    uint64_t keepalive_time_ms;    /* a connection's age, default 3,600,000 */
    struct resolver *resolver;     /* for servers with `resolve`: its own or http's; NULL: none */
    uint64_t resolver_timeout_ms;  /* 30,000 */
    enum on_down on_down;
    uint64_t drain_ms;         /* over which they are closed */
    const struct check *check; /* active health checks; NULL: none */
};

#endif
