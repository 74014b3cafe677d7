#include "dialect/nginx/ssl.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* TLS: ssl_* towards clients, proxy_ssl_* towards backends. */

/* ---- files ---- */

/* Beneath the main file's directory, as nginx has it. */
static struct str path_whole(struct reader *reader, struct str path) {
    bool is_whole = str_starts(path, STR("data:")) || str_starts(path, STR("/"));
    if (is_whole)
        return path;
    return reader->directory.len ? reader_join(reader, reader->directory, path) : reader_path(reader, path);
}

/* What is refused is there all the same, so that nobody is told that it is missing. */
static void file_read(struct scope *scope, const struct node *node, struct tls_file *file) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    *file = (struct tls_file){.place = word_place(at), .path = path_whole(reader, at->text)};
    if (str_starts(at->text, STR("engine:")) || str_starts(at->text, STR("store:"))) {
        struct diagnostic *said = reader_fail(
            reader, at, "keys in engines and stores are not supported: \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "name a PEM file");
    }
}

static void file_set(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    struct tls_file *file = scope_member(scope, row, sizeof *file);
    if (at->text.len == 0) { /* none, where an outer level has one */
        *file = (struct tls_file){.path = STR("")};
        return;
    }
    file_read(scope, node, file);
    if (compile_has_variable(at->text))
        set_fail(scope, at, row, "a file's name without variables");
}

static struct tls_file *file_new(struct scope *scope, const struct node *node, const struct directive *row) {
    struct tls_files *all = scope_member(scope, row, sizeof *all);
    if (scope->is_first)
        *all = (struct tls_files){0};
    if (node->words[1].text.len == 0)
        return NULL;
    struct tls_file *slot = READER_ADD(scope->reader, all);
    if (slot)
        file_read(scope, node, slot);
    return slot;
}

static void file_add(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    if (file_new(scope, node, row) && compile_has_variable(at->text))
        set_fail(scope, at, row, "a file's name without variables");
}

/* A certificate or a key, whose name may have variables. */
static void certificate_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    struct tls_file *file = file_new(scope, node, row);
    if (!file || !compile_has_variable(at->text))
        return;
    file->path = at->text;
    compile_template(scope, at, at->text, &file->text);
    reader->model->certificate_directory = path_whole(reader, STR(""));
}

/* ssl_certificate_cache off | max=N [inactive=TIME] [valid=TIME]: false when the word is none of these. */
static bool cache_word(struct certificate_cache *cache, struct str word) {
    uint64_t number;
    if (str_starts(word, STR("max="))) {
        bool is_number = str_to_u64(str_from(word, 4), &number) && number > 0 && number <= INT32_MAX;
        cache->max = is_number ? (size_t)number : 0;
        return is_number;
    }
    uint64_t *time_ms = str_starts(word, STR("inactive=")) ? &cache->inactive_ms
                        : str_starts(word, STR("valid="))  ? &cache->valid_ms
                                                           : NULL;
    if (!time_ms || !unit_time_s(str_from(word, str_find_char(word, '=') + 1), &number))
        return false;
    *time_ms = number * 1000;
    return true;
}

static void certificate_cache_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct model *model = scope->reader->model;
    const struct certificate_cache **member = scope_member(scope, row, sizeof *member);
    struct certificate_cache read = {.inactive_ms = 10000, .valid_ms = 60000};
    bool is_off = false;
    for (size_t i = 1; i < node->count; i++) {
        const struct word *at = &node->words[i];
        if (str_eq(at->text, STR("off"))) {
            is_off = true;
        } else if (!cache_word(&read, at->text)) {
            set_fail(scope, at, row, "off, or max=NUMBER [inactive=TIME] [valid=TIME] with times as 10s, 1h");
            return;
        }
    }
    *member = NULL;
    if (is_off)
        return;
    if (!read.max) {
        reader_fail(scope->reader, &node->words[0], "\"%s\" must have the \"max\" parameter", row->name);
        return;
    }
    struct certificate_cache *cache = reader_alloc(scope->reader, sizeof *cache);
    struct certificate_cache **slot = cache ? READER_ADD(scope->reader, &model->certificate_caches) : NULL;
    if (!slot)
        return;
    *cache = read;
    cache->number = (unsigned)model->certificate_caches.count - 1;
    *slot = cache;
    *member = cache;
}

/* A log, and so beneath the prefix; whoever reads it can read the traffic. */
static void key_log_set(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    struct tls_file *file = scope_member(scope, row, sizeof *file);
    if (compile_has_variable(at->text)) {
        set_fail(scope, at, row, "a file's name without variables");
        return;
    }
    *file = (struct tls_file){.place = word_place(at),
                              .path = at->text.len ? reader_path(scope->reader, at->text) : STR("")};
    if (file->path.len)
        reader_say(scope->reader, SEVERITY_WARNING, &node->words[0],
                   "\"%s\" writes down what all connections are encrypted with: remove it after debugging",
                   row->name);
}

/* ---- values ---- */

static const struct {
    const char *name;
    unsigned bit;
} versions[] = {
    {"TLSv1.3", TLS_VERSION_1_3},
    {"TLSv1.2", TLS_VERSION_1_2},
    {"TLSv1.1", TLS_VERSION_1_1},
    {"TLSv1", TLS_VERSION_1},
    {"SSLv3", 0},
    {"SSLv2", 0},
};
enum { VERSIONS = sizeof versions / sizeof *versions };

static void versions_set(struct scope *scope, const struct node *node, const struct directive *row) {
    unsigned bits = 0;
    for (size_t i = 1; i < node->count; i++) {
        const struct word *at = &node->words[i];
        size_t found = 0;
        while (found < VERSIONS && !str_eq_nocase(at->text, str_of(versions[found].name)))
            found++;
        if (found == VERSIONS) {
            set_fail(scope, at, row, "TLSv1.2 or TLSv1.3 (or TLSv1, TLSv1.1 for old clients)");
            return;
        }
        bits |= versions[found].bit;
        if (!versions[found].bit)
            reader_say(scope->reader, SEVERITY_WARNING, at, "\"%.*s\" is not spoken any more: ignored",
                       STR_ARG(at->text));
    }
    if (bits)
        *(unsigned *)scope_member(scope, row, sizeof(unsigned)) = bits;
    else
        reader_fail(scope->reader, &node->words[0], "\"%s\" leaves no version that is spoken", row->name);
}

static void command_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct tls_commands *all = scope_member(scope, row, sizeof *all);
    if (scope->is_first)
        *all = (struct tls_commands){0};
    struct tls_command *slot = READER_ADD(scope->reader, all);
    if (slot)
        *slot = (struct tls_command){word_place(&node->words[0]), node->words[1].text, node->words[2].text};
}

static void depth_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t depth;
    if (set_read_number(scope, &node->words[1], row->name, 100, &depth))
        *(unsigned *)scope_member(scope, row, sizeof(unsigned)) = (unsigned)depth;
}

static void verify_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const char *const names[] = {"off", "on", "optional", "optional_no_ca"};
    unsigned choice;
    if (set_read_choice(scope, node, row, names, 4, "off, on, optional or optional_no_ca", &choice))
        *(enum tls_verify *)scope_member(scope, row, sizeof(enum tls_verify)) = (enum tls_verify)choice;
}

static void record_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t bytes;
    if (unit_size(node->words[1].text, false, &bytes) && bytes > 0)
        scope->site->tls.record_bytes = (size_t)bytes;
    else
        set_fail(scope, &node->words[1], row, "a size in bytes, as 4k or 16k");
}

static void name_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    compile_template(scope, &node->words[1], node->words[1].text, &scope->policy->tls.name);
}

static void alpn_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct str list = STR("");
    for (size_t i = 1; i < node->count; i++) {
        struct str glue = list.len ? reader_join(scope->reader, list, STR(" ")) : list;
        list = reader_join(scope->reader, glue, node->words[i].text);
    }
    scope->site->tls.alpn = list;
}

/* "builtin", "builtin:SESSIONS", "shared:NAME:SIZE": all of them are kept in the one process. */
static bool cache_take(struct tls_site *tls, struct str word) {
    uint64_t value;
    tls->cache = TLS_CACHE_KEPT;
    if (str_eq(word, STR("builtin")))
        return true;
    if (str_starts(word, STR("builtin:"))) {
        if (!str_to_u64(str_from(word, 8), &value))
            return false;
        tls->cache_bytes = value * 256; /* what nginx reckons for one */
        return true;
    }
    if (!str_starts(word, STR("shared:")))
        return false;
    struct str size = str_from(word, 7);
    size_t colon = str_find_char(size, ':');
    if (colon == 0 || colon == STR_NONE || !unit_size(str_from(size, colon + 1), false, &value))
        return false;
    tls->cache_bytes = value;
    tls->cache_name = str_head(size, colon);
    return value >= 8 * 4096;
}

static void cache_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct tls_site *tls = &scope->site->tls;
    tls->cache_bytes = 0;
    tls->cache_name = STR("");
    for (size_t i = 1; i < node->count; i++) {
        const struct word *at = &node->words[i];
        if (str_eq(at->text, STR("off")))
            tls->cache = TLS_CACHE_OFF;
        else if (str_eq(at->text, STR("none")))
            tls->cache = TLS_CACHE_NONE;
        else if (!cache_take(tls, at->text))
            set_fail(scope, at, row,
                     "off, none, builtin, builtin:SESSIONS or shared:NAME:SIZE, of 32k or more");
    }
}

/* ---- when all is read ---- */

static void site_verify(struct reader *reader, const struct site *site) {
    const struct tls_site *tls = &site->tls;
    const struct tls_policy *policy = &tls->policy;
    if (policy->certificates.count > policy->keys.count) {
        const struct tls_file *file = &policy->certificates.items[policy->certificates.count - 1];
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, file->place,
                        "no \"ssl_certificate_key\" is defined for certificate \"%.*s\"", STR_ARG(file->path));
    }
    bool is_used = policy->certificates.count || tls->rejects;
    bool needs_ca = tls->verify == TLS_VERIFY_ON || tls->verify == TLS_VERIFY_OPTIONAL;
    if (is_used && needs_ca && !tls->clients.path.len && !policy->trusted.path.len)
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, site->place,
                        "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client");
}

static void listen_verify(struct reader *reader, const struct listen *listen) {
    const struct tls_site *tls = &listen->default_site->tls;
    if (!listen->is_secure || tls->policy.certificates.count || tls->rejects)
        return;
    struct diagnostic *said =
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, listen->place,
                        "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
    diagnostic_hint(reader->diagnostics, said,
                    "write in its server: ssl_certificate CHAIN.pem; ssl_certificate_key KEY.pem;");
}

static void route_verify(struct reader *reader, const struct route *route) {
    const struct tls_pass *tls = &route->policy.tls;
    const struct tls_policy *policy = &tls->policy;
    if (policy->certificates.count && !policy->keys.count)
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, policy->certificates.items[0].place,
                        "no \"proxy_ssl_certificate_key\" is defined for certificate \"%.*s\"",
                        STR_ARG(policy->certificates.items[0].path));
    if (tls->verifies && !policy->trusted.path.len)
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, route->place,
                        "no proxy_ssl_trusted_certificate for proxy_ssl_verify");
}

void ssl_verify(struct reader *reader) {
    const struct model *model = reader->model;
    for (size_t i = 0; i < model->sites.count; i++)
        site_verify(reader, model->sites.items[i]);
    for (size_t i = 0; i < model->listens.count; i++)
        if (model->listens.items[i]->default_site)
            listen_verify(reader, model->listens.items[i]);
    for (size_t i = 0; i < model->secure_routes.count; i++)
        route_verify(reader, model->secure_routes.items[i]);
}

static const char no_stapling[] = "no OCSP answer is stapled to the certificate; clients ask for it themselves";
static const char no_early[] = "early data is refused, and clients send it again behind the handshake";
static const char no_cache[] = "certificates are read when the configuration is loaded";
#define SITE_LEVELS (CONTEXT_HTTP | CONTEXT_SERVER | CONTEXT_STREAMS)
#define PASS_LEVELS (CONTEXT_HSL | CONTEXT_STREAMS)

static const struct directive rows[] = {
    {"ssl_certificate", SITE_LEVELS, 1, 1, 0, certificate_add, SITE(tls.policy.certificates), NULL},
    {"ssl_certificate_key", SITE_LEVELS, 1, 1, 0, certificate_add, SITE(tls.policy.keys), NULL},
    {"ssl_password_file", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, SITE(tls.policy.passwords), NULL},
    {"ssl_protocols", SITE_LEVELS, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, versions_set, SITE(tls.policy.protocols),
     NULL},
    {"ssl_ciphers", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_text, SITE(tls.policy.ciphers), NULL},
    {"ssl_conf_command", SITE_LEVELS, 2, 2, 0, command_add, SITE(tls.policy.commands), NULL},
    {"ssl_trusted_certificate", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, SITE(tls.policy.trusted), NULL},
    {"ssl_client_certificate", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, SITE(tls.clients), NULL},
    {"ssl_crl", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, SITE(tls.policy.crl), NULL},
    {"ssl_key_log", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, key_log_set, SITE(tls.policy.key_log), NULL},
    {"ssl_verify_client", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, verify_set, SITE(tls.verify), NULL},
    {"ssl_verify_depth", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, depth_set, SITE(tls.policy.verify_depth), NULL},
    {"ssl_dhparam", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, SITE(tls.dhparam), NULL},
    {"ssl_ecdh_curve", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_text, SITE(tls.curves), NULL},
    {"ssl_prefer_server_ciphers", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, SITE(tls.prefers_server), NULL},
    {"ssl_reject_handshake", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, SITE(tls.rejects), NULL},
    {"ssl_session_cache", SITE_LEVELS, 1, 2, DIRECTIVE_ONCE, cache_set, NOTHING, NULL},
    {"ssl_session_timeout", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_time_ms, SITE(tls.session_timeout_ms), NULL},
    {"ssl_session_tickets", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, SITE(tls.has_tickets), NULL},
    {"ssl_session_ticket_key", SITE_LEVELS, 1, 1, 0, file_add, SITE(tls.ticket_keys), NULL},
    {"ssl_buffer_size", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, record_set, NOTHING, NULL},
    {"ssl_alpn", SITE_LEVELS, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, alpn_set, NOTHING, NULL},
    {"ssl_early_data", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing_visible, NOTHING, no_early},
    {"ssl_stapling", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing_visible, NOTHING, no_stapling},
    {"ssl_stapling_file", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, no_stapling},
    {"ssl_stapling_responder", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, no_stapling},
    {"ssl_stapling_verify", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, no_stapling},
    {"ssl_ocsp", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_only, NOTHING, "off"},
    {"ssl_ocsp_cache", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"ssl_ocsp_responder", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, NULL},
    {"ssl_certificate_cache", SITE_LEVELS, 1, 3, DIRECTIVE_ONCE, certificate_cache_set, SITE(tls.policy.cache),
     NULL},
    {"ssl_certificate_compression", SITE_LEVELS, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "certificates are sent uncompressed"},
    {"ssl_object_cache_inheritable", CONTEXT_MAIN, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, no_cache},
    {"proxy_ssl_certificate", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, certificate_add,
     POLICY(tls.policy.certificates), NULL},
    {"proxy_ssl_certificate_key", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, certificate_add, POLICY(tls.policy.keys),
     NULL},
    {"proxy_ssl_password_file", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, POLICY(tls.policy.passwords),
     NULL},
    {"proxy_ssl_protocols", PASS_LEVELS, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, versions_set,
     POLICY(tls.policy.protocols), NULL},
    {"proxy_ssl_ciphers", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, set_text, POLICY(tls.policy.ciphers), NULL},
    {"proxy_ssl_conf_command", PASS_LEVELS, 2, 2, 0, command_add, POLICY(tls.policy.commands), NULL},
    {"proxy_ssl_trusted_certificate", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, POLICY(tls.policy.trusted),
     NULL},
    {"proxy_ssl_crl", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, file_set, POLICY(tls.policy.crl), NULL},
    {"proxy_ssl_key_log", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, key_log_set, POLICY(tls.policy.key_log), NULL},
    {"proxy_ssl_verify", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(tls.verifies), NULL},
    {"proxy_ssl_verify_depth", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, depth_set, POLICY(tls.policy.verify_depth),
     NULL},
    {"proxy_ssl_name", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, name_set, NOTHING, NULL},
    {"proxy_ssl_server_name", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(tls.sends_name), NULL},
    {"proxy_ssl_session_reuse", PASS_LEVELS, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(tls.reuses_sessions), NULL},
    {"proxy_ssl_certificate_cache", PASS_LEVELS, 1, 3, DIRECTIVE_ONCE, certificate_cache_set,
     POLICY(tls.policy.cache), NULL},
};

const struct area ssl_area = {rows, sizeof rows / sizeof *rows};
