#include "model/print/tls_print.h"

#include "model/print/put.h"

/* TLS in the canonical text: of settings only what differs from the defaults. */

static void put_text(struct builder *out, unsigned depth, const char *what, struct str text, struct str usual) {
    if (str_eq(text, usual))
        return;
    put_indent(out, depth);
    builder_format(out, "%s ", what);
    builder_escaped(out, text);
    builder_char(out, '\n');
}

static void put_files(struct builder *out, unsigned depth, const char *what, const struct tls_files *files) {
    for (size_t i = 0; i < files->count; i++)
        put_text(out, depth, what, files->items[i].path, STR(""));
}

static void put_tls(struct builder *out, unsigned depth, const struct tls_policy *tls, struct str ciphers) {
    put_files(out, depth, "certificate", &tls->certificates);
    put_files(out, depth, "key", &tls->keys);
    if (tls->cache) {
        put_indent(out, depth);
        builder_format(out, "certificate_cache max=%zu inactive_ms=%llu valid_ms=%llu\n", tls->cache->max,
                       (unsigned long long)tls->cache->inactive_ms, (unsigned long long)tls->cache->valid_ms);
    }
    put_text(out, depth, "passwords", tls->passwords.path, STR(""));
    put_number(out, depth, "tls_versions", tls->protocols, TLS_VERSION_1_2 | TLS_VERSION_1_3);
    put_text(out, depth, "ciphers", tls->ciphers, ciphers);
    for (size_t i = 0; i < tls->commands.count; i++) {
        put_indent(out, depth);
        builder_format(out, "tls_command %.*s ", STR_ARG(tls->commands.items[i].name));
        builder_escaped(out, tls->commands.items[i].value);
        builder_char(out, '\n');
    }
    put_text(out, depth, "trusted", tls->trusted.path, STR(""));
    put_text(out, depth, "crl", tls->crl.path, STR(""));
    put_text(out, depth, "key_log", tls->key_log.path, STR(""));
    put_number(out, depth, "verify_depth", tls->verify_depth, 1);
}

void tls_print_site(struct builder *out, const struct tls_site *tls) {
    static const char *const verifies[] = {"off", "on", "optional", "optional_no_ca"};
    static const char *const caches[] = {"none", "off", "kept"};
    struct tls_site usual;
    tls_site_init(&usual);
    put_tls(out, 1, &tls->policy, usual.policy.ciphers);
    put_text(out, 1, "clients", tls->clients.path, STR(""));
    put_text(out, 1, "verify_client", str_of(verifies[tls->verify]), STR("off"));
    put_text(out, 1, "dhparam", tls->dhparam.path, STR(""));
    put_files(out, 1, "ticket_key", &tls->ticket_keys);
    put_text(out, 1, "curves", tls->curves, usual.curves);
    put_text(out, 1, "alpn", tls->alpn, usual.alpn);
    put_number(out, 1, "prefers_server_ciphers", tls->prefers_server, 0);
    put_number(out, 1, "rejects_handshake", tls->rejects, 0);
    put_number(out, 1, "session_tickets", tls->has_tickets, 1);
    put_text(out, 1, "session_cache", str_of(caches[tls->cache]), STR("none"));
    put_number(out, 1, "session_cache_bytes", tls->cache_bytes, 0);
    put_number(out, 1, "session_timeout_ms", tls->session_timeout_ms, usual.session_timeout_ms);
    put_number(out, 1, "record_bytes", tls->record_bytes, usual.record_bytes);
}

void tls_print_pass(struct builder *out, unsigned depth, const struct tls_pass *tls) {
    struct tls_pass usual;
    tls_pass_init(&usual);
    put_tls(out, depth, &tls->policy, usual.policy.ciphers);
    if (!template_is_empty(&tls->name)) {
        put_indent(out, depth);
        builder_str(out, STR("tls_name "));
        put_template(out, &tls->name);
        builder_char(out, '\n');
    }
    put_number(out, depth, "tls_names_servers", tls->names_servers, 0);
    put_number(out, depth, "sends_tls_name", tls->sends_name, 0);
    put_number(out, depth, "reuses_tls_sessions", tls->reuses_sessions, 1);
    put_number(out, depth, "verifies_backend", tls->verifies, 0);
}
