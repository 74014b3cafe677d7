#include "dialect/nginx/guard.h"

#include "dialect/nginx/set.h"

/* Who may pass by address, and what the client's address is: allow, deny, satisfy, set_real_ip_from. */

const struct guard *guard_outer(const struct scope *scope) {
    return scope->outer && scope->outer->policy ? scope->outer->policy->guard : NULL;
}

struct guard *guard_own(struct scope *scope) {
    const struct guard *outer = guard_outer(scope);
    struct policy *policy = scope->policy;
    if (policy->guard && policy->guard != outer)
        return policy->guard;
    struct guard *own = reader_alloc(scope->reader, sizeof *own);
    if (!own)
        return NULL;
    if (outer)
        *own = *outer;
    else
        own->on_requests = own->on_connections = (struct limit_policy){.status = 503, .level = LOG_ERROR};
    policy->guard = own;
    return own;
}

/* ---- allow, deny, satisfy ---- */

static bool range_read(struct scope *scope, const struct word *at, struct cidr *cidr) {
    if (str_eq(at->text, STR("all"))) {
        *cidr = (struct cidr){.family = CIDR_ALL};
        return true;
    }
    switch (cidr_parse(at->text, cidr)) {
    case CIDR_PARSED:
        return true;
    case CIDR_LOW_BITS:
        reader_say(scope->reader, SEVERITY_WARNING, at, "low address bits of %.*s are meaningless",
                   STR_ARG(at->text));
        return true;
    case CIDR_BAD:
        break;
    }
    struct diagnostic *said = reader_fail(scope->reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "it must be an address, a network as 192.0.2.0/24 or 2001:db8::/32, \"unix:\" or \"all\"");
    return false;
}

/* allow ADDRESS | NETWORK | unix: | all; deny likewise */
static void rule_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct cidr who;
    struct guard *guard = range_read(scope, &node->words[1], &who) ? guard_own(scope) : NULL;
    if (!guard)
        return;
    GUARD_OWN_LIST(scope, guard, access_rules);
    struct access_rule *rule = READER_ADD(scope->reader, &guard->access_rules);
    if (rule)
        *rule = (struct access_rule){who, str_eq(str_of(row->name), STR("deny"))};
}

static void satisfy_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const char *const names[] = {"all", "any"};
    unsigned choice;
    if (!set_read_choice(scope, node, row, names, 2, "\"all\" or \"any\"", &choice))
        return;
    struct guard *guard = guard_own(scope);
    if (guard)
        guard->is_any = choice == 1;
}

/* ---- the client's address ---- */

static bool is_host_name(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = str_lower_char(text.ptr[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return text.len > 0;
}

static struct trusted *trusted_read(struct scope *scope, const struct word *at) {
    struct reader *reader = scope->reader;
    struct trusted *trusted = reader_alloc(reader, sizeof *trusted);
    if (!trusted)
        return NULL;
    trusted->place = word_place(at);
    switch (cidr_parse(at->text, &trusted->cidr)) {
    case CIDR_PARSED:
        return trusted;
    case CIDR_LOW_BITS:
        reader_say(reader, SEVERITY_WARNING, at, "low address bits of %.*s are meaningless", STR_ARG(at->text));
        return trusted;
    case CIDR_BAD:
        break;
    }
    if (!is_host_name(at->text)) {
        struct diagnostic *said = reader_fail(reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said,
                        "it must be an address, a network as 192.0.2.0/24, a host name or \"unix:\"");
        return NULL;
    }
    trusted->host = at->text;
    struct trusted **slot = READER_ADD(reader, &reader->model->trusted_names);
    if (!slot)
        return NULL;
    return *slot = trusted;
}

/* set_real_ip_from ADDRESS | NETWORK | NAME | unix: */
static void trusted_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct trusted *trusted = trusted_read(scope, &node->words[1]);
    struct guard *guard = trusted ? guard_own(scope) : NULL;
    if (!guard)
        return;
    GUARD_OWN_LIST(scope, guard, trusted);
    struct trusted **slot = READER_ADD(scope->reader, &guard->trusted);
    if (slot)
        *slot = trusted;
}

/* real_ip_header FIELD | X-Forwarded-For | proxy_protocol */
static void real_ip_field_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct str field = node->words[1].text;
    struct guard *guard = guard_own(scope);
    if (!guard)
        return;
    guard->real_ip_field = field;
    guard->real_ip_source = str_eq(field, STR("proxy_protocol"))           ? REAL_IP_PROXY_PROTOCOL
                            : str_eq_nocase(field, STR("X-Forwarded-For")) ? REAL_IP_FORWARDED_FOR
                                                                           : REAL_IP_FIELD;
}

static void recursive_set(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_on;
    if (!set_read_flag(scope, node, row, &is_on))
        return;
    struct guard *guard = guard_own(scope);
    if (guard)
        guard->is_real_ip_recursive = is_on;
}

static const struct directive rows[] = {
    {"allow", CONTEXT_HSL | CONTEXT_STREAMS | CONTEXT_LIMIT, 1, 1, 0, rule_add, NOTHING, NULL},
    {"deny", CONTEXT_HSL | CONTEXT_STREAMS | CONTEXT_LIMIT, 1, 1, 0, rule_add, NOTHING, NULL},
    {"satisfy", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, satisfy_set, NOTHING, NULL},
    {"set_real_ip_from", CONTEXT_HSL | CONTEXT_STREAMS, 1, 1, 0, trusted_add, NOTHING, NULL},
    {"real_ip_header", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, real_ip_field_set, NOTHING, NULL},
    {"real_ip_recursive", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, recursive_set, NOTHING, NULL},
};

const struct area guard_area = {rows, sizeof rows / sizeof *rows};
