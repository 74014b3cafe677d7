#include "net/tls/tls_pem.h"

#include "base/mem.h"
#include "net/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* Certificates and keys from PEM. */

enum { SMALL_FILE_MAX = 1 << 20 };

/* What is no path may be a key, which is not to be read in a log. */
static struct str shown(struct str path) {
    return str_starts(path, STR("data:")) ? STR("data:") : str_head(path, 256);
}

static bool fail(struct builder *error, const char *what, struct str path, const char *call) {
    builder_format(error, "cannot load %s \"%.*s\": %s failed", what, STR_ARG(shown(path)), call);
    tls_error_build(error);
    return false;
}

static BIO *source_open(struct str path, const char *what, struct builder *error) {
    if (str_starts(path, STR("data:"))) {
        BIO *bio = BIO_new_mem_buf(path.ptr + 5, (int)(path.len - 5));
        if (!bio)
            fail(error, what, path, "BIO_new_mem_buf()");
        return bio;
    }
    char name[4096];
    struct builder text = builder_make(name, sizeof name - 1);
    builder_str(&text, path);
    name[text.len] = '\0';
    BIO *bio = text.overflow ? NULL : BIO_new_file(name, "r");
    if (!bio)
        fail(error, what, path, "BIO_new_file()");
    return bio;
}

struct str tls_file_read(struct str path, struct builder *error) {
    struct str none = {NULL, 0};
    BIO *bio = source_open(path, "file", error);
    char *bytes = bio ? mem_alloc(SMALL_FILE_MAX) : NULL;
    size_t len = 0;
    for (int got = 1; bytes && got > 0 && len<SMALL_FILE_MAX; len += got> 0 ? (size_t)got : 0)
        got = BIO_read(bio, bytes + len, (int)(SMALL_FILE_MAX - len));
    BIO_free(bio);
    if (!bytes)
        return none;
    char *fitting = mem_resize(bytes, len ? len : 1);
    return str_make(fitting ? fitting : bytes, len);
}

/* The end of a PEM file is told by an error that is none. */
static bool is_at_end(void) {
    unsigned long code = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (is_end)
        ERR_clear_error();
    return is_end;
}

struct stack_st_X509 *tls_pem_chain(BIO *bio, struct str path, struct builder *error) {
    static const char what[] = "certificate";
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *next = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    const char *call = next ? "PEM_read_bio_X509()" : "PEM_read_bio_X509_AUX()";
    bool is_whole = next != NULL;
    for (; next; next = PEM_read_bio_X509(bio, NULL, NULL, NULL))
        if (!chain || !sk_X509_push(chain, next)) {
            X509_free(next);
            is_whole = false;
            call = "sk_X509_push()";
            break;
        }
    if (is_whole && is_at_end())
        return chain;
    fail(error, what, path, call);
    sk_X509_pop_free(chain, X509_free);
    return NULL;
}

struct password {
    struct str text;
    bool is_known, was_asked;
};

static int password_give(char *out, int room, int is_writing, void *argument) {
    struct password *password = argument;
    (void)is_writing;
    password->was_asked = true;
    if (!password->is_known || password->text.len > (size_t)room)
        return 0; /* not asked for on the terminal */
    if (password->text.len)
        memcpy(out, password->text.ptr, password->text.len);
    return (int)password->text.len;
}

struct evp_pkey_st *tls_pem_key(BIO *bio, struct str path, struct str passwords, bool *is_locked,
                                struct builder *error) {
    struct password password = {.text = {NULL, 0}};
    struct str rest = passwords;
    password.is_known = str_split(&rest, '\n', &password.text);
    EVP_PKEY *key;
    do {
        if (password.text.len && password.text.ptr[password.text.len - 1] == '\r')
            password.text.len--;
        ERR_clear_error();
        key = PEM_read_bio_PrivateKey(bio, NULL, password_give, &password);
    } while (!key && password.is_known && BIO_seek(bio, 0) >= 0 && str_split(&rest, '\n', &password.text));
    *is_locked = password.was_asked;
    if (!key)
        fail(error, "certificate key", path, "PEM_read_bio_PrivateKey()");
    return key;
}

static STACK_OF(X509) * chain_load(struct str path, struct builder *error) {
    BIO *bio = source_open(path, "certificate", error);
    STACK_OF(X509) *chain = bio ? tls_pem_chain(bio, path, error) : NULL;
    BIO_free(bio);
    return chain;
}

static EVP_PKEY *key_load(struct str path, struct str passwords, struct builder *error) {
    BIO *bio = source_open(path, "certificate key", error);
    bool is_locked;
    EVP_PKEY *key = bio ? tls_pem_key(bio, path, passwords, &is_locked, error) : NULL;
    BIO_free(bio);
    return key;
}

/* The first of the chain is the certificate itself, those behind it are to be sent with it. Takes the chain. */
static X509 *chain_use(SSL_CTX *ssl, STACK_OF(X509) * chain, struct str path, struct builder *error) {
    X509 *own = sk_X509_shift(chain);
    bool is_used = SSL_CTX_use_certificate(ssl, own);
    if (is_used && SSL_CTX_set0_chain(ssl, chain))
        return own;
    fail(error, "certificate", path, is_used ? "SSL_CTX_set0_chain()" : "SSL_CTX_use_certificate()");
    sk_X509_pop_free(chain, X509_free);
    X509_free(own);
    return NULL;
}

bool tls_context_add_certificate(struct tls_context *context, struct str certificate, struct str key,
                                 struct str passwords, struct builder *error) {
    STACK_OF(X509) *chain = chain_load(certificate, error);
    X509 *own = chain ? chain_use(context->ssl, chain, certificate, error) : NULL;
    EVP_PKEY *private = own ? key_load(key, passwords, error) : NULL;
    /* OpenSSL would keep a key of another kind beside the certificate, and find no cipher in common later. */
    bool is_used =
        private && X509_check_private_key(own, private) && SSL_CTX_use_PrivateKey(context->ssl, private);
    EVP_PKEY_free(private);
    X509_free(own);
    if (is_used || !private)
        return is_used;
    builder_format(error, "SSL_CTX_use_PrivateKey(\"%.*s\") failed", STR_ARG(shown(key)));
    tls_error_build(error);
    return false;
}

/* Clients are told a name once, however often it stands in the file. */
static bool name_tell(SSL_CTX *ssl, X509 *authority) {
    const STACK_OF(X509_NAME) *told = SSL_CTX_get_client_CA_list(ssl);
    for (int i = 0; i < sk_X509_NAME_num(told); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(told, i), X509_get_subject_name(authority)) == 0)
            return true;
    return SSL_CTX_add_client_CA(ssl, authority);
}

bool tls_context_add_trusted(struct tls_context *context, struct str path, bool is_told,
                             struct builder *error) {
    static const char what[] = "certificate";
    BIO *bio = source_open(path, what, error);
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    size_t count = 0;
    if (!bio)
        return false;
    for (X509 *one; (one = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)); count++) {
        bool is_added = X509_STORE_add_cert(store, one) && (!is_told || name_tell(context->ssl, one));
        X509_free(one);
        if (is_added)
            continue;
        BIO_free(bio);
        return fail(error, what, path, "X509_STORE_add_cert()");
    }
    BIO_free(bio);
    return (count && is_at_end()) || fail(error, what, path, "PEM_read_bio_X509_AUX()");
}

bool tls_context_add_crl(struct tls_context *context, struct str path, struct builder *error) {
    static const char what[] = "CRL";
    BIO *bio = source_open(path, what, error);
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
    size_t count = 0;
    if (!bio)
        return false;
    for (X509_CRL *one; (one = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL)); count++) {
        bool is_added = X509_STORE_add_crl(store, one);
        X509_CRL_free(one);
        if (is_added)
            continue;
        BIO_free(bio);
        return fail(error, what, path, "X509_STORE_add_crl()");
    }
    BIO_free(bio);
    if (!count || !is_at_end())
        return fail(error, what, path, "PEM_read_bio_X509_CRL()");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

bool tls_context_set_dhparam(struct tls_context *context, struct str path, struct builder *error) {
    BIO *bio = source_open(path, "DH parameters", error);
    if (!bio)
        return false;
    EVP_PKEY *params = PEM_read_bio_Parameters(bio, NULL);
    BIO_free(bio);
    if (params && SSL_CTX_set0_tmp_dh_pkey(context->ssl, params))
        return true;
    EVP_PKEY_free(params);
    return fail(error, "DH parameters", path, "SSL_CTX_set0_tmp_dh_pkey()");
}

/* Goes on in any case: what it found is asked for when the handshake is over, so that the client gets an answer
 * and the log a reason. */
static int verify_note(int is_fine, X509_STORE_CTX *store) {
    (void)is_fine;
    (void)store;
    return 1;
}

void tls_context_verify(struct tls_context *context, unsigned depth) {
    context->is_verifying = true;
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, verify_note);
    SSL_CTX_set_verify_depth(context->ssl, (int)depth);
}
