#include "main/build.h"

#include "base/version.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* nginx's parts by the words of its configure: what is built in, and what is not though nginx has it unless
 * told otherwise. */
struct part {
    const char *word; /* NULL: it needs none to be there */
    const char *without;
    bool is_built;
};

#define OPTIONAL(name, is_built) \
    { "--with-" name, NULL, is_built }
#define USUAL(name, is_built) \
    { NULL, "--without-" name, is_built }

static const struct part parts[] = {
    OPTIONAL("threads", true),
    OPTIONAL("pcre-jit", true),
    OPTIONAL("debug", true),
    OPTIONAL("http_ssl_module", true),
    OPTIONAL("http_realip_module", true),
    OPTIONAL("http_auth_request_module", true),
    OPTIONAL("http_stub_status_module", true),
    OPTIONAL("stream", true),
    OPTIONAL("stream_ssl_module", true),
    OPTIONAL("stream_ssl_preread_module", true),
    OPTIONAL("stream_realip_module", true),
    USUAL("http-cache", false),
    USUAL("http_charset_module", false),
    USUAL("http_gzip_module", false),
    USUAL("http_ssi_module", false),
    USUAL("http_userid_module", false),
    USUAL("http_access_module", true),
    USUAL("http_auth_basic_module", true),
    USUAL("http_mirror_module", false),
    USUAL("http_autoindex_module", false),
    USUAL("http_geo_module", true),
    USUAL("http_map_module", true),
    USUAL("http_split_clients_module", true),
    USUAL("http_referer_module", false),
    USUAL("http_rewrite_module", true),
    USUAL("http_proxy_module", true),
    USUAL("http_fastcgi_module", false),
    USUAL("http_uwsgi_module", false),
    USUAL("http_scgi_module", false),
    USUAL("http_grpc_module", false),
    USUAL("http_memcached_module", false),
    USUAL("http_limit_conn_module", true),
    USUAL("http_limit_req_module", true),
    USUAL("http_empty_gif_module", false),
    USUAL("http_browser_module", false),
    USUAL("http_tunnel_module", false),
    USUAL("http_upstream_hash_module", true),
    USUAL("http_upstream_ip_hash_module", true),
    USUAL("http_upstream_least_conn_module", true),
    USUAL("http_upstream_least_time_module", false),
    USUAL("http_upstream_random_module", true),
    USUAL("http_upstream_keepalive_module", true),
    USUAL("http_upstream_zone_module", true),
    USUAL("http_upstream_sticky_module", true),
    USUAL("stream_limit_conn_module", true),
    USUAL("stream_access_module", true),
    USUAL("stream_geo_module", true),
    USUAL("stream_map_module", true),
    USUAL("stream_split_clients_module", true),
    USUAL("stream_return_module", true),
    USUAL("stream_pass_module", false),
    USUAL("stream_set_module", true),
    USUAL("stream_upstream_hash_module", true),
    USUAL("stream_upstream_least_conn_module", true),
    USUAL("stream_upstream_least_time_module", false),
    USUAL("stream_upstream_random_module", true),
    USUAL("stream_upstream_zone_module", true),
    USUAL("mail_pop3_module", false),
    USUAL("mail_imap_module", false),
    USUAL("mail_smtp_module", false),
};

void build_print(void) {
    fprintf(stderr,
            "nginx version: nginx/" VERSION_NGINX " (spoken by hawser/" VERSION ")\n"
            "built by gcc " __VERSION__ "\n"
            "built with %s\n"
            "TLS SNI support enabled\n"
            "configure arguments:",
            OpenSSL_version(OPENSSL_VERSION));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *word = parts[i].is_built ? parts[i].word : parts[i].without;
        if (word)
            fprintf(stderr, " %s", word);
    }
    fputc('\n', stderr);
}
