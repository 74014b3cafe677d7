#include "proxy/head/cookie.h"

#include "proxy/head/replace.h"

/* "NAME=VALUE; Domain=...; Path=...; Secure", read attribute by attribute. */
struct attribute {
    struct str name, value;
    bool has_value;
};

enum { ON = 1, OFF = 2 };
enum same_site { SAME_KEEP, SAME_OFF, SAME_STRICT, SAME_LAX, SAME_NONE };

/* What proxy_cookie_flags wants of this cookie. */
struct wish {
    unsigned secure, http_only; /* 0, ON, OFF */
    enum same_site same_site;
};

static bool attribute_next(struct str *rest, struct attribute *attribute) {
    struct str part;
    if (!str_split(rest, ';', &part))
        return false;
    size_t at = str_find_char(part, '=');
    attribute->has_value = at != STR_NONE;
    attribute->name = str_trim(at == STR_NONE ? part : str_head(part, at));
    attribute->value = at == STR_NONE ? STR("") : str_trim(str_from(part, at + 1));
    return true;
}

static void wish_add(struct wish *wish, struct str flag) {
    if (str_eq_nocase(flag, STR("secure")))
        wish->secure = ON;
    else if (str_eq_nocase(flag, STR("nosecure")))
        wish->secure = OFF;
    else if (str_eq_nocase(flag, STR("httponly")))
        wish->http_only = ON;
    else if (str_eq_nocase(flag, STR("nohttponly")))
        wish->http_only = OFF;
    else if (str_eq_nocase(flag, STR("nosamesite")))
        wish->same_site = SAME_OFF;
    else if (str_eq_nocase(flag, STR("samesite=strict")))
        wish->same_site = SAME_STRICT;
    else if (str_eq_nocase(flag, STR("samesite=lax")))
        wish->same_site = SAME_LAX;
    else if (str_eq_nocase(flag, STR("samesite=none")))
        wish->same_site = SAME_NONE;
}

/* The first rule that fits the name decides. */
static struct wish wish_find(struct exchange *x, struct str name) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    struct wish wish = {0};
    char memory[1024];
    for (size_t i = 0; i < proxy->cookie_rules.count; i++) {
        const struct cookie_rule *rule = &proxy->cookie_rules.items[i];
        if (rule->regex ? !exchange_match(x, rule->regex, name)
                        : !str_eq_nocase(name, replace_eval(x, &rule->name, memory, sizeof memory)))
            continue;
        for (size_t k = 0; k < rule->flags.count; k++)
            wish_add(&wish, replace_eval(x, &rule->flags.items[k], memory, sizeof memory));
        break;
    }
    return wish;
}

static struct str same_site_name(enum same_site same_site) {
    return same_site == SAME_STRICT ? STR("Strict") : same_site == SAME_LAX ? STR("Lax") : STR("None");
}

static void domain_build(struct exchange *x, struct builder *out, struct str value) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    for (size_t i = 0; i < proxy->cookie_domains.count; i++)
        if (replace_domain_build(x, out, &proxy->cookie_domains.items[i], value))
            return;
    builder_str(out, value);
}

static void path_build(struct exchange *x, struct builder *out, struct str value) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    for (size_t i = 0; i < proxy->cookie_paths.count; i++)
        if (replace_prefix_build(x, out, &proxy->cookie_paths.items[i], value, 0))
            return;
    builder_str(out, value);
}

/* An attribute behind the first; wishes that it fulfils are taken off the list. */
static void attribute_build(struct exchange *x, struct builder *out, const struct attribute *attribute,
                            struct wish *wish) {
    bool is_same_site = str_eq_nocase(attribute->name, STR("samesite"));
    unsigned *flag = str_eq_nocase(attribute->name, STR("secure"))     ? &wish->secure
                     : str_eq_nocase(attribute->name, STR("httponly")) ? &wish->http_only
                                                                       : NULL;
    if ((flag && *flag == OFF) || (is_same_site && wish->same_site == SAME_OFF))
        return;
    if (flag)
        *flag = 0;
    builder_str(out, STR("; "));
    builder_str(out, attribute->name);
    if (!attribute->has_value && !(is_same_site && wish->same_site))
        return;
    builder_char(out, '=');
    if (is_same_site && wish->same_site) {
        builder_str(out, same_site_name(wish->same_site));
        wish->same_site = SAME_KEEP;
    } else if (str_eq_nocase(attribute->name, STR("domain"))) {
        domain_build(x, out, attribute->value);
    } else if (str_eq_nocase(attribute->name, STR("path"))) {
        path_build(x, out, attribute->value);
    } else {
        builder_str(out, attribute->value);
    }
}

static bool has_rules(const struct exchange *x) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    return proxy->cookie_domains.count || proxy->cookie_paths.count || proxy->cookie_rules.count;
}

void cookie_build_set(struct exchange *x, struct builder *out, struct str value) {
    struct str rest = value;
    struct attribute attribute;
    if (!has_rules(x) || !attribute_next(&rest, &attribute) || !attribute.has_value) {
        builder_str(out, value);
        return;
    }
    struct wish wish = wish_find(x, attribute.name);
    builder_str(out, attribute.name);
    builder_char(out, '=');
    builder_str(out, attribute.value);
    while (attribute_next(&rest, &attribute))
        attribute_build(x, out, &attribute, &wish);
    if (wish.secure == ON)
        builder_str(out, STR("; Secure"));
    if (wish.http_only == ON)
        builder_str(out, STR("; HttpOnly"));
    if (wish.same_site > SAME_OFF) {
        builder_str(out, STR("; SameSite="));
        builder_str(out, same_site_name(wish.same_site));
    }
}
