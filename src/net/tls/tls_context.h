#ifndef NET_TLS_TLS_CONTEXT_H
#define NET_TLS_TLS_CONTEXT_H

#include "base/builder.h"

#include <stdatomic.h>

/* What the TLS connections of one site, or to one kind of backend, have in common: certificates, trust,
 * protocols. Made while a configuration is loaded, then only read, by all threads; counted, for connections may
 * outlive the configuration. What fails while it is made is said in `error`: nginx's words. */

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct tls_context {
    atomic_uint references;
    uint64_t number; /* of its own: tells the connections of one context from another's */
    struct ssl_ctx_st *ssl;
    bool is_server, is_verifying;
    bool is_certified_late; /* each handshake is given certificates of its own */
    size_t record_bytes;    /* plaintext of the greatest record sent */
    uint8_t alpn[128];      /* what a server chooses from, as in the extension */
    unsigned alpn_len;
    struct str passwords;                /* of keys that are read late; owned */
    struct tls_ticket_keys *ticket_keys; /* NULL: OpenSSL's own */
    int key_log;                         /* -1: none */
};

/* For tls_session_context_new, which gives it what its connections need. NULL without memory. */
struct tls_context *tls_context_new(bool is_server, struct builder *error);
void tls_context_take(struct tls_context *context);
/* NULL is allowed. Any thread. */
void tls_context_drop(struct tls_context *context);

/* The versions allowed: bits 1, 2, 4, 8 for TLS 1.0 to 1.3. */
void tls_context_set_versions(struct tls_context *context, unsigned versions);
bool tls_context_set_ciphers(struct tls_context *context, struct str ciphers, bool prefers_server,
                             struct builder *error);
/* "auto" leaves it to OpenSSL. */
bool tls_context_set_curves(struct tls_context *context, struct str curves, struct builder *error);
/* A command of SSL_CONF_cmd's. */
bool tls_context_command(struct tls_context *context, struct str name, struct str value, struct builder *error);
/* Names with a blank between. */
bool tls_context_set_alpn(struct tls_context *context, struct str names, struct builder *error);
/* Sessions of a server: how many are kept here (0: none; those in tickets are the client's to keep), for how
 * long, and whether their id is given to the client all the same (`is_silent`: it is not). `name` tells them
 * from those of other sites. */
void tls_context_set_sessions(struct tls_context *context, struct str name, size_t kept, bool is_silent,
                              uint64_t timeout_s, bool has_tickets);
/* Keys for tickets, from a file of 48 or 80 bytes: the first one encrypts, all of them decrypt. */
bool tls_context_add_ticket_key(struct tls_context *context, struct str path, struct builder *error);
/* The secrets of each connection are added to the file, a line each, in the form of SSLKEYLOGFILE, which
 * Wireshark reads. It is made when it is not there, for its owner alone. */
bool tls_context_set_key_log(struct tls_context *context, struct str path, struct builder *error);
/* It has no certificates: each handshake is given its own, by tls_store_give, with keys that these passwords
 * open, the text of a password file, which is copied. False without memory. */
bool tls_context_certify_late(struct tls_context *context, struct str passwords);
/* Goes on with the ticket keys of another context, which this one replaces or shares a cache with, so that its
 * sessions are resumed. */
void tls_context_inherit(struct tls_context *context, struct tls_context *before);

/* ---- tls_context_pem.c: a path, or "data:" and the PEM itself ---- */

/* A chain and its key; `passwords` is the text of a password file, a line a password. */
bool tls_context_add_certificate(struct tls_context *context, struct str certificate, struct str key,
                                 struct str passwords, struct builder *error);
/* Whom to trust. A server also tells clients their names (`is_told`). */
bool tls_context_add_trusted(struct tls_context *context, struct str path, bool is_told, struct builder *error);
bool tls_context_add_crl(struct tls_context *context, struct str path, struct builder *error);
bool tls_context_set_dhparam(struct tls_context *context, struct str path, struct builder *error);
/* A server asks for the client's certificate, a client verifies the server's; whether it was good is asked
 * afterwards. */
void tls_context_verify(struct tls_context *context, unsigned depth);

#endif
