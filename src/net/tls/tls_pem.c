#include "net/tls/tls_pem.h"

#include "net/tls/tls_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>

bool tls_pem_is_at_end(void) {
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
    if (is_whole && tls_pem_is_at_end())
        return chain;
    tls_file_fail(error, what, path, call);
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
        tls_file_fail(error, "certificate key", path, "PEM_read_bio_PrivateKey()");
    return key;
}
