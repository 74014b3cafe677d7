#include "net/tls/tls_context.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_file.h"
#include "net/tls/tls_pem.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

/* What contexts take from PEM: certificates and keys, and whom to trust. */

static STACK_OF(X509) * chain_load(struct str path, struct builder *error) {
    BIO *bio = tls_file_open(path, "certificate", error);
    STACK_OF(X509) *chain = bio ? tls_pem_chain(bio, path, error) : NULL;
    BIO_free(bio);
    return chain;
}

static EVP_PKEY *key_load(struct str path, struct str passwords, struct builder *error) {
    BIO *bio = tls_file_open(path, "certificate key", error);
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
    tls_file_fail(error, "certificate", path, is_used ? "SSL_CTX_set0_chain()" : "SSL_CTX_use_certificate()");
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
    builder_format(error, "SSL_CTX_use_PrivateKey(\"%.*s\") failed", STR_ARG(tls_file_shown(key)));
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
    BIO *bio = tls_file_open(path, what, error);
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
        return tls_file_fail(error, what, path, "X509_STORE_add_cert()");
    }
    BIO_free(bio);
    return (count && tls_pem_is_at_end()) || tls_file_fail(error, what, path, "PEM_read_bio_X509_AUX()");
}

bool tls_context_add_crl(struct tls_context *context, struct str path, struct builder *error) {
    static const char what[] = "CRL";
    BIO *bio = tls_file_open(path, what, error);
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
        return tls_file_fail(error, what, path, "X509_STORE_add_crl()");
    }
    BIO_free(bio);
    if (!count || !tls_pem_is_at_end())
        return tls_file_fail(error, what, path, "PEM_read_bio_X509_CRL()");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
}

bool tls_context_set_dhparam(struct tls_context *context, struct str path, struct builder *error) {
    BIO *bio = tls_file_open(path, "DH parameters", error);
    if (!bio)
        return false;
    EVP_PKEY *params = PEM_read_bio_Parameters(bio, NULL);
    BIO_free(bio);
    if (params && SSL_CTX_set0_tmp_dh_pkey(context->ssl, params))
        return true;
    EVP_PKEY_free(params);
    return tls_file_fail(error, "DH parameters", path, "SSL_CTX_set0_tmp_dh_pkey()");
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
