#ifndef MODEL_TLS_H
#define MODEL_TLS_H

#include "base/vec.h"
#include "model/diagnostic.h"
#include "model/template.h"

/* What is said of TLS: towards clients (ssl_*), where a site is listened for, and towards backends
 * (proxy_ssl_*). Inheritance is applied already. Paths are
 * absolute, or beneath the main file's directory. */

enum tls_version { TLS_VERSION_1 = 1, TLS_VERSION_1_1 = 2, TLS_VERSION_1_2 = 4, TLS_VERSION_1_3 = 8 };

/* A file, or "data:" and the PEM itself; where it is named, for what is to be said of it. */
struct tls_file {
    struct place place;
    struct str path;      /* empty: none */
    struct template text; /* of a certificate or key whose name has variables: the path; else empty */
};

/* As VEC makes them, with a name. */
struct tls_files {
    struct tls_file *items;
    size_t count, room;
};

/* ssl_conf_command NAME VALUE */
struct tls_command {
    struct place place;
    struct str name, value;
};

struct tls_commands {
    struct tls_command *items;
    size_t count, room;
};

/* Certificates and keys whose names have variables, once they were read: ..._certificate_cache. */
struct certificate_cache {
    unsigned number; /* among the model's */
    size_t max;
    uint64_t valid_ms, inactive_ms;
};

/* What both sides have. */
struct tls_policy {
    struct tls_files certificates, keys;   /* each certificate with the key of the same index */
    const struct certificate_cache *cache; /* NULL: off */
    struct tls_file passwords;
    unsigned protocols; /* enum tls_version; TLS 1.2 and 1.3 */
    struct str ciphers; /* empty: as OpenSSL's default */
    struct tls_commands commands;
    struct tls_file trusted, crl;
    struct tls_file
        key_log;           /* where the secrets of connections are written, to read what was recorded of them */
    unsigned verify_depth; /* 1 */
};

enum tls_verify { TLS_VERIFY_OFF, TLS_VERIFY_ON, TLS_VERIFY_OPTIONAL, TLS_VERIFY_OPTIONAL_NO_CA };
enum tls_cache { TLS_CACHE_NONE, TLS_CACHE_OFF, TLS_CACHE_KEPT };

/* Of a site. */
struct tls_site {
    struct tls_policy policy;
    struct tls_file clients; /* ssl_client_certificate */
    struct tls_file dhparam;
    struct tls_files ticket_keys;
    struct str curves; /* "auto": OpenSSL's */
    struct str alpn;   /* names with a blank between; empty: HTTP/1's */
    enum tls_verify verify;
    bool prefers_server, rejects, has_tickets;
    enum tls_cache cache;
    struct str cache_name; /* of one that sites share, and with it their ticket keys; empty: none */
    uint64_t cache_bytes;  /* TLS_CACHE_KEPT; 0: not said */
    uint64_t session_timeout_ms;
    size_t record_bytes; /* ssl_buffer_size */
};

/* Of a proxy_pass to https://. */
struct tls_pass {
    struct tls_policy policy;
    struct template name; /* proxy_ssl_name; empty: the host of proxy_pass */
    bool names_servers;   /* without a name: each server's own host, not that of proxy_pass */
    bool sends_name, reuses_sessions, verifies;
};

/* Does a certificate or a key have variables in its name? Then all of them are named in each handshake. */
static inline bool tls_policy_varies(const struct tls_policy *policy) {
    bool varies = false;
    for (size_t i = 0; i < policy->certificates.count && i < policy->keys.count; i++)
        varies |= !template_is_empty(&policy->certificates.items[i].text) ||
                  !template_is_empty(&policy->keys.items[i].text);
    return varies;
}

static inline void tls_site_init(struct tls_site *site) {
    *site = (struct tls_site){.policy = {.protocols = TLS_VERSION_1_2 | TLS_VERSION_1_3,
                                         .ciphers = {"HIGH:!aNULL:!MD5", 16},
                                         .verify_depth = 1},
                              .curves = {"auto", 4},
                              .alpn = {"", 0},
                              .has_tickets = true,
                              .session_timeout_ms = 300000,
                              .record_bytes = 16384};
}

static inline void tls_pass_init(struct tls_pass *pass) {
    *pass = (struct tls_pass){.policy = {.protocols = TLS_VERSION_1_2 | TLS_VERSION_1_3,
                                         .ciphers = {"DEFAULT", 7},
                                         .verify_depth = 1},
                              .reuses_sessions = true};
}

#endif
