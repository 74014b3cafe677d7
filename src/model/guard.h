#ifndef MODEL_GUARD_H
#define MODEL_GUARD_H

#include "base/log.h"
#include "base/vec.h"
#include "model/cidr.h"
#include "model/diagnostic.h"
#include "model/template.h"

/* Who may pass: the rules of a level beside its policy. A level without any has none. */

struct access_rule {
    struct cidr who;
    bool is_deny;
};

/* set_real_ip_from: whose word about the client's address is taken. */
struct trusted {
    struct place place;
    struct str host; /* a name, resolved when the configuration is put in force; empty: cidr */
    struct cidr cidr;
    VEC(struct cidr) addresses; /* of the name */
};

enum real_ip_source { REAL_IP_FIELD, REAL_IP_FORWARDED_FOR, REAL_IP_PROXY_PROTOCOL };

enum limit_kind { LIMIT_REQUESTS, LIMIT_CONNECTIONS };

/* limit_req_zone, limit_conn_zone: what is counted by, and in how much memory. */
struct limit_zone {
    struct place place;
    enum limit_kind kind;
    bool is_stream; /* of streams' connections, not of requests */
    struct str name;
    struct str key_text; /* as written */
    struct template key; /* empty value: the request is not counted */
    uint64_t bytes;
    uint64_t rate;  /* LIMIT_REQUESTS: thousandths of a request a second */
    unsigned index; /* among the model's */
};

/* limit_req; thousandths of a request. */
struct request_limit {
    struct limit_zone *zone;
    uint64_t burst; /* more than this beyond the rate is refused */
    uint64_t delay; /* more than this beyond the rate is delayed */
};

/* limit_conn */
struct connection_limit {
    struct limit_zone *zone;
    unsigned most;
};

/* What both kinds of limit have. */
struct limit_policy {
    unsigned status;      /* 503 */
    enum log_level level; /* of refusals: LOG_ERROR */
    bool is_dry;          /* only says what it would do */
};

/* auth_request_set */
struct auth_variable {
    struct variable target; /* a slot, or $args */
    struct template value;  /* of the request that asked */
};

struct guard {
    VEC(struct access_rule) access_rules; /* allow and deny, in order; the first that has the client decides */
    bool is_any;                          /* satisfy any */
    VEC(struct trusted *) trusted;        /* empty: the connection's other end is the client */
    enum real_ip_source real_ip_source;
    struct str real_ip_field; /* as written; empty: X-Real-IP */
    bool is_real_ip_recursive;
    bool has_realm;
    struct template realm; /* auth_basic; "off": nobody is asked for a password */
    bool has_user_file;
    struct template user_file;
    struct str user_file_base; /* relative ones are beneath it: a directory with its '/', or empty */
    uint64_t auth_delay_ms;    /* a 401 waits so long; 0: not at all */
    struct str auth_path;      /* auth_request: whose answer decides; empty: nobody's */
    VEC(struct auth_variable) auth_variables;
    VEC(struct request_limit) request_limits;
    VEC(struct connection_limit) connection_limits;
    struct limit_policy on_requests, on_connections;
};

#endif
