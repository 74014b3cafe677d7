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
    BALANCE_IP_HASH
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
    bool is_resolved;         /* resolve: its addresses are looked for while serving */
    unsigned weight;          /* default 1 */
    unsigned max_fails;       /* default 1; 0: never set aside */
    uint64_t fail_timeout_ms; /* default 10,000 */
    unsigned max_connections; /* 0: no limit */
};

/* What becomes of the tunnels of a server that its checks find down. */
enum on_down { ON_DOWN_KEEP, ON_DOWN_CLOSE };

struct upstream {
    struct place place;
    struct str name; /* of the block; for an implicit one "host:port" as written in proxy_pass */
    bool is_implicit;
    VEC(struct upstream_server) servers;
    enum balance balance;
    struct template hash_key;
    bool is_sticky_by_sid;
    size_t keepalive;              /* idle connections kept a loop; default 128, 0: none */
    uint64_t keepalive_timeout_ms; /* default 60,000 */
    uint64_t keepalive_requests;   /* a connection, default 1,000 */
    struct resolver *resolver;     /* for servers with `resolve`: its own or http's; NULL: none */
    uint64_t resolver_timeout_ms;  /* 30,000 */
    enum on_down on_down;
    uint64_t drain_ms;         /* over which they are closed */
    const struct check *check; /* active health checks; NULL: none */
};

#endif
