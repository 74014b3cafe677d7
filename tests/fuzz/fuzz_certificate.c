/* The whole file, on a certificate that no handshake has brought. */
#include <openssl/ssl.h>
static X509 *peer_certificate(const SSL *ssl);
#define SSL_get0_peer_certificate(ssl) peer_certificate(ssl)

#include "net/tls/tls_facts.c"

#include "fuzz.h"
#include "net/tls/tls_context.h"

#include <openssl/err.h>

/* What is told of a client's certificate, and PEM as it stands behind "data:" in a configuration. The first
 * byte chooses. */

enum { TEXT_MAX = 1 << 18 };

static X509 *peer;
static char text[TEXT_MAX];

static X509 *peer_certificate(const SSL *ssl) {
    (void)ssl;
    return peer;
}

/* Names go into header lines and logs as they are. */
static void check_line(fact_build *build) {
    struct builder out = builder_make(text, sizeof text);
    build(NULL, &out);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK((unsigned char)out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
}

static void check_facts(struct str der) {
    static fact_build *const lines[] = {subject_build, subject_legacy_build, issuer_build, issuer_legacy_build,
                                        serial_build,  fingerprint_build,    start_build,  end_build,
                                        remain_build,  escaped_cert_build};
    const unsigned char *at = (const unsigned char *)der.ptr;
    peer = d2i_X509(NULL, &at, (long)der.len);
    if (!peer)
        return;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check_line(lines[i]);
    struct builder out = builder_make(text, sizeof text);
    cert_build(NULL, &out);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK(out.ptr[i] != '\n' || (i + 1 < out.len && out.ptr[i + 1] == '\t'));
    raw_cert_build(NULL, &out);
    X509_free(peer);
}

static void check_pem(struct str pem, unsigned what) {
    struct builder error = builder_make(text, sizeof text);
    struct tls_context *context = tls_context_new(true, &error);
    FUZZ_CHECK(context);
    if (what == 1)
        tls_context_add_certificate(context, pem, pem, STR("one\r\ntwo\n"), &error);
    else if (what == 2)
        tls_context_add_trusted(context, pem, true, &error);
    else
        tls_context_add_crl(context, pem, &error);
    tls_context_drop(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    unsigned what = fuzz_byte(&input) % 4;
    struct str copy = fuzz_copy(input);
    if (what == 0)
        check_facts(copy);
    else if (str_starts(copy, STR("data:")))
        check_pem(copy, what);
    ERR_clear_error();
    fuzz_drop(copy);
    return 0;
}
