#ifndef MODEL_STREAM_H
#define MODEL_STREAM_H

#include "model/template.h"

/* What holds for the connections of a stream server, beside what they share with requests: a part of struct
 * policy. */
struct stream_policy {
    struct template upload, download; /* bytes a second each way; empty or "0": no limit */
    struct template text;             /* `return`: what is said instead of passing on */
    bool half_closes;                 /* proxy_half_close: each direction ends by itself */
    unsigned proxy_protocol;          /* version of the PROXY header that goes first; 0: none */
    bool is_secure;                   /* proxy_ssl */
    bool reads_hello;                 /* ssl_preread */
    size_t preread_bytes;             /* 16 KiB: what is looked at before a server is chosen */
    uint64_t preread_timeout_ms;      /* 30,000 */
    uint64_t check_timeout_ms;        /* 5,000: of a health_check */
};

#endif
