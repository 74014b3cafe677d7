#include "../unit.h"

#include "base/mem.h"
#include "loop/loop.h"
#include "net/duct.h"
#include "net/tls/tls_duct.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

/* A duct with TLS, and OpenSSL's own client on the other end of its socket. */

enum { BIG = 1 << 20 };

static struct loop loop;
static struct duct_pool *pool;
static struct tls_context *context;
static struct duct *duct;
static SSL_CTX *client_context;
static SSL *client;

static void ready(struct duct *which) {
    (void)which;
}

static void client_io(int result) {
    if (result <= 0) {
        int error = SSL_get_error(client, result);
        assert_true(error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE);
    }
}

/* A certificate of its own for this run. */
static void certify(SSL_CTX *ssl) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    assert_true(SSL_CTX_use_certificate(ssl, certificate) && SSL_CTX_use_PrivateKey(ssl, key));
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void pair_open(const char *suite, int version, int send_bytes) {
    char text[TLS_ERROR_MAX];
    struct builder error = builder_make(text, sizeof text);
    int fds[2];
    assert_int_equal(loop_init(&loop), 0);
    pool = duct_pool_new(&loop);
    context = tls_session_context_new(true, &error);
    assert_non_null(context);
    certify(context->ssl);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    if (send_bytes)
        setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
    struct tls_start start = {.context = context};
    duct = duct_new_secure(pool, fds[0], ready, NULL, &start);
    assert_non_null(duct);
    client_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(client_context, version);
    assert_true(version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(client_context, suite)
                                          : SSL_CTX_set_cipher_list(client_context, suite));
    client = SSL_new(client_context);
    SSL_set_fd(client, fds[1]);
    for (int i = 0; i < 50 && !(SSL_is_init_finished(client) && duct->is_connected); i++) {
        client_io(SSL_connect(client));
        loop_turn(&loop, 0);
    }
    assert_true(duct->is_connected && duct->can_write);
}

static void pair_close(void) {
    int fd = SSL_get_fd(client);
    if (duct)
        duct_close(duct);
    loop_turn(&loop, 0);
    SSL_free(client);
    SSL_CTX_free(client_context);
    close(fd);
    duct_pool_free(pool);
    tls_context_drop(context);
    loop_fini(&loop);
}

/* The duct sends `len` bytes; the client gets them all, in order. */
static void bytes_go_out(const char *bytes, size_t len) {
    static char got[BIG];
    size_t sent = 0, taken = 0;
    for (int i = 0; i < 200000 && taken < len; i++) {
        if (sent < len && duct->can_write) {
            struct iovec parts[3] = {
                {(void *)(uintptr_t)(bytes + sent), (len - sent) / 3},
                {(void *)(uintptr_t)(bytes + sent + (len - sent) / 3), 0},
                {(void *)(uintptr_t)(bytes + sent + (len - sent) / 3), len - sent - (len - sent) / 3}};
            ssize_t now = duct_send_vector(duct, parts, 3);
            assert_true(now > 0 || now == -EAGAIN);
            sent += now > 0 ? (size_t)now : 0;
        }
        int more = SSL_read(client, got + taken, (int)(sizeof got - taken));
        client_io(more);
        taken += more > 0 ? (size_t)more : 0;
        loop_turn(&loop, 0);
    }
    assert_int_equal(taken, len);
    /* told of once more: what was encrypted is out */
    if (sent < len)
        sent += (size_t)duct_send(duct, bytes + sent, len - sent);
    assert_int_equal(sent, len);
    assert_memory_equal(got, bytes, len);
}

/* The client sends; the duct reads `step` bytes at a time, or looks at them first. */
static void bytes_come_in(const char *bytes, size_t len, size_t step, bool is_peeking) {
    static char got[BIG + 65536];
    size_t sent = 0, taken = 0;
    for (int i = 0; i < 200000 && taken < len; i++) {
        int now =
            sent < len ? SSL_write(client, bytes + sent, (int)(len - sent < 16000 ? len - sent : 16000)) : 0;
        if (sent < len)
            client_io(now);
        sent += now > 0 ? (size_t)now : 0;
        loop_turn(&loop, 0);
        while (duct->can_read) {
            ssize_t more = is_peeking ? duct_peek(duct, got + taken, step) : duct_recv(duct, got + taken, step);
            assert_true(more > 0 || more == -EAGAIN);
            if (more <= 0)
                break;
            size_t used = is_peeking ? ((size_t)more + 1) / 2 : (size_t)more;
            if (is_peeking)
                duct_discard(duct, used, (size_t)more);
            taken += used;
        }
    }
    assert_int_equal(taken, len);
    assert_memory_equal(got, bytes, len);
}

static const char *pattern(void) {
    static char bytes[BIG];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    return bytes;
}

static void both_ways(void) {
    const char *bytes = pattern();
    static const size_t sizes[] = {1, 100, 16384, 16385, 100000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        bytes_go_out(bytes, sizes[i]);
        bytes_come_in(bytes, sizes[i], 65536, false);
    }
    bytes_come_in(bytes, 3000, 1, false);
    bytes_come_in(bytes, 40000, 777, false);
    bytes_come_in(bytes, 40000, 65536, true);
    bytes_come_in(bytes, 3000, 5, true);
    bytes_go_out(bytes, BIG);
}

static const struct {
    const char *suite;
    int version;
    bool is_slim;
} rows[] = {
    {"TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, true},
    {"TLS_AES_256_GCM_SHA384", TLS1_3_VERSION, true},
    {"TLS_CHACHA20_POLY1305_SHA256", TLS1_3_VERSION, true},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", TLS1_2_VERSION, true},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", TLS1_2_VERSION, true},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", TLS1_2_VERSION, true},
    {"ECDHE-ECDSA-AES128-SHA256", TLS1_2_VERSION, false},
};

/* With OpenSSL's part, and with its keys alone; through a socket that takes little. */
static void test_bytes(void **state) {
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        pair_open(rows[i].suite, rows[i].version, 4096);
        both_ways();
        duct_slim(duct);
        assert_int_equal(tls_ssl(duct) == NULL, rows[i].is_slim);
        both_ways();
        pair_close();
    }
}

static void test_keys_change(void **state) {
    (void)state;
    pair_open("TLS_AES_256_GCM_SHA384", TLS1_3_VERSION, 0);
    duct_slim(duct);
    assert_null(tls_ssl(duct));
    for (int i = 0; i < 5; i++) {
        assert_true(SSL_key_update(client, i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED));
        client_io(SSL_do_handshake(client));
        both_ways();
    }
    pair_close();
}

static void test_ends(void **state) {
    (void)state;
    for (int is_slim = 0; is_slim < 2; is_slim++) {
        char byte;
        pair_open("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, 0);
        if (is_slim)
            duct_slim(duct);
        bytes_go_out("bye", 3);
        duct_shutdown(duct);
        assert_true(SSL_read(client, &byte, 1) <= 0);
        assert_int_equal(SSL_get_shutdown(client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
        bytes_come_in("still", 5, 65536, false);
        SSL_shutdown(client);
        loop_turn(&loop, 0);
        assert_true(duct->can_read);
        assert_int_equal(duct_recv(duct, &byte, 1), 0);
        assert_true(duct->has_end);
        pair_close();
    }
}

/* A record that was changed on its way ends the connection, and says so. */
static void test_forged(void **state) {
    (void)state;
    for (int is_slim = 0; is_slim < 2; is_slim++) {
        static const char forged[] = "\x17\x03\x03\x00\x20 0123456789abcdef0123456789abcde";
        char byte;
        pair_open("TLS_AES_128_GCM_SHA256", TLS1_3_VERSION, 0);
        if (is_slim)
            duct_slim(duct);
        assert_int_equal(write(SSL_get_fd(client), forged, 37), 37);
        loop_turn(&loop, 0);
        assert_int_equal(duct_recv(duct, &byte, 1), -EPROTO);
        assert_true(duct->has_end);
        assert_int_equal(duct_error(duct), -EPROTO);
        pair_close();
    }
}

static void test_no_memory(void **state) {
    (void)state;
    struct tls_pool *made = NULL;
    for (uint64_t i = 0; !made; i++) {
        assert_true(i < 10);
        mem_fail_after(i);
        made = tls_pool_new();
        mem_fail_never();
    }
    tls_pool_free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),  cmocka_unit_test(test_keys_change), cmocka_unit_test(test_ends),
        cmocka_unit_test(test_forged), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
