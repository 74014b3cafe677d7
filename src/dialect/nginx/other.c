#include "dialect/nginx/set.h"

/* What belongs to nginx and to none of the other areas: what changes nothing here, what can be seen from
 * outside when it is left out, and what is not supported. */

#define NOTE(name, reason) \
    { name, CONTEXT_HSLI | CONTEXT_MAIN, 0, ARGUMENTS_ANY, 0, set_nothing, NOTHING, reason }
#define WARN(name, effect) \
    { name, CONTEXT_HSLI | CONTEXT_MAIN, 0, ARGUMENTS_ANY, 0, set_nothing_visible, NOTHING, effect }
#define ONLY(name, value) \
    { name, CONTEXT_HSLI | CONTEXT_MAIN, 1, ARGUMENTS_ANY, 0, set_only, NOTHING, value }
#define MISSING(name) \
    { name, CONTEXT_ANY, 0, ARGUMENTS_ANY, DIRECTIVE_EITHER, set_unsupported, NOTHING, NULL }
#define INSTEAD(name, hint) \
    { name, CONTEXT_ANY, 0, ARGUMENTS_ANY, DIRECTIVE_EITHER, set_unsupported, NOTHING, hint }

static const char no_ssi[] = "pages are sent as they are, the commands in them unread";
static const char no_gzip[] = "answers are passed on and sent as they are, not compressed here";
static const char no_http2[] = "HTTP/2 is not spoken, clients use HTTP/1.1";

static const struct directive rows[] = {
    NOTE("referer_hash_max_size", NULL),
    NOTE("referer_hash_bucket_size", NULL),
    NOTE("subrequest_output_buffer_size", NULL),
    NOTE("ancient_browser", NULL),
    NOTE("ancient_browser_value", NULL),
    NOTE("modern_browser", NULL),
    NOTE("modern_browser_value", NULL),
    NOTE("postpone_gzipping", NULL),
    NOTE("open_file_cache_events", NULL),
    NOTE("http2_max_concurrent_streams", NULL),
    NOTE("http2_recv_buffer_size", NULL),
    WARN("gzip", no_gzip),
    NOTE("gzip_buffers", no_gzip),
    NOTE("gzip_comp_level", no_gzip),
    NOTE("gzip_disable", no_gzip),
    NOTE("gzip_hash", no_gzip),
    NOTE("gzip_http_version", no_gzip),
    NOTE("gzip_min_length", no_gzip),
    NOTE("gzip_no_buffer", no_gzip),
    NOTE("gzip_proxied", no_gzip),
    NOTE("gzip_types", no_gzip),
    NOTE("gzip_vary", no_gzip),
    NOTE("gzip_window", no_gzip),
    WARN("gzip_static", "files are sent as they are"),
    NOTE("gunzip", no_gzip),
    NOTE("gunzip_buffers", no_gzip),
    WARN("charset", "Content-Type is sent without a charset"),
    NOTE("charset_types", NULL),
    NOTE("override_charset", NULL),
    ONLY("ssl", "off"),
    WARN("http2", no_http2),
    ONLY("mirror", "off"),
    WARN("ssi", no_ssi),
    NOTE("ssi_last_modified", no_ssi),
    NOTE("ssi_min_file_chunk", no_ssi),
    NOTE("ssi_silent_errors", no_ssi),
    NOTE("ssi_types", no_ssi),
    NOTE("ssi_value_length", no_ssi),
    INSTEAD("mail", "hawser serves HTTP, WebSocket and raw TCP"),
    MISSING("add_after_body"),
    MISSING("add_before_body"),
    MISSING("addition_types"),
    MISSING("auth_jwt"),
    MISSING("autoindex_exact_size"),
    MISSING("autoindex_format"),
    MISSING("autoindex_localtime"),
    MISSING("charset_map"),
    MISSING("create_full_put_path"),
    MISSING("dav_access"),
    MISSING("dav_methods"),
    MISSING("disable_symlinks"),
    MISSING("empty_gif"),
    MISSING("flv"),
    MISSING("geoip_city"),
    MISSING("geoip_country"),
    MISSING("http2_push"),
    MISSING("image_filter"),
    MISSING("js_content"),
    MISSING("js_import"),
    MISSING("memcached_pass"),
    MISSING("min_delete_depth"),
    MISSING("mirror_request_body"),
    MISSING("mp4"),
    MISSING("perl"),
    MISSING("post_action"),
    MISSING("random_index"),
    MISSING("secure_link"),
    MISSING("secure_link_md5"),
    MISSING("secure_link_secret"),
    MISSING("slice"),
    MISSING("source_charset"),
    MISSING("sub_filter"),
    MISSING("sub_filter_once"),
    MISSING("sub_filter_types"),
    MISSING("userid"),
    MISSING("valid_referers"),
    MISSING("xslt_stylesheet"),
    MISSING("proxy_cache_key"),
    MISSING("proxy_cache_lock"),
    MISSING("proxy_cache_methods"),
    MISSING("proxy_cache_min_uses"),
    MISSING("proxy_cache_path"),
    MISSING("proxy_cache_revalidate"),
    MISSING("proxy_cache_use_stale"),
    MISSING("proxy_cache_valid"),
    MISSING("proxy_protocol"),
    MISSING("proxy_store_access"),
    MISSING("websocket_pass"),
    MISSING("mp4_buffer_size"),
    MISSING("mp4_max_buffer_size"),
    MISSING("mp4_start_key_frame"),
    MISSING("sub_filter_last_modified"),
    MISSING("api"),
    MISSING("keyval"),
    MISSING("keyval_zone"),
    MISSING("status_zone"),
};

const struct area other_area = {rows, sizeof rows / sizeof *rows};
