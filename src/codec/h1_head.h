#ifndef CODEC_H1_HEAD_H
#define CODEC_H1_HEAD_H

#include "codec/h1_field.h"
#include "codec/result.h"

/* HTTP/1 message heads, RFC 9112, strictly: CRLF line ends only; no bare CR, LF or NUL; no obs-fold; no space
 * before a colon; no empty name. All positions are offsets from `base`, so that a head may be moved by copying
 * its bytes and setting base. */

enum h1_method {
    H1_METHOD_OTHER,
    H1_GET,
    H1_HEAD,
    H1_POST,
    H1_PUT,
    H1_DELETE,
    H1_OPTIONS,
    H1_PATCH,
    H1_CONNECT,
    H1_TRACE
};

/* How the body behind a head ends, RFC 9112 section 6.3. */
enum h1_framing { H1_NO_BODY, H1_LENGTH, H1_CHUNKED, H1_UNTIL_CLOSE };

/* What is wrong with a head; decides between 400, 414, 431, 501 and 505. */
enum h1_fault {
    H1_FAULT_NONE,
    H1_FAULT_SYNTAX,
    H1_FAULT_FRAMING,
    H1_FAULT_HOST,
    H1_FAULT_VERSION,
    H1_FAULT_CODING,
    H1_FAULT_FIELD_COUNT,
    H1_FAULT_METHOD
};

enum { H1_FIELDS_MAX = 128 };

struct h1_head {
    const char *base;
    uint32_t len; /* bytes of the whole head with its empty line, once DONE */

    /* request line */
    uint32_t target_at, target_len; /* as sent */
    uint32_t path_at,
        path_len; /* the target's path as sent, from '/' (or "*"); "/" implied when path_len is 0 */
    uint32_t query_at, query_len;         /* behind '?'; query_at is 0 when there is no '?' */
    uint32_t authority_at, authority_len; /* of an absolute-form target */
    uint16_t method_len;                  /* the method stands at base */
    uint8_t method;                       /* enum h1_method */
    uint8_t minor;                        /* HTTP/1.minor: 0 or 1 */

    /* status line */
    uint16_t status;
    uint32_t reason_at, reason_len;

    /* read from the fields */
    uint8_t framing;         /* enum h1_framing */
    bool is_keepalive;       /* the sender would keep the connection: version and Connection */
    bool is_upgrade;         /* Connection has "upgrade" and there is an Upgrade field */
    bool has_hops;           /* Connection names fields besides */
    bool expects_continue;   /* Expect: 100-continue */
    uint8_t fault;           /* enum h1_fault, when BAD */
    uint32_t fault_at;       /* where, when BAD */
    uint64_t content_length; /* for H1_LENGTH; for a response without a body the value announced, if any */

    uint64_t seen;               /* bit id: such a field is there */
    uint8_t first[H1_FIELD_IDS]; /* index + 1 of the first field with this id */

    uint32_t parsed;  /* bytes of whole lines read so far: where the next call goes on */
    uint32_t scanned; /* bytes known to hold no end of line */
    uint16_t field_count;
    bool has_odd_names; /* a field's name has more than letters, digits and '-' */
    bool has_bare_lf;   /* its first line ended by LF alone: others may, too */
    struct h1_field fields[H1_FIELDS_MAX];
};

/* An empty head; fields[] is left as it is. */
void h1_head_init(struct h1_head *head);

/* Reads a request head from the first len bytes at `bytes`; called again with more of the same bytes (which may
 * have moved) after MORE. One or more empty lines before the request line are not skipped: RFC 9112 2.2 lets
 * the caller do that. DONE fills framing and flags; BAD fills fault. Checked besides the grammar: version 1.0
 * or 1.1; exactly one valid Host in 1.1 and at most one in 1.0; Content-Length as one plain number (equal
 * doubles are refused too); Transfer-Encoding "chunked" alone, never in 1.0, never beside Content-Length;
 * CONNECT is refused (METHOD). */
enum codec_result h1_request_parse(struct h1_head *head, const char *bytes, size_t len);

/* The same for a response head. `request_method` decides whether a body follows (HEAD; and 1xx, 204, 304
 * never). Both Transfer-Encoding and Content-Length, several lengths or unknown codings are BAD. */
enum codec_result h1_response_parse(struct h1_head *head, const char *bytes, size_t len,
                                    enum h1_method request_method);

static inline struct str h1_field_name(const struct h1_head *head, const struct h1_field *field) {
    return str_make(head->base + field->name_at, field->name_len);
}

static inline struct str h1_field_value(const struct h1_head *head, const struct h1_field *field) {
    return str_make(head->base + field->value_at, field->value_len);
}

static inline bool h1_head_has(const struct h1_head *head, enum h1_field_id id) {
    return head->seen >> id & 1;
}

/* Value of the first such field; the empty view when there is none. */
static inline struct str h1_head_value(const struct h1_head *head, enum h1_field_id id) {
    return h1_head_has(head, id) ? h1_field_value(head, &head->fields[head->first[id] - 1]) : str_make("", 0);
}

/* Is there exactly one such field? */
static inline bool h1_head_has_one(const struct h1_head *head, enum h1_field_id id) {
    return h1_head_has(head, id) && head->fields[head->first[id] - 1].next == 0;
}

static inline struct str h1_head_method(const struct h1_head *head) {
    return str_make(head->base, head->method_len);
}

/* Takes out the fields whose names have more than letters, digits and '-', and '_' where that is allowed:
 * nginx's ignore_invalid_headers. True when there were some. */
bool h1_head_drop_odd(struct h1_head *head, bool takes_underscores);

/* The first line of a head that is DONE, without its end. */
struct str h1_head_line(const struct h1_head *head);

static inline struct str h1_head_query(const struct h1_head *head) {
    return str_make(head->base + head->query_at, head->query_len);
}

/* First field of that name in any letter case, known id or not; NULL when there is none. */
const struct h1_field *h1_head_find(const struct h1_head *head, struct str name);
/* Is `token` a member of the comma-separated list in any field with this id, in any letter case (RFC
 * 9110 5.6.1)? */
bool h1_head_lists(const struct h1_head *head, enum h1_field_id id, struct str token);
/* Is this a hop-by-hop field that a proxy must not pass on: the fixed ones of RFC 9110 7.6.1 (with Keep-Alive,
 * Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade), or one that Connection names? */
bool h1_field_is_hop_by_hop(const struct h1_head *head, const struct h1_field *field);

#endif
