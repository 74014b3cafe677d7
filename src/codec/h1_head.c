#include "codec/h1_head.h"

#include "codec/h1_grammar.h"
#include "codec/h1_scan.h"

/* One pass over each line, in the order of its bytes: the first byte that cannot stand where it stands ends the
 * reading, so that verdict, fault and place are the same however the bytes were cut. What a line means is
 * looked at when it is whole; what only the whole head shows, at its empty line. */

enum {
    HEAD_MAX = 1 << 30, /* offsets are 32 bits; callers stop far earlier */
    VERSION_LINE = 10   /* "HTTP/1.1\r\n" */
};

/* Of these a request has one at most, as in nginx: what a second one would mean is anybody's guess. */
static const uint64_t single_fields = H1_BIT(H1_AUTHORIZATION) | H1_BIT(H1_CONTENT_RANGE) | H1_BIT(H1_EXPECT) |
                                      H1_BIT(H1_IF_MATCH) | H1_BIT(H1_IF_MODIFIED_SINCE) |
                                      H1_BIT(H1_IF_NONE_MATCH) | H1_BIT(H1_IF_RANGE) |
                                      H1_BIT(H1_IF_UNMODIFIED_SINCE);
static const uint64_t framing_fields = H1_BIT(H1_CONTENT_LENGTH) | H1_BIT(H1_TRANSFER_ENCODING);

void h1_head_init(struct h1_head *head) {
    memset(head, 0, offsetof(struct h1_head, fields));
}

static uint32_t offset(const struct h1_head *head, const char *at) {
    return (uint32_t)(at - head->base);
}

static enum codec_result fault(struct h1_head *head, enum h1_fault kind, const char *at) {
    head->fault = (uint8_t)kind;
    head->fault_at = offset(head, at);
    return CODEC_BAD;
}

/* Nothing is wrong up to `at`; the next call reads this line on from there. */
static enum codec_result more(struct h1_head *head, const char *at) {
    head->scanned = offset(head, at);
    return CODEC_MORE;
}

/* The line ends at `stop`, if that is CR LF, or LF alone where the first line ended so: then LF is what ends
 * lines for whoever reads this head, RFC 9112 2.2. Behind a first line with CR LF one alone is a fault, as is
 * anything else. */
static inline enum codec_result line_end(struct h1_head *head, const char *stop, const char *end) {
    if (stop == end)
        return more(head, end);
    if (*stop == '\n' && (head->has_bare_lf || head->parsed == 0)) {
        head->has_bare_lf = true;
        head->parsed = offset(head, stop) + 1;
        return CODEC_DONE;
    }
    if (*stop != '\r')
        return fault(head, H1_FAULT_SYNTAX, stop);
    if (end - stop < 2)
        return more(head, stop);
    if (stop[1] != '\n')
        return fault(head, H1_FAULT_SYNTAX, stop);
    head->parsed = offset(head, stop) + 2;
    return CODEC_DONE;
}

/* "HTTP/1." and the minor digit. */
static enum codec_result version_read(struct h1_head *head, const char *at, const char *end) {
    static const char shape[] = "HTTP/1.";
    if (__builtin_expect(end - at >= (ptrdiff_t)sizeof shape && memcmp(at, "HTTP/1.1", sizeof shape) == 0, 1)) {
        head->minor = 1;
        return CODEC_DONE;
    }
    for (unsigned i = 0; i < sizeof shape; i++) {
        if (at + i == end)
            return more(head, end);
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        bool is_right = i + 1 < sizeof shape ? at[i] == shape[i] : at[i] == '0' || at[i] == '1';
        if (!is_right)
            return fault(head, is_digit && (i == 5 || i == 7) ? H1_FAULT_VERSION : H1_FAULT_SYNTAX, at + i);
    }
    head->minor = (uint8_t)(at[sizeof shape - 1] - '0');
    return CODEC_DONE;
}

static inline bool is_method(const char *at, size_t len, const char *name) {
    return memcmp(at, name, len) == 0;
}

/* Methods are case-sensitive, RFC 9110 9.1. */
static enum h1_method method_find(const char *at, size_t len) {
    switch (len) {
    case 3:
        return is_method(at, 3, "GET") ? H1_GET : is_method(at, 3, "PUT") ? H1_PUT : H1_METHOD_OTHER;
    case 4:
        return is_method(at, 4, "POST") ? H1_POST : is_method(at, 4, "HEAD") ? H1_HEAD : H1_METHOD_OTHER;
    case 5:
        return is_method(at, 5, "PATCH") ? H1_PATCH : is_method(at, 5, "TRACE") ? H1_TRACE : H1_METHOD_OTHER;
    case 6:
        return is_method(at, 6, "DELETE") ? H1_DELETE : H1_METHOD_OTHER;
    case 7:
        return is_method(at, 7, "OPTIONS")   ? H1_OPTIONS
               : is_method(at, 7, "CONNECT") ? H1_CONNECT
                                             : H1_METHOD_OTHER;
    default:
        return H1_METHOD_OTHER;
    }
}

/* "http://" or "https://" in any letter case, up to the authority. *at is moved behind it. */
static enum codec_result scheme_read(struct h1_head *head, const char **at, const char *end) {
    static const char shape[] = "http://";
    bool is_secure = false;
    for (unsigned i = 0; i < sizeof shape - 1; i++) {
        if (*at == end)
            return more(head, end);
        if (i == 4 && !is_secure && str_lower_char(**at) == 's') {
            is_secure = true;
            i--;
        } else if (str_lower_char(**at) != shape[i]) {
            return fault(head, H1_FAULT_SYNTAX, *at);
        }
        ++*at;
    }
    return CODEC_DONE;
}

/* The forms of RFC 9112 3.2 but authority-form, which is CONNECT's alone. *stop: the space behind. */
static enum codec_result target_read(struct h1_head *head, const char *at, const char *end, const char **stop) {
    const char *path = at, *mark;
    bool is_asterisk = *at == '*';
    head->target_at = offset(head, at);
    if (is_asterisk) {
        mark = at + 1;
    } else if (*at == '/') {
        mark = h1_scan_target(at, end, '?');
    } else {
        enum codec_result result = scheme_read(head, &at, end);
        if (result != CODEC_DONE)
            return result;
        mark = h1_scan_target(at, end, '?');
        path = memchr(at, '/', (size_t)(mark - at));
        path = path ? path : mark;
        head->authority_at = offset(head, at);
        head->authority_len = (uint32_t)(path - at);
    }
    head->path_at = offset(head, path);
    head->path_len = (uint32_t)(mark - path);
    if (mark < end && *mark == '?' && !is_asterisk) {
        head->query_at = offset(head, mark) + 1;
        mark = h1_scan_target(mark + 1, end, '#');
        head->query_len = offset(head, mark) - head->query_at;
    }
    if (mark == end)
        return more(head, end);
    if (*mark != ' ')
        return fault(head, H1_FAULT_SYNTAX, mark);
    head->target_len = offset(head, mark) - head->target_at;
    *stop = mark;
    return CODEC_DONE;
}

/* What the whole request line shows. */
static enum codec_result target_check(struct h1_head *head) {
    const char *target = head->base + head->target_at;
    if (*target == '*' && head->method != H1_OPTIONS)
        return fault(head, H1_FAULT_SYNTAX, target);
    const char *authority = head->base + head->authority_at;
    if (head->authority_at && !h1_is_host(str_make(authority, head->authority_len)))
        return fault(head, H1_FAULT_HOST, authority);
    return CODEC_DONE;
}

static enum codec_result request_line(struct h1_head *head, const char *end) {
    const char *at = head->base;
    /* after MORE, the known bytes without a space are all the method's */
    const char *space = head->scanned ? memchr(at, ' ', head->scanned) : NULL;
    at = space ? space : h1_scan_name(at + head->scanned, end);
    if (at == end)
        return more(head, end);
    if (*at != ' ' || at == head->base || at - head->base > UINT16_MAX)
        return fault(head, H1_FAULT_SYNTAX, at);
    head->method_len = (uint16_t)(at - head->base);
    head->method = (uint8_t)method_find(head->base, head->method_len);
    if (head->method == H1_CONNECT)
        return fault(head, H1_FAULT_METHOD, head->base);
    if (++at == end)
        return more(head, end);
    enum codec_result result = target_read(head, at, end, &at);
    if (result != CODEC_DONE)
        return result;
    if (__builtin_expect(end - ++at >= VERSION_LINE && memcmp(at, "HTTP/1.1\r\n", VERSION_LINE) == 0, 1)) {
        head->minor = 1;
        head->parsed = offset(head, at) + VERSION_LINE;
        return target_check(head);
    }
    result = version_read(head, at, end);
    if (result == CODEC_DONE)
        result = line_end(head, at + VERSION_LINE - 2, end);
    return result == CODEC_DONE ? target_check(head) : result;
}

static enum codec_result status_line(struct h1_head *head, const char *end) {
    const char *at = head->base + VERSION_LINE - 2;
    enum codec_result result = version_read(head, head->base, end);
    if (result != CODEC_DONE)
        return result;
    head->status = 0;
    for (unsigned i = 0; i < 4; i++, at++) {
        if (at == end)
            return more(head, end);
        if (i == 0 ? *at != ' ' : *at < (i == 1 ? '1' : '0') || *at > '9')
            return fault(head, H1_FAULT_SYNTAX, at);
        if (i)
            head->status = (uint16_t)(head->status * 10 + (*at - '0'));
    }
    if (at == end)
        return more(head, end);
    /* the reason is optional here with its space too: servers leave both out, and nothing depends on it */
    if (*at != ' ')
        return line_end(head, at, end);
    const char *stop = h1_scan_value(at + 1, end);
    head->reason_at = offset(head, at) + 1;
    head->reason_len = (uint32_t)(stop - at) - 1;
    return line_end(head, stop, end);
}

/* 1*DIGIT and nothing else, up to 2^63-1, the largest length that an off_t holds. */
static bool length_read(struct str value, uint64_t *length) {
    return str_to_u64(value, length) && *length <= INT64_MAX;
}

/* Fields that may be wrong or contradict others. `is_second`: such a field was there before. */
static enum codec_result field_check(struct h1_head *head, const struct h1_field *field, bool is_second) {
    struct str value = h1_field_value(head, field);
    const char *name = head->base + field->name_at;
    if (field->id == H1_HOST) {
        if (is_second || !h1_is_host(value))
            return fault(head, H1_FAULT_HOST, is_second ? name : value.ptr);
        return CODEC_DONE;
    }
    if (single_fields >> field->id & 1)
        return is_second ? fault(head, H1_FAULT_SYNTAX, name) : CODEC_DONE;
    if (is_second || (head->seen & framing_fields) == framing_fields)
        return fault(head, H1_FAULT_FRAMING, name);
    if (field->id == H1_CONTENT_LENGTH)
        return length_read(value, &head->content_length) ? CODEC_DONE
                                                         : fault(head, H1_FAULT_FRAMING, value.ptr);
    return head->minor == 0 ? fault(head, H1_FAULT_FRAMING, name) : CODEC_DONE;
}

/* The one coding that is known, once it is sure that there is one field alone. */
static enum codec_result coding_check(struct h1_head *head) {
    struct str value = h1_head_value(head, H1_TRANSFER_ENCODING);
    return str_eq_nocase(value, STR("chunked")) ? CODEC_DONE : fault(head, H1_FAULT_CODING, value.ptr);
}

static inline void field_link(struct h1_head *head, enum h1_field_id id) {
    uint8_t number = (uint8_t)(head->field_count + 1);
    if (__builtin_expect(head->seen >> id & 1, 0)) {
        struct h1_field *last = &head->fields[head->first[id] - 1];
        while (last->next)
            last = &head->fields[last->next - 1];
        last->next = number;
    } else {
        head->first[id] = number;
        head->seen |= H1_BIT(id);
    }
}

static inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Adds the field whose whole line was read; `checked`: ids that field_check looks at. */
static inline enum codec_result field_add(struct h1_head *head, const char *name, const char *colon,
                                          const char *stop, uint64_t checked) {
    const char *value = colon + 1;
    while (value < stop && is_blank(*value))
        value++;
    while (stop > value && is_blank(stop[-1]))
        stop--;
    enum h1_field_id id = h1_known_find(name, (size_t)(colon - name));
    bool is_second = head->seen >> id & 1;
    struct h1_field *field = &head->fields[head->field_count];
    *field = (struct h1_field){.name_at = offset(head, name),
                               .value_at = offset(head, value),
                               .value_len = (uint32_t)(stop - value),
                               .name_len = (uint16_t)(colon - name),
                               .id = (uint8_t)id};
    if (id != H1_OTHER)
        field_link(head, id);
    head->field_count++;
    return __builtin_expect(checked >> id & 1, 0) ? field_check(head, field, is_second) : CODEC_DONE;
}

/* One field line at head->parsed, RFC 9112 5. A fold is a name that begins with a blank: no token. */
static inline enum codec_result field_read(struct h1_head *head, const char *end, uint64_t checked) {
    const char *line = head->base + head->parsed, *known = head->base + head->scanned, *colon = NULL;
    if (__builtin_expect(head->field_count == H1_FIELDS_MAX, 0))
        return fault(head, H1_FAULT_FIELD_COUNT, line);
    if (__builtin_expect(known > line, 0))
        colon = memchr(line, ':', (size_t)(known - line));
    else
        known = line;
    if (!colon) {
        uint8_t kinds = 0;
        colon = h1_scan_kinds(known, end, &kinds);
        head->has_odd_names |= (kinds & H1_TOKEN_ODD) != 0;
    }
    if (colon == end)
        return more(head, end);
    if (*colon != ':' || colon == line || colon - line > UINT16_MAX)
        return fault(head, H1_FAULT_SYNTAX, colon);
    const char *stop = h1_scan_value(known > colon ? known : colon + 1, end);
    enum codec_result result = line_end(head, stop, end);
    return result == CODEC_DONE ? field_add(head, line, colon, stop, checked) : result;
}

static inline enum codec_result fields_read(struct h1_head *head, const char *end, uint64_t checked) {
    for (;;) {
        const char *line = head->base + head->parsed;
        if (line == end)
            return CODEC_MORE;
        enum codec_result result;
        if ((unsigned char)*line <= '\r') {
            result = line_end(head, line, end);
            if (result == CODEC_DONE)
                head->len = head->parsed;
            return result;
        }
        result = field_read(head, end, checked);
        if (result != CODEC_DONE)
            return result;
    }
}

/* Connection and what goes with it, RFC 9112 9.3, RFC 9110 7.8. A 1.0 message upgrades nothing. */
static void connection_read(struct h1_head *head) {
    bool closes = false, keeps = head->minor == 1, upgrades = false;
    for (unsigned number = head->first[H1_CONNECTION]; number; number = head->fields[number - 1].next) {
        struct str list = h1_field_value(head, &head->fields[number - 1]), member;
        while (h1_list_next(&list, &member)) {
            if (str_eq_nocase(member, STR("keep-alive")))
                keeps = true;
            else if (str_eq_nocase(member, STR("close")))
                closes = true;
            else if (str_eq_nocase(member, STR("upgrade")))
                upgrades = true;
            else
                head->has_hops = true;
        }
    }
    head->is_keepalive = keeps && !closes;
    head->is_upgrade = upgrades && head->minor == 1 && h1_head_has(head, H1_UPGRADE);
}

static enum codec_result request_finish(struct h1_head *head) {
    if (head->minor == 1 && !h1_head_has(head, H1_HOST))
        return fault(head, H1_FAULT_HOST, head->base + head->parsed - (head->has_bare_lf ? 1 : 2));
    if (h1_head_has(head, H1_TRANSFER_ENCODING)) {
        if (coding_check(head) != CODEC_DONE)
            return CODEC_BAD;
        head->framing = H1_CHUNKED;
    } else {
        head->framing = h1_head_has(head, H1_CONTENT_LENGTH) ? H1_LENGTH : H1_NO_BODY;
    }
    connection_read(head);
    if (h1_head_has(head, H1_EXPECT))
        head->expects_continue = head->minor == 1 && h1_head_lists(head, H1_EXPECT, STR("100-continue"));
    return CODEC_DONE;
}

static enum codec_result response_finish(struct h1_head *head, enum h1_method request_method) {
    bool is_chunked = h1_head_has(head, H1_TRANSFER_ENCODING);
    if (is_chunked && coding_check(head) != CODEC_DONE)
        return CODEC_BAD;
    connection_read(head);
    if (request_method == H1_HEAD || head->status < 200 || head->status == 204 || head->status == 304)
        head->framing = H1_NO_BODY;
    else if (is_chunked)
        head->framing = H1_CHUNKED;
    else
        head->framing = h1_head_has(head, H1_CONTENT_LENGTH) ? H1_LENGTH : H1_UNTIL_CLOSE;
    if (head->framing == H1_UNTIL_CLOSE)
        head->is_keepalive = false;
    /* a 204 that announces a body it must not have may still send it: nothing may be read behind it */
    if (head->status == 204 && request_method != H1_HEAD && (is_chunked || head->content_length))
        head->is_keepalive = false;
    return CODEC_DONE;
}

static const char *head_end(const char *bytes, size_t len) {
    return bytes + (len < HEAD_MAX ? len : HEAD_MAX);
}

static enum codec_result head_verdict(struct h1_head *head, enum codec_result result, size_t len) {
    return result == CODEC_MORE && len >= HEAD_MAX ? fault(head, H1_FAULT_SYNTAX, head->base) : result;
}

static bool is_odd(struct str name, bool takes_underscores) {
    for (size_t i = 0; i < name.len; i++)
        if (h1_token_bytes[(unsigned char)name.ptr[i]] == H1_TOKEN_ODD &&
            (name.ptr[i] != '_' || !takes_underscores))
            return true;
    return false;
}

bool h1_head_drop_odd(struct h1_head *head, bool takes_underscores) {
    unsigned all = head->field_count;
    if (!head->has_odd_names)
        return false;
    memset(head->first, 0, sizeof head->first);
    head->seen = 0;
    head->field_count = 0;
    for (unsigned i = 0; i < all; i++) {
        struct h1_field field = head->fields[i];
        if (is_odd(h1_field_name(head, &field), takes_underscores))
            continue;
        field.next = 0;
        head->fields[head->field_count] = field;
        if (field.id != H1_OTHER)
            field_link(head, (enum h1_field_id)field.id);
        head->field_count++;
    }
    return head->field_count != all;
}

const struct h1_field *h1_head_find(const struct h1_head *head, struct str name) {
    enum h1_field_id id = h1_field_find(name);
    if (id != H1_OTHER)
        return h1_head_has(head, id) ? &head->fields[head->first[id] - 1] : NULL;
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct h1_field *field = &head->fields[i];
        if (field->id == H1_OTHER && str_eq_nocase(h1_field_name(head, field), name))
            return field;
    }
    return NULL;
}

bool h1_head_lists(const struct h1_head *head, enum h1_field_id id, struct str token) {
    for (unsigned number = head->first[id]; number; number = head->fields[number - 1].next)
        if (h1_list_has(h1_field_value(head, &head->fields[number - 1]), token))
            return true;
    return false;
}

bool h1_field_is_hop_by_hop(const struct h1_head *head, const struct h1_field *field) {
    static const uint64_t always = H1_BIT(H1_CONNECTION) | H1_BIT(H1_KEEP_ALIVE) | H1_BIT(H1_PROXY_CONNECTION) |
                                   H1_BIT(H1_TE) | H1_BIT(H1_TRAILER) | H1_BIT(H1_TRANSFER_ENCODING) |
                                   H1_BIT(H1_UPGRADE);
    /* a message cannot lose what makes it this message by naming it in Connection */
    static const uint64_t never = H1_BIT(H1_HOST) | H1_BIT(H1_CONTENT_LENGTH);
    if (always >> field->id & 1)
        return true;
    if (!head->has_hops || never >> field->id & 1)
        return false;
    return h1_head_lists(head, H1_CONNECTION, h1_field_name(head, field));
}

struct str h1_head_line(const struct h1_head *head) {
    struct str line = str_make(head->base, head->len);
    line = str_head(line, str_find_char(line, '\n'));
    return str_head(line, line.len - str_ends(line, STR("\r")));
}

enum codec_result h1_request_parse(struct h1_head *head, const char *bytes, size_t len) {
    const char *end = head_end(bytes, len);
    head->base = bytes;
    enum codec_result result = head->parsed ? CODEC_DONE : request_line(head, end);
    if (result == CODEC_DONE)
        result = fields_read(head, end, framing_fields | single_fields | H1_BIT(H1_HOST));
    return result == CODEC_DONE ? request_finish(head) : head_verdict(head, result, len);
}

enum codec_result h1_response_parse(struct h1_head *head, const char *bytes, size_t len,
                                    enum h1_method request_method) {
    const char *end = head_end(bytes, len);
    head->base = bytes;
    enum codec_result result = head->parsed ? CODEC_DONE : status_line(head, end);
    if (result == CODEC_DONE)
        result = fields_read(head, end, framing_fields);
    return result == CODEC_DONE ? response_finish(head, request_method) : head_verdict(head, result, len);
}
