#include "../unit.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "net/duct.h"
#include "net/tls/tls_duct.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_session.h"
#include "net/tls/tls_store.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Certificates that are read when a connection is made, and kept: a duct in its handshake is given them. */

static char folder[] = "/tmp/hawser-store-XXXXXX";
static const char *const files[] = {"one.pem", "one.key", "two.pem", "two.key", "locked.key", "empty"};
static struct loop loop;
static struct duct_pool *pool;
static struct tls_context *context;
static struct duct *duct;
static char fault[TLS_ERROR_MAX];

static const char *at(const char *name) {
    static char text[4][128];
    static unsigned next;
    char *out = text[next++ % 4];
    snprintf(out, sizeof text[0], "%s/%s", folder, name);
    return out;
}

/* NAME.pem and NAME.key, and maybe the same key with a password. */
static void pair_write(const char *name, bool is_locked) {
    char path[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    snprintf(path, sizeof path, "%s.pem", name);
    FILE *out = fopen(at(path), "w");
    assert_true(out && PEM_write_X509(out, certificate));
    fclose(out);
    snprintf(path, sizeof path, "%s.key", name);
    out = fopen(at(path), "w");
    assert_true(out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL));
    fclose(out);
    if (is_locked) {
        out = fopen(at("locked.key"), "w");
        assert_true(out && PEM_write_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "open", 4, NULL, NULL));
        fclose(out);
    }
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static int begin(void **state) {
    struct builder error = builder_make(fault, sizeof fault);
    int fds[2];
    (void)state;
    if (!mkdtemp(folder) || loop_init(&loop) != 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
        return -1;
    close(fds[1]);
    pool = duct_pool_new(&loop);
    context = tls_session_context_new(true, &error);
    struct tls_start start = {.context = context};
    duct = duct_new_secure(pool, fds[0], NULL, NULL, &start);
    return tls_context_certify_late(context, STR("wrong\nopen\n")) && duct ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    duct_close(duct);
    loop_turn(&loop, 0);
    duct_pool_free(pool);
    tls_context_drop(context);
    loop_fini(&loop);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(at(files[i]));
    return rmdir(folder);
}

static bool give(struct tls_store *store, const char *certificate, const char *key, uint64_t now_ms) {
    struct tls_source sources[] = {{str_of(at(certificate)), sizeof folder}, {str_of(at(key)), sizeof folder}};
    struct builder error = builder_make(fault, sizeof fault - 1);
    bool is_given = tls_store_give(store, duct, &sources[0], &sources[1], now_ms, &error);
    fault[error.len] = '\0';
    assert_int_equal(is_given, error.len == 0);
    return is_given;
}

/* Whose certificate the connection has. */
static struct str given(void) {
    static char name[64];
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get_certificate(tls_ssl(duct))), NID_commonName, name,
                              sizeof name);
    return str_of(name);
}

static struct tls_store *store_make(size_t max) {
    struct tls_store *store =
        tls_store_new(&(struct tls_store_setup){.max = max, .valid_ms = 1000, .inactive_ms = 5000});
    assert_non_null(store);
    pair_write("one", true);
    pair_write("two", false);
    return store;
}

static void test_kept(void **state) {
    struct tls_store *store = store_make(4);
    (void)state;
    assert_true(give(store, "one.pem", "one.key", 0));
    assert_str(given(), STR("one"));
    unlink(at("one.pem"));
    assert_true(give(store, "one.pem", "one.key", 1000)); /* not looked at yet */
    assert_false(give(NULL, "one.pem", "one.key", 1000));
    assert_non_null(strstr(fault, "cannot load certificate \"/tmp/hawser-store-"));
    assert_non_null(strstr(fault, "open() failed (2: No such file or directory)"));
    assert_false(give(store, "one.pem", "one.key", 1001));
    pair_write("one", true);
    assert_true(give(store, "one.pem", "one.key", 1002)); /* certificate and key are not of one age */
    assert_true(give(store, "one.pem", "one.key", 2500)); /* looked at, and the same */
    unlink(at("one.key"));
    assert_true(give(store, "one.pem", "one.key", 3000));
    assert_false(give(store, "one.pem", "one.key", 8001)); /* forgotten */
    tls_store_free(store);
}

static void test_bounded(void **state) {
    struct tls_store *store = store_make(2);
    (void)state;
    assert_true(give(store, "one.pem", "one.key", 0) && give(store, "two.pem", "two.key", 1));
    unlink(at("two.pem"));
    assert_true(give(store, "two.pem", "two.key", 2));
    assert_str(given(), STR("two"));
    unlink(at("one.key"));
    assert_false(give(store, "one.pem", "one.key", 3)); /* was out */
    tls_store_free(store);
}

static void test_refused(void **state) {
    struct tls_store *store = store_make(4);
    char path[128];
    struct builder error = builder_make(fault, sizeof fault);
    (void)state;
    snprintf(path, sizeof path, "../%s/one.pem", folder + 5);
    assert_false(give(store, path, "one.key", 0)); /* upwards, by what is a client's */
    struct tls_source up = {str_of(at(path)), strlen(at(path))}, key = {str_of(at("one.key")), 0};
    assert_true(tls_store_give(store, duct, &up, &key, 0, &error)); /* by the configuration's own words */
    up.trusted = 5;
    assert_false(tls_store_give(store, duct, &up, &key, 0, &error)); /* though it is kept */
    struct tls_source cut = {str_make("/tmp\0/x", 7), 0};
    assert_false(tls_store_give(store, duct, &cut, &key, 0, &error));
    assert_false(give(store, ".", "one.key", 0));
    assert_non_null(strstr(fault, "Is a directory"));
    fclose(fopen(at("empty"), "w"));
    assert_false(give(store, "empty", "one.key", 0) || give(store, "one.pem", "empty", 0));
    for (int i = 0; i < 2; i++) {
        assert_false(give(store, "one.pem", "two.key", 0));
        assert_non_null(strstr(fault, "SSL_use_PrivateKey"));
    }
    assert_true(give(store, "one.pem", "one.key", 0) && give(store, "two.pem", "two.key", 0));
    tls_store_free(store);
}

static void test_locked(void **state) {
    struct tls_store *store = store_make(4);
    (void)state;
    assert_true(give(store, "one.pem", "locked.key", 0));
    unlink(at("locked.key"));
    assert_false(give(store, "one.pem", "locked.key", 0)); /* nobody keeps it in the open */
    tls_store_free(store);
}

static void test_without_memory(void **state) {
    bool is_given = false;
    (void)state;
    for (uint64_t count = 0; !is_given && count < 100; count++) {
        struct tls_store *store = store_make(4);
        mem_fail_after(count);
        is_given = give(store, "one.pem", "one.key", 0) && give(store, "one.pem", "one.key", 0);
        mem_fail_never();
        assert_true(give(store, "two.pem", "two.key", 0));
        tls_store_free(store);
    }
    assert_true(is_given);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),   cmocka_unit_test(test_bounded),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_locked), cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
