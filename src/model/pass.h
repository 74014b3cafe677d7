#ifndef MODEL_PASS_H
#define MODEL_PASS_H

#include "model/regex.h"
#include "model/upstream.h"

/* proxy_pass, and how what goes there and comes back is changed on its way. */

struct pass {
    struct place place;
    struct upstream *upstream; /* NULL: `target` says where to when it is asked */
    struct template target;
    struct str url;  /* as written, for "proxy_redirect default" */
    struct str host; /* $proxy_host: as written, with port unless it is the scheme's own */
    bool is_secure;  /* https:// */
    unsigned slot;   /* among the model's secure routes */
    bool has_uri;    /* "http://nodes/x/": what matched the prefix is replaced by uri */
    struct str uri;
};

/* proxy_redirect, proxy_cookie_domain, proxy_cookie_path: what is found is replaced. */
struct replacement {
    struct regex *regex; /* NULL: `from` is compared as text */
    struct template from, to;
};

/* proxy_cookie_flags COOKIE FLAG...: of cookies so named. */
struct cookie_rule {
    struct regex *regex; /* NULL: `name` is compared, without regard to case */
    struct template name;
    VEC(struct template) flags;
};

enum ignored_field { /* bits: proxy_ignore_headers */
                     IGNORE_X_ACCEL_REDIRECT = 1,
                     IGNORE_X_ACCEL_EXPIRES = 2,
                     IGNORE_X_ACCEL_LIMIT_RATE = 4,
                     IGNORE_X_ACCEL_BUFFERING = 8,
                     IGNORE_X_ACCEL_CHARSET = 16,
                     IGNORE_EXPIRES = 32,
                     IGNORE_CACHE_CONTROL = 64,
                     IGNORE_SET_COOKIE = 128,
                     IGNORE_VARY = 256,
};

/* Where temporary files are: client_body_temp_path, proxy_temp_path. */
struct temp_path {
    struct str directory;    /* made absolute against the prefix */
    unsigned char levels[3]; /* 0 ends them */
};

/* client_body_*: how the client's body is kept until a server is asked. */
struct body_policy {
    size_t buffer_bytes; /* 16,384 */
    struct temp_path path;
    enum { BODY_FILE_OFF, BODY_FILE_CLEAN, BODY_FILE_ON } file_only; /* with a name; ON: it stays */
};

/* The proxy_* settings that hold where no upstream is named too, for those within: a part of struct policy. */
struct proxy_policy {
    unsigned http_minor;         /* proxy_http_version: 1 or 0 */
    struct template method;      /* empty: the client's */
    struct template body;        /* proxy_set_body; has_body: it is said */
    bool has_body;               /* "" is one too */
    bool passes_request_headers; /* default true */
    bool passes_request_body;    /* default true */
    bool is_request_buffered;    /* the body is read before a server is asked; default true */
    bool is_buffered;            /* what a slow client does not take is kept; default true */
    bool ignores_client_abort;
    bool forces_ranges;           /* proxy_force_ranges */
    bool intercepts_errors;       /* proxy_intercept_errors: error_page stands in for a server's 300 and more */
    size_t head_bytes;            /* proxy_buffer_size: 4,096 */
    size_t buffers, buffer_bytes; /* proxy_buffers: 8 and 4,096 */
    size_t busy_bytes;            /* proxy_busy_buffers_size; 0: not said */
    size_t temp_write_bytes;      /* proxy_temp_file_write_size; 0: not said */
    uint64_t temp_max_bytes;      /* proxy_max_temp_file_size: 1 GiB; 0: none is used */
    struct temp_path temp_path;
    struct template bind;       /* proxy_bind: where connections come from; empty: as the system chooses */
    bool binds_transparently;   /* it may be anybody's address */
    struct template limit_rate; /* proxy_limit_rate: of reading; empty: none */
    bool passes_trailers;       /* proxy_pass_trailers */
    unsigned ignored;           /* IGNORE_* */
    VEC(struct str) hidden;     /* proxy_hide_header, besides nginx's own */
    VEC(struct str) passed;     /* proxy_pass_header: not hidden whatever else says so */
    VEC(struct replacement) redirects; /* of Location and Refresh, the first that fits */
    enum { REDIRECT_DEFAULT, REDIRECT_SAID, REDIRECT_OFF } redirect;
    VEC(struct replacement) cookie_domains;
    VEC(struct replacement) cookie_paths;
    VEC(struct cookie_rule) cookie_rules;
};

#endif
