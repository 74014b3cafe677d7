#include "net/tls/tls_session.h"

#include "base/mem.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_secret.h"
#include "net/tls/tls_wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>

enum { KEPT_SESSIONS = 256, NAME_ROOM = 256 };

struct kept {
    uint64_t key;
    SSL_SESSION *session;
};

struct tls_session_pool {
    struct kept kept[KEPT_SESSIONS];
};

struct tls_session {
    struct tls_duct *tls;
    struct tls_session_pool *pool;
    SSL *ssl;
    struct tls_context *context; /* the one it began with */
    tls_choose *choose;
    tls_certify *certify;
    uint64_t key;      /* of the session to be kept; 0: none */
    char *verified;    /* the name that the certificate must bear */
    char *failure;     /* what went wrong; NULL: nothing, or no memory to say it */
    bool is_untouched; /* no byte was read */
    bool is_rekeyed;   /* since the handshake */
    struct tls_secrets secrets;
    uint64_t in_sequence, out_sequence; /* of the next record each way */
};

/* ---- sessions that backends gave ---- */

struct tls_session_pool *tls_session_pool_new(void) {
    return mem_zero(1, sizeof(struct tls_session_pool));
}

void tls_session_pool_free(struct tls_session_pool *pool) {
    for (size_t i = 0; pool && i < KEPT_SESSIONS; i++)
        SSL_SESSION_free(pool->kept[i].session);
    mem_free(pool);
}

static struct kept *kept_at(struct tls_session_pool *pool, uint64_t key) {
    return &pool->kept[key % KEPT_SESSIONS];
}

/* OpenSSL's: 1 takes the session over. */
static int session_keep(SSL *ssl, SSL_SESSION *given) {
    struct tls_session *session = SSL_get_app_data(ssl);
    if (!session->key)
        return 0;
    struct kept *kept = kept_at(session->pool, session->key);
    SSL_SESSION_free(kept->session);
    *kept = (struct kept){session->key, given};
    return 1;
}

static void session_resume(struct tls_session *session) {
    struct kept *kept = kept_at(session->pool, session->key);
    if (!session->key || kept->key != session->key || !kept->session)
        return;
    /* OpenSSL spoils one of TLS 1.3 by its use, though not every server gives the next at once. */
    SSL_SESSION *copy = SSL_SESSION_dup(kept->session);
    if (copy)
        SSL_set_session(session->ssl, copy);
    SSL_SESSION_free(copy);
}

/* ---- the way between OpenSSL and the duct ---- */

static int way_read(BIO *bio, char *bytes, size_t len, size_t *got) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got = tls_wire_take(session->tls, bytes, len);
    if (*got) {
        session->is_untouched = false;
        return 1;
    }
    if (!session->tls->is_ended)
        BIO_set_retry_read(bio);
    return 0;
}

static int way_write(BIO *bio, const char *bytes, size_t len, size_t *written) {
    struct tls_session *session = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = len;
    return tls_wire_append(session->tls, bytes, len);
}

static long way_control(BIO *bio, int command, long number, void *pointer) {
    const struct tls_session *session = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return session->tls->is_ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *way;

static void way_make(void) {
    way = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "duct");
    if (way && (!BIO_meth_set_read_ex(way, way_read) || !BIO_meth_set_write_ex(way, way_write) ||
                !BIO_meth_set_ctrl(way, way_control))) {
        BIO_meth_free(way);
        way = NULL;
    }
}

static bool way_open(struct tls_session *session) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, way_make);
    BIO *bio = way ? BIO_new(way) : NULL;
    if (!bio)
        return false;
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    SSL_set_bio(session->ssl, bio, bio);
    return true;
}

/* ---- callbacks ---- */

/* Counts records since the keys in force: those are set when Finished has passed. */
static void message_note(int is_out, int version, int type, const void *bytes, size_t len, SSL *ssl,
                         void *argument) {
    struct tls_session *session = SSL_get_app_data(ssl);
    const uint8_t *message = bytes;
    (void)argument;
    if (!session || len == 0)
        return;
    uint64_t *sequence = is_out ? &session->out_sequence : &session->in_sequence;
    if (type == SSL3_RT_HEADER && message[0] != SSL3_RT_CHANGE_CIPHER_SPEC)
        (*sequence)++;
    if (type == SSL3_RT_HANDSHAKE && message[0] == SSL3_MT_FINISHED)
        *sequence = version == TLS1_3_VERSION ? 0 : 1;
    if (type == SSL3_RT_HANDSHAKE && message[0] == SSL3_MT_KEY_UPDATE)
        session->is_rekeyed = true;
}

/* What was copied from the first context when the connection began is taken from the chosen one. */
static bool context_use(struct tls_session *session, struct tls_context *context) {
    SSL *ssl = session->ssl;
    if (context == session->context)
        return true;
    if (!SSL_set_SSL_CTX(ssl, context->ssl))
        return false;
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(context->ssl), SSL_CTX_get_verify_callback(context->ssl));
    SSL_set_verify_depth(ssl, SSL_CTX_get_verify_depth(context->ssl));
    SSL_clear_options(ssl, SSL_get_options(ssl) & ~SSL_CTX_get_options(context->ssl));
    SSL_set_options(ssl, SSL_CTX_get_options(context->ssl));
    SSL_set_min_proto_version(ssl, (int)SSL_CTX_get_min_proto_version(context->ssl));
    SSL_set_max_proto_version(ssl, (int)SSL_CTX_get_max_proto_version(context->ssl));
    tls_context_take(context);
    tls_context_drop(session->context);
    session->context = context;
    return true;
}

bool tls_is_host(struct str name) {
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == ':' || (c == '.' && i && name.ptr[i - 1] == '.'))
            return false;
    }
    return name.len > 0;
}

/* The name in a ClientHello, RFC 6066 3, in lower case and without a final dot. False when it is broken. */
static bool hello_name(SSL *ssl, struct builder *name) {
    const unsigned char *bytes;
    size_t len;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &len))
        return true;
    if (len < 5 || bytes[2] != TLSEXT_NAMETYPE_host_name)
        return false;
    size_t list = (size_t)bytes[0] << 8 | bytes[1], own = (size_t)bytes[3] << 8 | bytes[4];
    if (list != len - 2 || own > len - 5)
        return false;
    for (size_t i = 0; i < own; i++)
        builder_char(name, str_lower_char((char)bytes[5 + i]));
    if (name->len > 1 && name->ptr[name->len - 1] == '.' && name->ptr[name->len - 2] != '.')
        name->len--;
    return !name->overflow;
}

/* Before version and session are settled, so that the chosen context decides on these too. */
static int hello_seen(SSL *ssl, int *alert, void *argument) {
    struct tls_session *session = SSL_get_app_data(ssl);
    char memory[NAME_ROOM];
    struct builder name = builder_make(memory, sizeof memory);
    (void)argument;
    if (!session->choose)
        return SSL_CLIENT_HELLO_SUCCESS;
    *alert = SSL_AD_DECODE_ERROR;
    if (!hello_name(ssl, &name))
        return SSL_CLIENT_HELLO_ERROR;
    struct str asked = tls_is_host(builder_view(&name)) ? builder_view(&name) : STR("");
    struct tls_context *context = session->choose(&session->tls->duct, asked);
    *alert = context ? SSL_AD_INTERNAL_ERROR : SSL_AD_UNRECOGNIZED_NAME;
    return context && context_use(session, context) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* Without it OpenSSL would not tell the name later. */
static int name_accept(SSL *ssl, int *alert, void *argument) {
    (void)ssl;
    (void)alert;
    (void)argument;
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL's: once the name is known, and of a session that is resumed not at all. */
static int certificate_give(SSL *ssl, void *argument) {
    struct tls_session *session = SSL_get_app_data(ssl);
    (void)argument;
    return !session->context->is_certified_late || (session->certify && session->certify(&session->tls->duct));
}

struct tls_context *tls_session_context_new(bool is_server, struct builder *error) {
    struct tls_context *context = tls_context_new(is_server, error);
    if (!context)
        return NULL;
    SSL_CTX_set_msg_callback(context->ssl, message_note);
    if (!is_server) {
        SSL_CTX_sess_set_new_cb(context->ssl, session_keep);
        return context;
    }
    SSL_CTX_set_client_hello_cb(context->ssl, hello_seen, NULL);
    SSL_CTX_set_tlsext_servername_callback(context->ssl, name_accept);
    SSL_CTX_set_cert_cb(context->ssl, certificate_give, NULL);
    return context;
}

/* ---- beginning and end ---- */

static char *text_copy(struct str text) {
    char *copy = text.len ? mem_alloc(text.len + 1) : NULL;
    if (copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

static bool client_begin(struct tls_session *session, const struct tls_start *start) {
    char *name = text_copy(start->name);
    bool is_named = start->name.len == 0 || (name && SSL_set_tlsext_host_name(session->ssl, name));
    mem_free(name);
    session->verified = text_copy(start->verified_name);
    session->key = start->session;
    session_resume(session);
    SSL_set_connect_state(session->ssl);
    return is_named && (session->verified || start->verified_name.len == 0);
}

struct tls_session *tls_session_new(struct tls_duct *tls, struct tls_session_pool *pool,
                                    const struct tls_start *start) {
    struct tls_session *session = mem_zero(1, sizeof *session);
    if (!session)
        return NULL;
    session->tls = tls;
    session->pool = pool;
    session->choose = start->choose;
    session->certify = start->certify;
    session->is_untouched = true;
    session->context = start->context;
    tls_context_take(session->context);
    session->ssl = SSL_new(session->context->ssl);
    bool is_fine = session->ssl && SSL_set_app_data(session->ssl, session) && way_open(session);
    if (is_fine && session->context->is_server)
        SSL_set_accept_state(session->ssl);
    else if (is_fine)
        is_fine = client_begin(session, start);
    if (is_fine)
        return session;
    ERR_clear_error();
    tls_session_free(session);
    return NULL;
}

void tls_session_free(struct tls_session *session) {
    if (!session)
        return;
    /* Without a close_notify of the other side the session would not be resumed. */
    if (session->ssl)
        SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session->ssl);
    tls_context_drop(session->context);
    mem_free(session->verified);
    mem_free(session->failure);
    OPENSSL_cleanse(&session->secrets, sizeof session->secrets);
    mem_free(session);
}

/* ---- at work ---- */

static void failure_set(struct tls_session *session, const struct builder *text) {
    if (!session->failure)
        session->failure = text_copy(builder_view(text));
}

static enum tls_step failed(struct tls_session *session, const char *call, int result) {
    char memory[TLS_ERROR_MAX];
    struct builder text = builder_make(memory, sizeof memory);
    bool is_closed = session->tls->is_ended && ERR_peek_error() == 0;
    if (is_closed && result <= 0) {
        builder_str(&text, STR("peer closed connection in SSL handshake"));
    } else {
        builder_format(&text, "%s failed", call);
        tls_error_build(&text);
    }
    ERR_clear_error();
    failure_set(session, &text);
    return TLS_STEP_FAILED;
}

/* Is the name one of the certificate's? RFC 9525 6; an address literal is looked for among its addresses. */
static bool name_is_right(const struct tls_session *session) {
    X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    if (!certificate)
        return false;
    return X509_check_host(certificate, session->verified, 0, 0, NULL) == 1 ||
           X509_check_ip_asc(certificate, session->verified, 0) == 1;
}

static enum tls_step backend_verify(struct tls_session *session) {
    char memory[TLS_ERROR_MAX];
    struct builder text = builder_make(memory, sizeof memory);
    long result = SSL_get_verify_result(session->ssl);
    if (result != X509_V_OK)
        builder_format(&text, "upstream SSL certificate verify error: (%ld:%s)", result,
                       X509_verify_cert_error_string(result));
    else if (session->verified && !name_is_right(session))
        builder_format(&text, "upstream SSL certificate does not match \"%s\"", session->verified);
    if (text.len == 0)
        return TLS_STEP_DONE;
    failure_set(session, &text);
    return TLS_STEP_FAILED;
}

enum tls_step tls_session_handshake(struct tls_session *session) {
    ERR_clear_error();
    tls_secret_note(&session->secrets);
    int result = SSL_do_handshake(session->ssl);
    tls_secret_note(NULL);
    if (result == 1)
        return session->context->is_verifying && !session->context->is_server ? backend_verify(session)
                                                                              : TLS_STEP_DONE;
    if (SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ)
        return TLS_STEP_MORE;
    return failed(session, "SSL_do_handshake()", result);
}

enum tls_step tls_session_read(struct tls_session *session, char *bytes, size_t len, size_t *got) {
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, bytes, len, got);
    if (result == 1)
        return TLS_STEP_DONE;
    *got = 0;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_STEP_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_STEP_ENDED;
    default:
        return session->tls->is_ended && ERR_peek_error() == 0 ? TLS_STEP_ENDED
                                                               : failed(session, "SSL_read()", result);
    }
}

bool tls_session_write(struct tls_session *session, struct str bytes) {
    size_t written = 0;
    ERR_clear_error();
    int result = SSL_write_ex(session->ssl, bytes.ptr, bytes.len, &written);
    if (result == 1 && written == bytes.len)
        return true;
    failed(session, "SSL_write()", result);
    return false;
}

void tls_session_close(struct tls_session *session) {
    ERR_clear_error();
    SSL_shutdown(session->ssl);
    ERR_clear_error();
}

bool tls_session_traffic(const struct tls_session *session, struct tls_traffic *traffic) {
    const struct tls_secrets *secrets = &session->secrets;
    bool is_server = session->context->is_server;
    *traffic = (struct tls_traffic){secrets->bytes,
                                    {is_server ? secrets->client : secrets->server, session->in_sequence},
                                    {is_server ? secrets->server : secrets->client, session->out_sequence}};
    return !session->is_rekeyed && SSL_is_init_finished(session->ssl);
}

bool tls_session_is_server(const struct tls_session *session) {
    return session->context->is_server;
}

bool tls_session_is_untouched(const struct tls_session *session) {
    return session->is_untouched;
}

size_t tls_session_record_bytes(const struct tls_session *session) {
    return session->context->record_bytes;
}

struct str tls_session_failure(const struct tls_session *session) {
    return str_of(session->failure);
}

SSL *tls_session_ssl(const struct tls_session *session) {
    return session->ssl;
}
