#include "codec/proxy_protocol.h"

#include <arpa/inet.h>

enum {
    SIGNATURE_LEN = 12,
    V4_BYTES = 12,
    V6_BYTES = 36,
    COMMAND_LOCAL = 0x20, /* with the version */
    COMMAND_PROXY = 0x21,
    STREAM_V4 = 0x11,
    STREAM_V6 = 0x21,
    TLV_HEAD = 3,
    TLV_SSL = 0x20,
    SSL_HEAD = 5, /* what "ssl" begins with: flags, and whether the certificate was verified */
    TYPE_VERIFY = 0x100,
    TYPE_NONE = 0x200,
};

static const char signature[SIGNATURE_LEN + 1] = "\r\n\r\n\0\r\nQUIT\n";

static uint16_t u16_at(const char *at) {
    return (uint16_t)((uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

/* ---- version 1 ---- */

static bool ip_read(int family, struct str text, uint8_t *ip) {
    char terminated[INET6_ADDRSTRLEN];
    if (text.len >= sizeof terminated || str_find_char(text, '\0') != STR_NONE)
        return false;
    memcpy(terminated, text.ptr, text.len);
    terminated[text.len] = '\0';
    return inet_pton(family, terminated, ip) == 1;
}

static bool port_read(struct str text, uint16_t *port) {
    uint64_t number;
    if (text.len > 5 || !str_to_u64(text, &number) || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

/* What stands between "PROXY " and CRLF. */
static bool line_read(struct str line, struct proxy_protocol *header) {
    struct str protocol, source, destination, source_port;
    if (!str_split(&line, ' ', &protocol))
        return false;
    if (str_eq(protocol, STR("UNKNOWN")))
        return true; /* whatever follows */
    bool is_v6 = str_eq(protocol, STR("TCP6"));
    if ((!is_v6 && !str_eq(protocol, STR("TCP4"))) || !str_split(&line, ' ', &source) ||
        !str_split(&line, ' ', &destination) || !str_split(&line, ' ', &source_port) || !line.ptr)
        return false;
    int family = is_v6 ? AF_INET6 : AF_INET;
    header->family = is_v6 ? PROXY_PROTOCOL_V6 : PROXY_PROTOCOL_V4;
    return ip_read(family, source, header->source.ip) && ip_read(family, destination, header->destination.ip) &&
           port_read(source_port, &header->source.port) && port_read(line, &header->destination.port);
}

static enum codec_result v1_read(struct str bytes, struct proxy_protocol *header, size_t *len) {
    static const struct str begin = {"PROXY ", 6};
    size_t known = bytes.len < begin.len ? bytes.len : begin.len;
    if (!str_eq(str_head(bytes, known), str_head(begin, known)))
        return CODEC_BAD;
    struct str line = str_head(bytes, PROXY_PROTOCOL_V1_MAX);
    size_t end = str_find(line, STR("\r\n"));
    if (end == STR_NONE)
        return bytes.len < PROXY_PROTOCOL_V1_MAX ? CODEC_MORE : CODEC_BAD;
    *len = end + 2;
    return line_read(str_from(str_head(line, end), begin.len), header) ? CODEC_DONE : CODEC_BAD;
}

/* ---- version 2 ---- */

static void ends_read(const char *at, size_t ip_len, struct proxy_protocol *header) {
    memcpy(header->source.ip, at, ip_len);
    memcpy(header->destination.ip, at + ip_len, ip_len);
    header->source.port = u16_at(at + 2 * ip_len);
    header->destination.port = u16_at(at + 2 * ip_len + 2);
}

/* Families and transports that are not TCP's tell nothing that could be used. */
static bool v2_body_read(uint8_t family, struct str body, struct proxy_protocol *header) {
    size_t used = family == STREAM_V4 ? V4_BYTES : family == STREAM_V6 ? V6_BYTES : 0;
    if (body.len < used)
        return false;
    if (used == 0)
        return true;
    header->family = family == STREAM_V4 ? PROXY_PROTOCOL_V4 : PROXY_PROTOCOL_V6;
    ends_read(body.ptr, family == STREAM_V4 ? 4 : 16, header);
    header->tlvs = str_from(body, used);
    return true;
}

static enum codec_result v2_read(struct str bytes, struct proxy_protocol *header, size_t *len) {
    size_t known = bytes.len < SIGNATURE_LEN ? bytes.len : SIGNATURE_LEN;
    if (memcmp(bytes.ptr, signature, known) != 0)
        return CODEC_BAD;
    if (bytes.len > SIGNATURE_LEN && (uint8_t)bytes.ptr[12] != COMMAND_LOCAL &&
        (uint8_t)bytes.ptr[12] != COMMAND_PROXY)
        return CODEC_BAD;
    if (bytes.len < PROXY_PROTOCOL_V2_FIXED)
        return CODEC_MORE;
    size_t body_len = u16_at(bytes.ptr + 14);
    if (PROXY_PROTOCOL_V2_FIXED + body_len > PROXY_PROTOCOL_MAX)
        return CODEC_BAD;
    if (bytes.len < PROXY_PROTOCOL_V2_FIXED + body_len)
        return CODEC_MORE;
    *len = PROXY_PROTOCOL_V2_FIXED + body_len;
    if ((uint8_t)bytes.ptr[12] == COMMAND_LOCAL) /* the proxy speaks for itself */
        return CODEC_DONE;
    struct str body = str_make(bytes.ptr + PROXY_PROTOCOL_V2_FIXED, body_len);
    return v2_body_read((uint8_t)bytes.ptr[13], body, header) ? CODEC_DONE : CODEC_BAD;
}

enum codec_result proxy_protocol_read(struct str bytes, struct proxy_protocol *header, size_t *len) {
    *header = (struct proxy_protocol){.tlvs = {"", 0}};
    if (bytes.len == 0)
        return CODEC_MORE;
    return bytes.ptr[0] == signature[0] ? v2_read(bytes, header, len) : v1_read(bytes, header, len);
}

/* ---- writing ---- */

static void ip_build(struct builder *out, int family, const uint8_t *ip) {
    char text[INET6_ADDRSTRLEN];
    builder_str(out, str_of(inet_ntop(family, ip, text, sizeof text)));
    builder_char(out, ' ');
}

void proxy_protocol_build_v1(struct builder *out, const struct proxy_protocol *header) {
    if (header->family == PROXY_PROTOCOL_UNKNOWN) {
        builder_str(out, STR("PROXY UNKNOWN\r\n"));
        return;
    }
    int family = header->family == PROXY_PROTOCOL_V4 ? AF_INET : AF_INET6;
    builder_str(out, family == AF_INET ? STR("PROXY TCP4 ") : STR("PROXY TCP6 "));
    ip_build(out, family, header->source.ip);
    ip_build(out, family, header->destination.ip);
    builder_u64(out, header->source.port);
    builder_char(out, ' ');
    builder_u64(out, header->destination.port);
    builder_str(out, STR("\r\n"));
}

static void u16_build(struct builder *out, unsigned value) {
    builder_char(out, (char)(value >> 8 & 0xff));
    builder_char(out, (char)(value & 0xff));
}

void proxy_protocol_build_v2(struct builder *out, const struct proxy_protocol *header) {
    bool is_v4 = header->family == PROXY_PROTOCOL_V4;
    builder_bytes(out, signature, SIGNATURE_LEN);
    if (header->family == PROXY_PROTOCOL_UNKNOWN) {
        builder_char(out, COMMAND_LOCAL);
        builder_char(out, 0);
        u16_build(out, 0);
        return;
    }
    builder_char(out, COMMAND_PROXY);
    builder_char(out, is_v4 ? STREAM_V4 : STREAM_V6);
    u16_build(out, is_v4 ? V4_BYTES : V6_BYTES);
    builder_bytes(out, (const char *)header->source.ip, is_v4 ? 4 : 16);
    builder_bytes(out, (const char *)header->destination.ip, is_v4 ? 4 : 16);
    u16_build(out, header->source.port);
    u16_build(out, header->destination.port);
}

/* ---- TLVs ---- */

/* The value of the first TLV of this type; false when there is none, or the TLVs before it are broken. */
static bool tlv_find(struct str tlvs, unsigned type, struct str *value) {
    while (tlvs.len >= TLV_HEAD) {
        size_t len = u16_at(tlvs.ptr + 1);
        bool is_wanted = (uint8_t)tlvs.ptr[0] == type;
        tlvs = str_from(tlvs, TLV_HEAD);
        if (len > tlvs.len)
            return false;
        *value = str_make(tlvs.ptr, len);
        if (is_wanted)
            return true;
        tlvs = str_from(tlvs, len);
    }
    return false;
}

static const struct {
    struct str name;
    unsigned type;
    bool is_inner; /* of those within "ssl" */
} names[] = {
#define NAME(text) \
    { "" text, sizeof(text) - 1 }
    {NAME("alpn"), 0x01, false},   {NAME("authority"), 0x02, false}, {NAME("unique_id"), 0x05, false},
    {NAME("ssl"), TLV_SSL, false}, {NAME("netns"), 0x30, false},     {NAME("verify"), TYPE_VERIFY, true},
    {NAME("version"), 0x21, true}, {NAME("cn"), 0x22, true},         {NAME("cipher"), 0x23, true},
    {NAME("sig_alg"), 0x24, true}, {NAME("key_alg"), 0x25, true},
#undef NAME
};

static unsigned hex_type(struct str digits) {
    unsigned type = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = str_lower_char(digits.ptr[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return TYPE_NONE;
        type = type << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        if (type > UINT8_MAX)
            return TYPE_NONE;
    }
    return digits.len ? type : TYPE_NONE;
}

static unsigned type_find(struct str name, bool is_inner) {
    if (str_starts(name, STR("0x")))
        return hex_type(str_from(name, 2));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].is_inner == is_inner && str_eq(names[i].name, name))
            return names[i].type;
    return TYPE_NONE;
}

static bool inner_take(struct str *name) {
    bool is_inner = str_starts(*name, STR("ssl_"));
    if (is_inner)
        *name = str_from(*name, 4);
    return is_inner;
}

void proxy_protocol_build_tlv(struct builder *out, struct str tlvs, struct str name) {
    struct str value;
    bool is_inner = inner_take(&name);
    unsigned type = type_find(name, is_inner);
    if (is_inner) {
        if (!tlv_find(tlvs, TLV_SSL, &value) || value.len < SSL_HEAD)
            return;
        if (type == TYPE_VERIFY) {
            builder_u64(out, (uint32_t)u16_at(value.ptr + 1) << 16 | u16_at(value.ptr + 3));
            return;
        }
        tlvs = str_from(value, SSL_HEAD);
    }
    if (type <= UINT8_MAX && tlv_find(tlvs, type, &value))
        builder_str(out, value);
}
