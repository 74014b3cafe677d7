#include "proxy/secure.h"

#include "base/hash.h"
#include "base/mem.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_facts.h"
#include "net/tls/tls_file.h"
#include "net/tls/tls_session.h"
#include "proxy/certificate.h"
#include "proxy/variable/variables.h"

enum {
    SESSION_BYTES = 256,     /* what nginx reckons for one that is kept */
    SESSIONS_DEFAULT = 20480 /* OpenSSL's */
};

/* ---- contexts ---- */

struct making {
    struct tls_context *context;
    struct diagnostics *diagnostics;
    struct place place; /* of what is being done */
    struct builder error;
};

/* What OpenSSL means by the words that stand for the usual mistakes. */
static const char *plain_words(struct str error) {
    static const struct {
        const char *theirs, *plain;
    } known[] = {
        {"key values mismatch", "the key is another certificate's"},
        {"key type mismatch", "the key is another certificate's"},
        {"no start line", "there is no such block in it: one begins with -----BEGIN and a name"},
        {"bad decrypt", "the password is not the key's"},
        {"bad password read", "the key has a password: name a file that holds it in ssl_password_file"},
        {"Permission denied", "who starts hawser must be able to read it"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_find(error, str_of(known[i].theirs)) != STR_NONE)
            return known[i].plain;
    return NULL;
}

static bool say(struct making *m) {
    struct str error = builder_view(&m->error);
    struct diagnostic *said = diagnostics_add(m->diagnostics, SEVERITY_ERROR, m->place, "%.*s", STR_ARG(error));
    const char *plain = plain_words(error);
    if (plain)
        diagnostic_hint(m->diagnostics, said, "%s", plain);
    return false;
}

static bool passwords_read(struct making *m, const struct tls_file *file, struct str *passwords) {
    *passwords = STR("");
    if (file->path.len == 0)
        return true;
    m->place = file->place;
    *passwords = tls_file_read(file->path, &m->error);
    return passwords->ptr || say(m);
}

static bool certificates_add(struct making *m, const struct tls_policy *policy) {
    struct str passwords;
    if (!passwords_read(m, &policy->passwords, &passwords))
        return false;
    bool is_late = tls_policy_varies(policy);
    bool is_fine = !is_late || tls_context_certify_late(m->context, passwords);
    for (size_t i = 0; i < policy->certificates.count && is_fine && !is_late; i++) {
        m->place = policy->certificates.items[i].place;
        is_fine = tls_context_add_certificate(m->context, policy->certificates.items[i].path,
                                              policy->keys.items[i].path, passwords, &m->error) ||
                  say(m);
    }
    if (policy->passwords.path.len)
        mem_free((void *)(uintptr_t)passwords.ptr);
    return is_fine;
}

static bool commands_run(struct making *m, const struct tls_policy *policy) {
    for (size_t i = 0; i < policy->commands.count; i++) {
        const struct tls_command *command = &policy->commands.items[i];
        m->place = command->place;
        if (!tls_context_command(m->context, command->name, command->value, &m->error))
            return say(m);
    }
    return true;
}

static bool trusted_add(struct making *m, const struct tls_file *file, bool is_told) {
    m->place = file->place;
    return file->path.len == 0 || tls_context_add_trusted(m->context, file->path, is_told, &m->error) || say(m);
}

static bool crl_add(struct making *m, const struct tls_file *file) {
    m->place = file->place;
    return file->path.len == 0 || tls_context_add_crl(m->context, file->path, &m->error) || say(m);
}

static bool key_log_set(struct making *m, const struct tls_file *file) {
    m->place = file->place;
    return file->path.len == 0 || tls_context_set_key_log(m->context, file->path, &m->error) || say(m);
}

static bool tickets_set(struct making *m, const struct tls_site *tls) {
    for (size_t i = 0; i < tls->ticket_keys.count; i++) {
        m->place = tls->ticket_keys.items[i].place;
        if (!tls_context_add_ticket_key(m->context, tls->ticket_keys.items[i].path, &m->error))
            return say(m);
    }
    return true;
}

/* Sessions of sites with the same certificates are one another's, as in nginx. */
static void sessions_set(struct making *m, const struct tls_site *tls) {
    char memory[8192];
    struct builder name = builder_make(memory, sizeof memory);
    builder_str(&name, STR("HTTP"));
    for (size_t i = 0; i < tls->policy.certificates.count; i++)
        builder_str(&name, tls->policy.certificates.items[i].path);
    builder_str(&name, tls->clients.path);
    size_t kept = tls->cache != TLS_CACHE_KEPT ? 0
                  : tls->cache_bytes           ? (size_t)(tls->cache_bytes / SESSION_BYTES) + 1
                                               : SESSIONS_DEFAULT;
    tls_context_set_sessions(m->context, builder_view(&name), kept, tls->cache == TLS_CACHE_OFF,
                             tls->session_timeout_ms / 1000, tls->has_tickets);
}

static bool site_fill(struct making *m, const struct tls_site *tls) {
    struct place place = m->place;
    const struct tls_policy *policy = &tls->policy;
    tls_context_set_versions(m->context, policy->protocols);
    m->context->record_bytes =
        tls->record_bytes < m->context->record_bytes ? tls->record_bytes : m->context->record_bytes;
    struct str alpn = tls->alpn.len ? tls->alpn : STR("http/1.1 http/1.0 http/0.9");
    if (!tls_context_set_ciphers(m->context, policy->ciphers, tls->prefers_server, &m->error) ||
        !tls_context_set_alpn(m->context, alpn, &m->error))
        return say(m);
    if (!certificates_add(m, policy))
        return false;
    if (tls->verify != TLS_VERIFY_OFF)
        tls_context_verify(m->context, policy->verify_depth);
    if (!trusted_add(m, &tls->clients, true) || !trusted_add(m, &policy->trusted, false) ||
        !crl_add(m, &policy->crl))
        return false;
    m->place = tls->dhparam.place;
    if (tls->dhparam.path.len && !tls_context_set_dhparam(m->context, tls->dhparam.path, &m->error))
        return say(m);
    m->place = place;
    if (!tls_context_set_curves(m->context, tls->curves, &m->error))
        return say(m);
    sessions_set(m, tls);
    return tickets_set(m, tls) && key_log_set(m, &policy->key_log) && commands_run(m, policy);
}

static bool pass_fill(struct making *m, const struct tls_pass *tls) {
    const struct tls_policy *policy = &tls->policy;
    tls_context_set_versions(m->context, policy->protocols);
    if (!tls_context_set_ciphers(m->context, policy->ciphers, false, &m->error))
        return say(m);
    if (!certificates_add(m, policy))
        return false;
    if (tls->verifies)
        tls_context_verify(m->context, policy->verify_depth);
    return trusted_add(m, &policy->trusted, false) && crl_add(m, &policy->crl) &&
           key_log_set(m, &policy->key_log) && commands_run(m, policy);
}

/* A site's context, or a pass's: one of both is given. */
static struct tls_context *context_make(const struct tls_site *site, const struct tls_pass *pass,
                                        struct place place, struct diagnostics *diagnostics) {
    char memory[TLS_ERROR_MAX];
    struct making m = {
        .diagnostics = diagnostics, .place = place, .error = builder_make(memory, sizeof memory)};
    m.context = tls_session_context_new(site != NULL, &m.error);
    if (!m.context)
        say(&m);
    else if (site ? site_fill(&m, site) : pass_fill(&m, pass))
        return m.context;
    tls_context_drop(m.context);
    return NULL;
}

static bool files_are_same(const struct tls_files *a, const struct tls_files *b) {
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++)
        is_same = str_eq(a->items[i].path, b->items[i].path);
    return is_same;
}

static bool commands_are_same(const struct tls_commands *a, const struct tls_commands *b) {
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++)
        is_same = str_eq(a->items[i].name, b->items[i].name) && str_eq(a->items[i].value, b->items[i].value);
    return is_same;
}

/* Do two routes' passes need but one context? */
static bool passes_are_same(const struct tls_pass *one, const struct tls_pass *other) {
    const struct tls_policy *a = &one->policy, *b = &other->policy;
    return one->verifies == other->verifies && a->protocols == b->protocols &&
           a->verify_depth == b->verify_depth && str_eq(a->ciphers, b->ciphers) &&
           str_eq(a->trusted.path, b->trusted.path) && str_eq(a->crl.path, b->crl.path) &&
           str_eq(a->key_log.path, b->key_log.path) && str_eq(a->passwords.path, b->passwords.path) &&
           files_are_same(&a->certificates, &b->certificates) && files_are_same(&a->keys, &b->keys) &&
           commands_are_same(&a->commands, &b->commands);
}

static struct tls_context *pass_shared(const struct snapshot *snapshot, size_t slot) {
    const struct model *model = snapshot->model;
    for (size_t i = slot; i-- > 0;)
        if (passes_are_same(&model->secure_routes.items[i]->policy.tls,
                            &model->secure_routes.items[slot]->policy.tls)) {
            if (snapshot->pass_tls[i])
                tls_context_take(snapshot->pass_tls[i]);
            return snapshot->pass_tls[i];
        }
    return NULL;
}

/* Sites that share a session cache open one another's tickets; whether a session is theirs its name says. */
static void tickets_share(const struct snapshot *snapshot, size_t number) {
    const struct model *model = snapshot->model;
    struct str name = model->sites.items[number]->tls.cache_name;
    size_t first = 0;
    while (name.len && first < number &&
           !(snapshot->site_tls[first] && str_eq(model->sites.items[first]->tls.cache_name, name)))
        first++;
    if (name.len && first < number)
        tls_context_inherit(snapshot->site_tls[number], snapshot->site_tls[first]);
}

bool secure_build(struct snapshot *snapshot, struct diagnostics *diagnostics) {
    const struct model *model = snapshot->model;
    bool is_whole = true;
    snapshot->site_tls = arena_zero(&snapshot->arena, model->sites.count + 1, sizeof(struct tls_context *));
    snapshot->pass_tls =
        arena_zero(&snapshot->arena, model->secure_routes.count + 1, sizeof(struct tls_context *));
    if (!snapshot->site_tls || !snapshot->pass_tls)
        return false;
    for (size_t i = 0; i < model->sites.count; i++) {
        const struct site *site = model->sites.items[i];
        if (site->tls.policy.certificates.count == 0 && !site->tls.rejects)
            continue;
        snapshot->site_tls[i] = context_make(&site->tls, NULL, site->place, diagnostics);
        is_whole = is_whole && snapshot->site_tls[i];
        if (snapshot->site_tls[i])
            tickets_share(snapshot, i);
    }
    for (size_t i = 0; i < model->secure_routes.count; i++) {
        const struct route *route = model->secure_routes.items[i];
        snapshot->pass_tls[i] = pass_shared(snapshot, i);
        if (!snapshot->pass_tls[i])
            snapshot->pass_tls[i] = context_make(NULL, &route->policy.tls, route->place, diagnostics);
        is_whole = is_whole && snapshot->pass_tls[i];
    }
    return is_whole;
}

void secure_free(struct snapshot *snapshot) {
    for (size_t i = 0; snapshot->site_tls && i < snapshot->model->sites.count; i++)
        tls_context_drop(snapshot->site_tls[i]);
    for (size_t i = 0; snapshot->pass_tls && i < snapshot->model->secure_routes.count; i++)
        tls_context_drop(snapshot->pass_tls[i]);
}

static bool names_are_same(const struct site *a, const struct site *b) {
    bool is_same = a->names.count == b->names.count;
    for (size_t i = 0; i < a->names.count && is_same; i++)
        is_same = str_eq(a->names.items[i], b->names.items[i]);
    return is_same;
}

void secure_inherit(struct snapshot *after, const struct snapshot *before) {
    for (size_t i = 0; i < after->model->sites.count; i++)
        for (size_t j = 0; after->site_tls[i] && j < before->model->sites.count; j++) {
            const struct site *site = after->model->sites.items[i], *old = before->model->sites.items[j];
            if (!before->site_tls[j] || !names_are_same(site, old) ||
                !files_are_same(&site->tls.policy.certificates, &old->tls.policy.certificates))
                continue;
            tls_context_inherit(after->site_tls[i], before->site_tls[j]);
            break;
        }
}

/* ---- the client's side ---- */

static struct tls_context *context_choose(struct duct *duct, struct str name) {
    const struct front *front = duct->owner;
    const struct listen *listen = front->listener->listen;
    const struct snapshot *snapshot = front->engine->hold->snapshot;
    if (!listen)
        return NULL; /* gone with a reload */
    const struct site *site = name.len ? listen_find_site(listen, name, NULL) : listen->default_site;
    if (site->tls.rejects)
        return NULL;
    struct tls_context *context = snapshot->site_tls[site->number];
    return context ? context : snapshot->site_tls[listen->default_site->number];
}

static struct tls_start start_of(const struct engine *engine, const struct listen *listen) {
    return (struct tls_start){.context = engine->hold->snapshot->site_tls[listen->default_site->number],
                              .choose = context_choose,
                              .certify = certificate_give};
}

struct duct *secure_accept(struct engine *engine, const struct listen *listen, int fd, duct_ready *ready,
                           void *owner) {
    if (!listen->is_secure)
        return duct_new(engine->ducts, fd, ready, owner);
    if (listen->has_proxy_protocol)
        return duct_new_wide(engine->ducts, fd, ready, owner);
    struct tls_start start = start_of(engine, listen);
    return duct_new_secure(engine->ducts, fd, ready, owner, &start);
}

bool secure_begin(struct engine *engine, const struct listen *listen, struct duct *duct) {
    if (!listen || !listen->is_secure)
        return listen != NULL;
    struct tls_start start = start_of(engine, listen);
    return duct_secure(duct, &start);
}

struct str secure_name(const struct duct *duct) {
    struct str name = tls_client_name(duct);
    if (!tls_is_host(name))
        return STR("");
    return name.ptr[name.len - 1] == '.' ? str_head(name, name.len - 1) : name;
}

enum why secure_verify(const struct exchange *x) {
    const struct duct *duct = x->front->duct;
    const struct tls_site *tls = &x->site->tls;
    if (!x->listen->is_secure)
        return WHY_NONE;
    if (!duct->is_secure)
        return WHY_PLAIN_TO_TLS;
    if (tls->verify == TLS_VERIFY_OFF)
        return WHY_NONE;
    struct str name = secure_name(duct);
    if (name.len && listen_find_site(x->listen, name, NULL) != x->site)
        return WHY_MISDIRECTED;
    switch (tls_client_verdict(duct)) {
    case TLS_CLIENT_NONE:
        return tls->verify == TLS_VERIFY_ON ? WHY_NO_CERTIFICATE : WHY_NONE;
    case TLS_CLIENT_UNKNOWN:
        return tls->verify == TLS_VERIFY_OPTIONAL_NO_CA ? WHY_NONE : WHY_BAD_CERTIFICATE;
    case TLS_CLIENT_BAD:
        return WHY_BAD_CERTIFICATE;
    case TLS_CLIENT_FINE:
        break;
    }
    return WHY_NONE;
}

void secure_fault_build(const struct exchange *x, struct builder *out) {
    builder_str(out, STR("client SSL certificate verify error: ("));
    tls_client_fault_build(x->front->duct, out);
    builder_char(out, ')');
}

/* ---- the backend's side ---- */

static bool is_literal(struct str name) {
    struct address address;
    return name.len == 0 || name.ptr[0] == '[' || address_parse(name, 0, &address);
}

bool secure_prepare(struct exchange *x) {
    const struct tls_pass *tls = &exchange_policy(x)->tls;
    struct str name = template_is_empty(&tls->name) ? x->pass_host : template_eval_copy(x, &tls->name);
    size_t colon = str_find_char(name, ':');
    if (!name.ptr)
        return false;
    x->back_name = name.len && name.ptr[0] != '[' && colon != STR_NONE ? str_head(name, colon) : name;
    return certificate_prepare(x);
}

static struct tls_context *pass_context(const struct exchange *x) {
    return x->hold->snapshot->pass_tls[x->route->pass->slot];
}

/* Who a certificate is to name: of an address in brackets, the address. */
static struct str bare(struct str name) {
    size_t end = str_find_char(name, ']');
    return name.len && name.ptr[0] == '[' && end != STR_NONE ? str_from(str_head(name, end), 1) : name;
}

/* Who the server must be, once it is picked. */
static struct str name_of(const struct exchange *x) {
    const struct upstream_server *server = x->member->server;
    if (!exchange_policy(x)->tls.names_servers)
        return x->back_name;
    return server->is_unix ? STR("") : server->host;
}

uint64_t secure_kind(const struct exchange *x) {
    if (!x->route->pass->is_secure)
        return 0;
    uint64_t seed = pass_context(x)->number;
    if (x->back_pair)
        seed = hash_str(x->back_pair->key.path, hash_str(x->back_pair->certificate.path, seed));
    return hash_str(name_of(x), seed) | 1;
}

static struct tls_start start_of_pass(const struct exchange *x) {
    const struct tls_pass *tls = &exchange_policy(x)->tls;
    const struct peer *peer = x->member->peer;
    struct str name = name_of(x);
    bool is_named = tls->sends_name && !is_literal(name);
    return (struct tls_start){
        .context = pass_context(x),
        .name = is_named ? name : STR(""),
        .verified_name = tls->verifies ? bare(name) : STR(""),
        .session =
            tls->reuses_sessions ? hash_str(str_of(peer->name), secure_kind(x) + peer->upstream_hash) | 1 : 0,
    };
}

enum why secure_connect(struct exchange *x, int fd, duct_ready *ready, struct duct **duct) {
    if (x->is_stream && exchange_policy(x)->stream.proxy_protocol) {
        *duct = duct_new_wide(x->engine->ducts, fd, ready, x);
        return *duct ? WHY_NONE : WHY_NO_MEMORY;
    }
    struct tls_start start = start_of_pass(x);
    *duct = duct_new_secure(x->engine->ducts, fd, ready, x, &start);
    enum why why = *duct ? certificate_give_back(x, *duct) : WHY_NO_MEMORY;
    if (why == WHY_NONE)
        return why;
    duct_close(*duct);
    *duct = NULL;
    return why;
}

enum why secure_connect_begin(struct exchange *x) {
    struct tls_start start = start_of_pass(x);
    x->back.duct->is_connected = false; /* it is once the handshake is over */
    return duct_secure(x->back.duct, &start) ? certificate_give_back(x, x->back.duct) : WHY_NO_MEMORY;
}
