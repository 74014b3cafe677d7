#ifndef MODEL_GUARD_H
#define MODEL_GUARD_H

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

struct guard {
    VEC(struct access_rule) access_rules; /* allow and deny, in order; the first that has the client decides */
    bool is_any;                          /* satisfy any */
    VEC(struct trusted *) trusted;        /* empty: the connection's other end is the client */
    enum real_ip_source real_ip_source;
    struct str real_ip_field; /* as written; empty: X-Real-IP */
    bool is_real_ip_recursive;
};

#endif
