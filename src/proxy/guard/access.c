#include "proxy/guard/access.h"

enum guard_verdict access_check(struct exchange *x, const struct guard *guard) {
    struct str ip = address_bytes(&x->client);
    bool is_unix = address_is_unix(&x->client);
    for (size_t i = 0; i < guard->access_rules.count; i++) {
        const struct access_rule *rule = &guard->access_rules.items[i];
        if (!cidr_has(&rule->who, ip, is_unix))
            continue;
        if (!rule->is_deny)
            return GUARD_PASSES;
        if (!guard->is_any)
            exchange_log(x, LOG_ERROR, "access forbidden by rule");
        x->guarding->status = 403;
        return GUARD_REFUSES;
    }
    return GUARD_ASIDE;
}
