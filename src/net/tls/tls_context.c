#include "net/tls/tls_context.h"

#include "base/mem.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_file.h"
#include "net/tls/tls_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool fail(struct builder *error, const char *what) {
    builder_str(error, str_of(what));
    tls_error_build(error);
    return false;
}

/* ALPN: ours in the order of preference; nothing in common ends the handshake, as RFC 7301 3.2 wants. */
static int alpn_choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *offered, unsigned offered_len, void *argument) {
    const struct tls_context *context = argument;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, context->alpn, context->alpn_len, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

struct tls_context *tls_context_new(bool is_server, struct builder *error) {
    static atomic_uint_least64_t number;
    struct tls_context *context = mem_zero(1, sizeof *context);
    const SSL_METHOD *method = is_server ? TLS_server_method() : TLS_client_method();
    SSL_CTX *ssl = context ? SSL_CTX_new_ex(NULL, tls_secret_query(), method) : NULL;
    if (!ssl) {
        mem_free(context);
        fail(error, "SSL_CTX_new() failed");
        return NULL;
    }
    atomic_init(&context->references, 1);
    context->number = atomic_fetch_add_explicit(&number, 1, memory_order_relaxed) + 1;
    context->ssl = ssl;
    context->is_server = is_server;
    context->key_log = -1;
    context->record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;
    SSL_CTX_set_app_data(ssl, context);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_num_tickets(ssl,
                            1); /* each costs as much as a tenth of a handshake, and each handshake gives one */
    /* Sessions are the caller's to keep: by peer towards backends, and only where a cache is asked for here. */
    SSL_CTX_set_session_cache_mode(ssl, is_server ? SSL_SESS_CACHE_OFF
                                                  : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    return context;
}

void tls_context_take(struct tls_context *context) {
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
}

void tls_context_drop(struct tls_context *context) {
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(context->ssl);
    if (context->key_log >= 0)
        close(context->key_log);
    mem_free(context->ticket_keys);
    if (context->passwords.ptr)
        OPENSSL_cleanse((void *)(uintptr_t)context->passwords.ptr, context->passwords.len);
    mem_free((void *)(uintptr_t)context->passwords.ptr);
    mem_free(context);
}

void tls_context_set_versions(struct tls_context *context, unsigned versions) {
    static const struct {
        int version;
        uint64_t off;
    } all[] = {{TLS1_VERSION, SSL_OP_NO_TLSv1},
               {TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
               {TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
               {TLS1_3_VERSION, SSL_OP_NO_TLSv1_3}};
    int least = 0, most = 0;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        if (!(versions >> i & 1)) {
            SSL_CTX_set_options(context->ssl, all[i].off);
            continue;
        }
        SSL_CTX_clear_options(context->ssl, all[i].off);
        least = least ? least : all[i].version;
        most = all[i].version;
    }
    SSL_CTX_set_min_proto_version(context->ssl, least);
    SSL_CTX_set_max_proto_version(context->ssl, most);
}

/* OpenSSL wants a NUL behind its texts. */
static char *text_copy(struct str text) {
    char *copy = mem_alloc(text.len + 1);
    if (copy) {
        if (text.len)
            memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

bool tls_context_set_ciphers(struct tls_context *context, struct str ciphers, bool prefers_server,
                             struct builder *error) {
    char *text = text_copy(ciphers);
    bool is_set = text && SSL_CTX_set_cipher_list(context->ssl, text);
    mem_free(text);
    if (prefers_server)
        SSL_CTX_set_options(context->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (is_set)
        return true;
    builder_format(error, "SSL_CTX_set_cipher_list(\"%.*s\") failed", STR_ARG(ciphers));
    return fail(error, "");
}

bool tls_context_set_curves(struct tls_context *context, struct str curves, struct builder *error) {
    if (str_eq(curves, STR("auto")))
        return true;
    char *text = text_copy(curves);
    bool is_set = text && SSL_CTX_set1_curves_list(context->ssl, text);
    mem_free(text);
    if (is_set)
        return true;
    builder_format(error, "SSL_CTX_set1_curves_list(\"%.*s\") failed", STR_ARG(curves));
    return fail(error, "");
}

static bool command_run(SSL_CONF_CTX *conf, struct str name, struct str value, struct builder *error) {
    char *name_text = text_copy(name), *value_text = text_copy(value);
    int result = name_text && value_text ? SSL_CONF_cmd(conf, name_text, value_text) : 0;
    mem_free(name_text);
    mem_free(value_text);
    if (result > 0 && SSL_CONF_CTX_finish(conf))
        return true;
    if (result == -2)
        builder_format(error, "unknown command \"%.*s\"", STR_ARG(name));
    builder_format(error, "%sSSL_CONF_cmd(\"%.*s\", \"%.*s\") failed", error->len ? ": " : "", STR_ARG(name),
                   STR_ARG(value));
    return fail(error, "");
}

bool tls_context_command(struct tls_context *context, struct str name, struct str value,
                         struct builder *error) {
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
    if (!conf)
        return fail(error, "SSL_CONF_CTX_new() failed");
    SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS | SSL_CONF_FLAG_CERTIFICATE |
                                     (context->is_server ? SSL_CONF_FLAG_SERVER : SSL_CONF_FLAG_CLIENT));
    SSL_CONF_CTX_set_ssl_ctx(conf, context->ssl);
    bool is_done = command_run(conf, name, value, error);
    SSL_CONF_CTX_free(conf);
    return is_done;
}

bool tls_context_set_alpn(struct tls_context *context, struct str names, struct builder *error) {
    struct builder list = builder_make((char *)context->alpn, sizeof context->alpn);
    for (struct str name; str_split(&names, ' ', &name);) {
        if (name.len == 0)
            continue;
        if (name.len > 255) {
            builder_str(error, STR("a protocol's name is too long for ALPN"));
            return false;
        }
        builder_char(&list, (char)name.len);
        builder_str(&list, name);
    }
    if (list.overflow) {
        builder_str(error, STR("there are too many protocols for ALPN"));
        return false;
    }
    context->alpn_len = (unsigned)list.len;
    if (context->is_server)
        SSL_CTX_set_alpn_select_cb(context->ssl, alpn_choose, context);
    return true;
}

void tls_context_set_sessions(struct tls_context *context, struct str name, size_t kept, bool is_silent,
                              uint64_t timeout_s, bool has_tickets) {
    SSL_CTX *ssl = context->ssl;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_Digest(name.ptr, name.len, digest, &len, EVP_sha256(), NULL))
        SSL_CTX_set_session_id_context(ssl, digest, len);
    SSL_CTX_set_timeout(ssl, (long)timeout_s);
    if (!has_tickets)
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
    if (kept) {
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_cache_size(ssl, (long)kept);
    } else {
        SSL_CTX_set_session_cache_mode(ssl, is_silent ? SSL_SESS_CACHE_OFF
                                                      : SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    }
}

/* In one piece, so that the lines of all threads stay whole. A line that cannot be written is lost. */
static void key_write(const SSL *ssl, const char *line) {
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct iovec parts[] = {{(void *)(uintptr_t)line, strlen(line)}, {(void *)(uintptr_t) "\n", 1}};
    ssize_t written = writev(context->key_log, parts, 2);
    (void)written;
}

bool tls_context_set_key_log(struct tls_context *context, struct str path, struct builder *error) {
    char *name = text_copy(path);
    errno = ENOMEM;
    context->key_log = name ? open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR) : -1;
    mem_free(name);
    if (context->key_log < 0) {
        builder_format(error, "open() \"%.*s\" failed (%d: %s)", STR_ARG(path), errno, strerrordesc_np(errno));
        return false;
    }
    SSL_CTX_set_keylog_callback(context->ssl, key_write);
    return true;
}

/* ---- tickets ---- */

enum { KEYS_MAX = 8, TICKET_NAME_BYTES = 16 };

struct ticket_key {
    unsigned char name[TICKET_NAME_BYTES], hmac[32], aes[32];
    unsigned half; /* bytes of hmac and of aes: 16, or 32 */
};

struct tls_ticket_keys {
    size_t count;
    struct ticket_key keys[KEYS_MAX];
};

static bool hmac_set(EVP_MAC_CTX *mac, struct ticket_key *key) {
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, key->half),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params);
}

/* OpenSSL's: 1 goes on, 2 goes on and gives a new ticket, 0 makes a full handshake, -1 fails. */
static int ticket_key_choose(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                             EVP_MAC_CTX *mac, int is_new) {
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_ticket_keys *keys = context->ticket_keys;
    if (!keys)
        return 0;
    struct ticket_key *key = &keys->keys[0];
    const EVP_CIPHER *kind = key->half == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
    if (is_new) {
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1 ||
            !EVP_EncryptInit_ex(cipher, kind, NULL, key->aes, iv) || !hmac_set(mac, key))
            return -1;
        memcpy(name, key->name, sizeof key->name);
        return 1;
    }
    size_t at = 0;
    while (at < keys->count && memcmp(name, keys->keys[at].name, TICKET_NAME_BYTES) != 0)
        at++;
    if (at == keys->count)
        return 0;
    key = &keys->keys[at];
    kind = key->half == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
    if (!hmac_set(mac, key) || !EVP_DecryptInit_ex(cipher, kind, NULL, key->aes, iv))
        return -1;
    return at == 0 && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2; /* TLS 1.3: a ticket is for one use */
}

bool tls_context_add_ticket_key(struct tls_context *context, struct str path, struct builder *error) {
    struct str text = tls_file_read(path, error);
    if (!text.ptr)
        return false;
    struct tls_ticket_keys *keys = context->ticket_keys;
    if (!keys)
        keys = context->ticket_keys = mem_zero(1, sizeof *keys);
    bool is_right = (text.len == 48 || text.len == 80) && keys && keys->count < KEYS_MAX;
    if (is_right) {
        struct ticket_key *key = &keys->keys[keys->count++];
        key->half = (unsigned)(text.len - TICKET_NAME_BYTES) / 2;
        memcpy(key->name, text.ptr, TICKET_NAME_BYTES);
        /* nginx's order: of 48 bytes the AES key stands first, of 80 the HMAC key */
        const char *rest = text.ptr + TICKET_NAME_BYTES;
        memcpy(key->half == 16 ? key->aes : key->hmac, rest, key->half);
        memcpy(key->half == 16 ? key->hmac : key->aes, rest + key->half, key->half);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(context->ssl, ticket_key_choose);
    } else {
        builder_format(error, "\"%.*s\" must be 48 or 80 bytes", STR_ARG(path));
    }
    mem_free((void *)(uintptr_t)text.ptr);
    return is_right;
}

bool tls_context_certify_late(struct tls_context *context, struct str passwords) {
    char *copy = passwords.len ? mem_alloc(passwords.len) : NULL;
    context->is_certified_late = true;
    if (copy)
        memcpy(copy, passwords.ptr, passwords.len);
    context->passwords = str_make(copy, copy ? passwords.len : 0);
    return copy || passwords.len == 0;
}

void tls_context_inherit(struct tls_context *context, struct tls_context *before) {
    unsigned char keys[80];
    if (context->ticket_keys || before->ticket_keys)
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(before->ssl, keys, sizeof keys) > 0)
        SSL_CTX_set_tlsext_ticket_keys(context->ssl, keys, sizeof keys);
}
