#include "proxy/certificate.h"

#include "net/tls/tls_error.h"
#include "net/tls/tls_facts.h"
#include "proxy/secure.h"
#include "proxy/variable/variables.h"

enum { FAULT_MAX = 400 };

/* The loop's own; NULL: nothing is kept, or there is no memory for it, which is the same. */
static struct tls_store *store_of(const struct exchange *x, const struct certificate_cache *cache) {
    struct tls_store **slot = cache ? &x->hold->stores[cache->number] : NULL;
    if (!slot)
        return NULL;
    if (!*slot)
        *slot = tls_store_new(&(struct tls_store_setup){
            .max = cache->max, .valid_ms = cache->valid_ms, .inactive_ms = cache->inactive_ms});
    return *slot;
}

/* What the name is now; empty when variables leave nothing of it. Only what stands before its first variable is
 * surely not a client's. False without memory. */
static bool source_eval(struct exchange *x, const struct tls_file *file, struct tls_source *source) {
    *source = (struct tls_source){file->path, file->path.len};
    if (template_is_empty(&file->text))
        return true;
    struct str directory = x->hold->snapshot->model->certificate_directory;
    struct str text = template_eval_copy(x, &file->text);
    const struct template_part *first = &file->text.parts[0];
    *source = (struct tls_source){text, first->variable.id == VARIABLE_NONE ? first->text.len : 0};
    if (text.len == 0 || str_starts(text, STR("data:")) || str_starts(text, STR("/")))
        return text.ptr != NULL;
    char *memory = arena_alloc(&x->arena, directory.len + text.len);
    struct builder whole = builder_make(memory, memory ? directory.len + text.len : 0);
    builder_str(&whole, directory);
    builder_str(&whole, text);
    *source = (struct tls_source){builder_view(&whole), directory.len + source->trusted};
    return memory != NULL;
}

static bool pair_eval(struct exchange *x, const struct tls_policy *policy, size_t i,
                      struct certificate_pair *pair) {
    return source_eval(x, &policy->certificates.items[i], &pair->certificate) &&
           source_eval(x, &policy->keys.items[i], &pair->key);
}

static bool pair_give(const struct exchange *x, const struct tls_policy *policy, const struct duct *duct,
                      const struct certificate_pair *pair, struct builder *error) {
    return tls_store_give(store_of(x, policy->cache), duct, &pair->certificate, &pair->key,
                          x->engine->loop->now_ms, error);
}

/* ---- towards clients ---- */

/* The site that was asked for, with what its regular expression has captured. False: there is none by that
 * name, or no memory. */
static bool site_find(struct exchange *x, const struct duct *duct) {
    struct str raw = tls_client_name(duct), name = arena_copy(&x->arena, secure_name(duct));
    if (raw.len && !name.len) { /* of which a path would be made */
        exchange_log(x, LOG_INFO, "client sent invalid server name while SSL handshaking");
        return false;
    }
    for (size_t i = 0; i < name.len; i++)
        ((char *)(uintptr_t)name.ptr)[i] = str_lower_char(name.ptr[i]);
    if (name.len)
        x->site = listen_find_site(x->listen, name, &x->captures);
    x->route = &x->site->fallback;
    return !x->captures.regex || exchange_bind(x);
}

static bool all_give(struct exchange *x, const struct duct *duct) {
    char memory[TLS_ERROR_MAX];
    struct builder error = builder_make(memory, sizeof memory);
    const struct site *site = x->site->tls.policy.certificates.count ? x->site : x->listen->default_site;
    const struct tls_policy *policy = &site->tls.policy;
    for (size_t i = 0; i < policy->certificates.count; i++) {
        struct certificate_pair pair;
        if (!pair_eval(x, policy, i, &pair))
            builder_str(&error, STR("out of memory"));
        else if (pair_give(x, policy, duct, &pair, &error))
            continue;
        exchange_log(x, LOG_ERROR, "%.*s while SSL handshaking",
                     STR_ARG(str_head(builder_view(&error), FAULT_MAX)));
        return false;
    }
    return true;
}

bool certificate_give(struct duct *duct) {
    struct exchange *x = exchange_new_early(duct->owner);
    if (!x)
        return false;
    bool is_given = site_find(x, duct) && all_give(x, duct);
    exchange_free_early(x);
    return is_given;
}

/* ---- towards servers ---- */

bool certificate_prepare(struct exchange *x) {
    const struct tls_policy *policy = &exchange_policy(x)->tls.policy;
    x->back_pair = NULL;
    if (!tls_policy_varies(policy))
        return true;
    struct certificate_pair *pair = arena_alloc(&x->arena, sizeof *pair);
    if (!pair || !pair_eval(x, policy, 0, pair))
        return false;
    if (pair->certificate.path.len) /* else it goes without */
        x->back_pair = pair;
    return true;
}

enum why certificate_give_back(const struct exchange *x, const struct duct *duct) {
    char memory[TLS_ERROR_MAX];
    struct builder error = builder_make(memory, sizeof memory);
    if (!x->back_pair || pair_give(x, &exchange_policy(x)->tls.policy, duct, x->back_pair, &error))
        return WHY_NONE;
    exchange_log(x, LOG_ERROR, "%.*s while connecting to upstream",
                 STR_ARG(str_head(builder_view(&error), FAULT_MAX)));
    return WHY_INTERNAL;
}
