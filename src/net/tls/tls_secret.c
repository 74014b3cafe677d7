#include "net/tls/tls_secret.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <pthread.h>

static EVP_KDF *own; /* OpenSSL's; NULL: it has none, and ours is not offered */
static _Thread_local struct tls_secrets *noted;

static bool label_is(const OSSL_PARAM *label, struct str text) {
    return label->data_size == text.len && memcmp(label->data, text.ptr, text.len) == 0;
}

static int derive(void *context, unsigned char *key, size_t len, const OSSL_PARAM params[]) {
    if (EVP_KDF_derive(context, key, len, params) <= 0)
        return 0;
    const OSSL_PARAM *label = noted ? OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_LABEL) : NULL;
    bool is_client = label && label_is(label, STR("c ap traffic"));
    if (!is_client && !(label && label_is(label, STR("s ap traffic"))))
        return 1;
    noted->bytes = len <= TLS_SECRET_MAX ? len : 0;
    memcpy(is_client ? noted->client : noted->server, key, noted->bytes);
    return 1;
}

/* A context of ours is one of OpenSSL's. */
static void *context_new(void *provider) {
    (void)provider;
    return EVP_KDF_CTX_new(own);
}

static void context_free(void *context) {
    EVP_KDF_CTX_free(context);
}

static void context_reset(void *context) {
    EVP_KDF_CTX_reset(context);
}

static int context_set(void *context, const OSSL_PARAM params[]) {
    return EVP_KDF_CTX_set_params(context, params);
}

static const OSSL_PARAM *context_settable(void *context, void *provider) {
    (void)context;
    (void)provider;
    return EVP_KDF_settable_ctx_params(own);
}

typedef void any_function(void);

static const OSSL_ALGORITHM *query(void *provider, int operation, int *is_uncacheable) {
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_KDF_NEWCTX, (any_function *)context_new},
        {OSSL_FUNC_KDF_FREECTX, (any_function *)context_free},
        {OSSL_FUNC_KDF_RESET, (any_function *)context_reset},
        {OSSL_FUNC_KDF_DERIVE, (any_function *)derive},
        {OSSL_FUNC_KDF_SET_CTX_PARAMS, (any_function *)context_set},
        {OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (any_function *)context_settable},
        {0, NULL}};
    static const OSSL_ALGORITHM kdfs[] = {{OSSL_KDF_NAME_TLS1_3_KDF, "provider=hawser", functions, NULL},
                                          {NULL, NULL, NULL, NULL}};
    (void)provider;
    *is_uncacheable = 0;
    return operation == OSSL_OP_KDF ? kdfs : NULL;
}

static int provider_begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                          const OSSL_DISPATCH **offered, void **provider) {
    static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (any_function *)query},
                                              {0, NULL}};
    static char nothing;
    (void)handle;
    (void)core;
    *offered = functions;
    *provider = &nothing;
    return 1;
}

/* Never unloaded: contexts are made as long as the process lives. What is loaded is remembered, so that those
 * who look for leaks see that it is not one. */
static void provider_load(void) {
    static OSSL_PROVIDER *loaded;
    own = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_3_KDF, NULL);
    if (own && OSSL_PROVIDER_add_builtin(NULL, "hawser", provider_begin))
        loaded = OSSL_PROVIDER_try_load(NULL, "hawser", 1);
    if (!loaded) {
        EVP_KDF_free(own);
        own = NULL;
    }
    ERR_clear_error();
}

const char *tls_secret_query(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, provider_load);
    return own ? "?provider=hawser" : NULL;
}

void tls_secret_note(struct tls_secrets *secrets) {
    noted = secrets;
}
