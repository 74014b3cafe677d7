#ifndef CODEC_PROXY_PROTOCOL_H
#define CODEC_PROXY_PROTOCOL_H

#include "base/builder.h"
#include "codec/result.h"

/* The PROXY protocol, versions 1 and 2: what a proxy in front of us says before anything else of who its client
 * is (HAProxy's specification of 2020/03/05). */

enum {
    PROXY_PROTOCOL_V1_MAX = 107,  /* a line of version 1 with its CRLF */
    PROXY_PROTOCOL_MAX = 4096,    /* a header that is accepted, as in nginx */
    PROXY_PROTOCOL_V2_FIXED = 16, /* before the addresses */
    PROXY_PROTOCOL_V2_MAX = 52,   /* as it is written here: without TLVs */
};

enum proxy_protocol_family { PROXY_PROTOCOL_UNKNOWN, PROXY_PROTOCOL_V4, PROXY_PROTOCOL_V6 };

struct proxy_protocol_end {
    uint8_t ip[16]; /* 4 or 16 bytes of it */
    uint16_t port;
};

struct proxy_protocol {
    enum proxy_protocol_family
        family; /* UNKNOWN: the header tells nothing of a client, the connection's own counts */
    struct proxy_protocol_end source, destination;
    struct str tlvs; /* of version 2: a view into the header */
};

/* Reads a header at the head of `bytes`. DONE: it is *len bytes long. MORE: it has just begun. BAD: there is
 * none, or one above PROXY_PROTOCOL_MAX. */
enum codec_result proxy_protocol_read(struct str bytes, struct proxy_protocol *header, size_t *len);

/* Writes one. Of UNKNOWN version 1 says just that, and version 2 LOCAL. */
void proxy_protocol_build_v1(struct builder *out, const struct proxy_protocol *header);
void proxy_protocol_build_v2(struct builder *out, const struct proxy_protocol *header);

/* The value of the first TLV that nginx's name means: "alpn", "authority", "unique_id", "netns", "ssl", "0xNN",
 * and of what is in "ssl": "ssl_verify", "ssl_version", "ssl_cn", "ssl_cipher", "ssl_sig_alg", "ssl_key_alg",
 * "ssl_0xNN". Nothing when it is not there. */
void proxy_protocol_build_tlv(struct builder *out, struct str tlvs, struct str name);

#endif
