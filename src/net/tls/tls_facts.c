#include "net/tls/tls_facts.h"

#include "net/tls/tls_duct.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>

struct str tls_client_name(const struct duct *duct) {
    SSL *ssl = tls_ssl(duct);
    return str_of(ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL);
}

static bool is_authority_unknown(long result) {
    return result == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || result == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           result == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           result == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

enum tls_client_verdict tls_client_verdict(const struct duct *duct) {
    SSL *ssl = tls_ssl(duct);
    long result = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (result != X509_V_OK)
        return is_authority_unknown(result) ? TLS_CLIENT_UNKNOWN : TLS_CLIENT_BAD;
    return ssl && SSL_get0_peer_certificate(ssl) ? TLS_CLIENT_FINE : TLS_CLIENT_NONE;
}

void tls_client_fault_build(const struct duct *duct, struct builder *out) {
    SSL *ssl = tls_ssl(duct);
    long result = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    builder_format(out, "%ld:%s", result, X509_verify_cert_error_string(result));
}

/* ---- the connection ---- */

typedef void fact_build(SSL *ssl, struct builder *out);

static void hex_build(struct builder *out, const unsigned char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        builder_format(out, "%02x", bytes[i]);
}

static void protocol_build(SSL *ssl, struct builder *out) {
    builder_str(out, str_of(SSL_get_version(ssl)));
}

static void cipher_build(SSL *ssl, struct builder *out) {
    builder_str(out, str_of(SSL_get_cipher_name(ssl)));
}

/* Those the client offered, by name where there is one, else 0xNNNN. */
static void ciphers_build(SSL *ssl, struct builder *out) {
    STACK_OF(SSL_CIPHER) *list = SSL_get_client_ciphers(ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        if (i)
            builder_char(out, ':');
        builder_str(out, str_of(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i))));
    }
}

static void curve_name_build(struct builder *out, int group) {
    const char *name = group & TLSEXT_nid_unknown ? NULL : OBJ_nid2sn(group);
    if (name)
        builder_str(out, str_of(name));
    else
        builder_format(out, "0x%04x", (unsigned)group & 0xffff);
}

static void curve_build(SSL *ssl, struct builder *out) {
    int group = (int)SSL_get_negotiated_group(ssl);
    if (group)
        curve_name_build(out, group);
}

static void curves_build(SSL *ssl, struct builder *out) {
    int groups[64], count = (int)SSL_get1_groups(ssl, NULL);
    if (count <= 0 || count > 64)
        return;
    SSL_get1_groups(ssl, groups);
    for (int i = 0; i < count; i++) {
        if (i)
            builder_char(out, ':');
        curve_name_build(out, groups[i]);
    }
}

static void server_name_build(SSL *ssl, struct builder *out) {
    builder_str(out, str_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)));
}

static void session_id_build(SSL *ssl, struct builder *out) {
    unsigned len = 0;
    SSL_SESSION *session = SSL_get0_session(ssl);
    const unsigned char *id = session ? SSL_SESSION_get_id(session, &len) : NULL;
    hex_build(out, id, len);
}

static void session_reused_build(SSL *ssl, struct builder *out) {
    builder_str(out, SSL_session_reused(ssl) ? STR("r") : STR("."));
}

static void alpn_build(SSL *ssl, struct builder *out) {
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(ssl, &name, &len);
    builder_bytes(out, (const char *)name, len);
}

static void nothing_build(SSL *ssl, struct builder *out) {
    (void)ssl;
    (void)out;
}

/* ---- the client's certificate ---- */

/* What a BIO in memory holds, less the end of its last line; and the BIO is freed. */
static void bio_build(BIO *bio, struct builder *out) {
    char *bytes;
    long len = bio ? BIO_get_mem_data(bio, &bytes) : 0;
    if (len > 0)
        builder_bytes(out, bytes, (size_t)len);
    BIO_free(bio);
}

static struct str pem_of(SSL *ssl, BIO **bio) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    char *bytes = NULL;
    *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    if (!*bio || !PEM_write_bio_X509(*bio, certificate))
        return STR("");
    long len = BIO_get_mem_data(*bio, &bytes);
    return str_make(bytes, len > 0 ? (size_t)len : 0);
}

static void raw_cert_build(SSL *ssl, struct builder *out) {
    BIO *bio;
    builder_str(out, pem_of(ssl, &bio));
    BIO_free(bio);
}

/* Each line but the first begins with a tab, so that it may stand in a header field. */
static void cert_build(SSL *ssl, struct builder *out) {
    BIO *bio;
    struct str pem = pem_of(ssl, &bio);
    while (pem.len && pem.ptr[pem.len - 1] == '\n')
        pem.len--;
    for (size_t i = 0; i < pem.len; i++) {
        builder_char(out, pem.ptr[i]);
        if (pem.ptr[i] == '\n')
            builder_char(out, '\t');
    }
    BIO_free(bio);
}

static void escaped_cert_build(SSL *ssl, struct builder *out) {
    BIO *bio;
    struct str pem = pem_of(ssl, &bio);
    for (size_t i = 0; i < pem.len; i++) {
        char c = pem.ptr[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                        c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain)
            builder_char(out, c);
        else
            builder_format(out, "%%%02X", (unsigned char)c);
    }
    BIO_free(bio);
}

static void name_build(SSL *ssl, struct builder *out, X509_NAME *which(const X509 *), bool is_legacy) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (!certificate)
        return;
    if (is_legacy) {
        char text[1024];
        builder_str(out, str_of(X509_NAME_oneline(which(certificate), text, sizeof text)));
        return;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio)
        X509_NAME_print_ex(bio, which(certificate), 0, XN_FLAG_RFC2253);
    bio_build(bio, out);
}

static void subject_build(SSL *ssl, struct builder *out) {
    name_build(ssl, out, X509_get_subject_name, false);
}

static void issuer_build(SSL *ssl, struct builder *out) {
    name_build(ssl, out, X509_get_issuer_name, false);
}

static void subject_legacy_build(SSL *ssl, struct builder *out) {
    name_build(ssl, out, X509_get_subject_name, true);
}

static void issuer_legacy_build(SSL *ssl, struct builder *out) {
    name_build(ssl, out, X509_get_issuer_name, true);
}

static void serial_build(SSL *ssl, struct builder *out) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIO *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    if (bio)
        i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate));
    bio_build(bio, out);
}

static void fingerprint_build(SSL *ssl, struct builder *out) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (certificate && X509_digest(certificate, EVP_sha1(), digest, &len))
        hex_build(out, digest, len);
}

static void verify_build(SSL *ssl, struct builder *out) {
    long result = SSL_get_verify_result(ssl);
    if (result != X509_V_OK)
        builder_format(out, "FAILED:%s", X509_verify_cert_error_string(result));
    else
        builder_str(out, SSL_get0_peer_certificate(ssl) ? STR("SUCCESS") : STR("NONE"));
}

static void time_build(SSL *ssl, struct builder *out, const ASN1_TIME *which(const X509 *)) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIO *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    if (bio)
        ASN1_TIME_print(bio, which(certificate));
    bio_build(bio, out);
}

static void start_build(SSL *ssl, struct builder *out) {
    time_build(ssl, out, X509_get0_notBefore);
}

static void end_build(SSL *ssl, struct builder *out) {
    time_build(ssl, out, X509_get0_notAfter);
}

/* Whole days until it ends; 0 once it has. */
static void remain_build(SSL *ssl, struct builder *out) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    int days = 0, seconds = 0;
    if (certificate && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)))
        builder_format(out, "%d", days > 0 ? days : 0);
}

static const struct {
    const char *name;
    fact_build *build;
} facts[] = {
    {"ssl_alpn_protocol", alpn_build},
    {"ssl_cipher", cipher_build},
    {"ssl_ciphers", ciphers_build},
    {"ssl_client_cert", cert_build},
    {"ssl_client_escaped_cert", escaped_cert_build},
    {"ssl_client_fingerprint", fingerprint_build},
    {"ssl_client_i_dn", issuer_build},
    {"ssl_client_i_dn_legacy", issuer_legacy_build},
    {"ssl_client_raw_cert", raw_cert_build},
    {"ssl_client_s_dn", subject_build},
    {"ssl_client_s_dn_legacy", subject_legacy_build},
    {"ssl_client_serial", serial_build},
    {"ssl_client_v_end", end_build},
    {"ssl_client_v_remain", remain_build},
    {"ssl_client_v_start", start_build},
    {"ssl_client_verify", verify_build},
    {"ssl_curve", curve_build},
    {"ssl_curves", curves_build},
    {"ssl_early_data", nothing_build},
    {"ssl_protocol", protocol_build},
    {"ssl_server_name", server_name_build},
    {"ssl_session_id", session_id_build},
    {"ssl_session_reused", session_reused_build},
};

void tls_fact_build(const struct duct *duct, struct str name, struct builder *out) {
    SSL *ssl = tls_ssl(duct);
    for (size_t i = 0; ssl && i < sizeof facts / sizeof *facts; i++)
        if (str_eq(name, str_of(facts[i].name)))
            facts[i].build(ssl, out);
}
