#include "plain.h"

#include <strings.h>

static bool is_token_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return s.len > 0;
}

/* The line up to the next CRLF, cut from *rest; false when there is none yet. */
static bool line_cut(struct str *rest, struct str *line) {
    for (size_t i = 0; i + 1 < rest->len; i++)
        if (rest->ptr[i] == '\r' && rest->ptr[i + 1] == '\n') {
            *line = str_make(rest->ptr, i);
            *rest = str_make(rest->ptr + i + 2, rest->len - i - 2);
            return true;
        }
    return false;
}

static bool is_clean(struct str line) {
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static struct str trimmed(struct str s) {
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = str_make(s.ptr + 1, s.len - 1);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static enum plain_result bad(struct plain_head *head, const char *reason) {
    head->reason = reason;
    return PLAIN_BAD;
}

static enum plain_result fields_read(struct plain_head *head, struct str bytes, struct str rest) {
    for (struct str line;;) {
        if (!line_cut(&rest, &line))
            return PLAIN_MORE;
        if (!is_clean(line))
            return bad(head, "control character in a field line");
        if (line.len == 0)
            break;
        const char *colon = memchr(line.ptr, ':', line.len);
        if (!colon)
            return bad(head, "field line without a colon");
        if (head->count == PLAIN_FIELDS)
            return bad(head, "too many fields");
        struct str name = str_make(line.ptr, (size_t)(colon - line.ptr));
        if (!is_token(name))
            return bad(head, "field name is no token");
        head->names[head->count] = name;
        head->values[head->count++] = trimmed(str_make(colon + 1, line.len - (size_t)(colon + 1 - line.ptr)));
    }
    head->len = bytes.len - rest.len;
    return PLAIN_DONE;
}

static bool minor_read(struct plain_head *head, struct str version) {
    if (version.len != 8 || memcmp(version.ptr, "HTTP/1.", 7) != 0)
        return false;
    head->minor = (unsigned)(version.ptr[7] - '0');
    return head->minor <= 1;
}

static bool target_is_clean(struct str target) {
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || (unsigned char)target.ptr[i] >= 0x7f ||
            target.ptr[i] == '#')
            return false;
    return target.len && target.ptr[0] == '/';
}

/* Whether a head may be whole: what comes in pieces is not read anew with each of them. */
static bool is_worth_reading(struct str bytes) {
    return bytes.len > 40000 || memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);
}

enum plain_result plain_request_read(struct plain_head *head, struct str bytes) {
    struct str rest = bytes, line;
    head->count = 0;
    if (!is_worth_reading(bytes))
        return PLAIN_MORE;
    if (!line_cut(&rest, &line))
        return bytes.len > 40000 ? bad(head, "endless request line") : PLAIN_MORE;
    const char *space = memchr(line.ptr, ' ', line.len);
    if (!space)
        return bad(head, "request line without a space");
    head->method = str_make(line.ptr, (size_t)(space - line.ptr));
    struct str tail = str_make(space + 1, line.len - (size_t)(space + 1 - line.ptr));
    space = memchr(tail.ptr, ' ', tail.len);
    if (!space)
        return bad(head, "request line without a version");
    head->target = str_make(tail.ptr, (size_t)(space - tail.ptr));
    if (!is_token(head->method) || !target_is_clean(head->target))
        return bad(head, "method or target malformed");
    if (!minor_read(head, str_make(space + 1, tail.len - head->target.len - 1)))
        return bad(head, "version malformed");
    enum plain_result result = fields_read(head, bytes, rest);
    if (result == PLAIN_DONE && plain_count(head, "host") != 1)
        return bad(head, "not exactly one Host");
    return result;
}

enum plain_result plain_answer_read(struct plain_head *head, struct str bytes) {
    struct str rest = bytes, line;
    head->count = 0;
    if (!is_worth_reading(bytes))
        return PLAIN_MORE;
    if (!line_cut(&rest, &line))
        return PLAIN_MORE;
    if (line.len < 13 || !minor_read(head, str_make(line.ptr, 8)) || line.ptr[8] != ' ' || line.ptr[12] != ' ')
        return bad(head, "status line malformed");
    head->status = 0;
    for (int i = 9; i < 12; i++) {
        if (line.ptr[i] < '0' || line.ptr[i] > '9')
            return bad(head, "status malformed");
        head->status = head->status * 10 + (unsigned)(line.ptr[i] - '0');
    }
    return is_clean(line) ? fields_read(head, bytes, rest) : bad(head, "control character in the status line");
}

static bool name_is(struct str name, const char *word) {
    return name.len == strlen(word) && strncasecmp(name.ptr, word, name.len) == 0;
}

struct str plain_field(const struct plain_head *head, const char *name) {
    for (unsigned i = 0; i < head->count; i++)
        if (name_is(head->names[i], name))
            return head->values[i];
    return (struct str){NULL, 0};
}

unsigned plain_count(const struct plain_head *head, const char *name) {
    unsigned count = 0;
    for (unsigned i = 0; i < head->count; i++)
        count += name_is(head->names[i], name);
    return count;
}

bool plain_lists(const struct plain_head *head, const char *name, const char *token) {
    for (unsigned i = 0; i < head->count; i++) {
        if (!name_is(head->names[i], name))
            continue;
        struct str rest = head->values[i];
        while (rest.len) {
            const char *comma = memchr(rest.ptr, ',', rest.len);
            size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
            if (name_is(trimmed(str_make(rest.ptr, len)), token))
                return true;
            rest = comma ? str_make(comma + 1, rest.len - len - 1) : str_make(NULL, 0);
        }
    }
    return false;
}

static bool wrong(struct plain_body *body, const char *reason) {
    body->reason = reason;
    return false;
}

bool plain_body_init(struct plain_body *body, const struct plain_head *head, bool is_request,
                     bool is_head_answer) {
    *body = (struct plain_body){.framing = PLAIN_NONE};
    struct str length = plain_field(head, "content-length"), coding = plain_field(head, "transfer-encoding");
    if (length.ptr && coding.ptr)
        return wrong(body, "Content-Length beside Transfer-Encoding");
    if (plain_count(head, "content-length") > 1 || plain_count(head, "transfer-encoding") > 1)
        return wrong(body, "doubled framing field");
    if (coding.ptr && (!name_is(coding, "chunked") || head->minor == 0))
        return wrong(body, "coding is not plain chunked, or in HTTP/1.0");
    if (length.ptr) {
        if (length.len == 0 || length.len > 18)
            return wrong(body, "Content-Length malformed");
        for (size_t i = 0; i < length.len; i++) {
            if (length.ptr[i] < '0' || length.ptr[i] > '9')
                return wrong(body, "Content-Length malformed");
            body->left = body->left * 10 + (uint64_t)(length.ptr[i] - '0');
        }
    }
    bool has_none =
        !is_request && (is_head_answer || head->status < 200 || head->status == 204 || head->status == 304);
    if (!is_request && (head->status < 200 || head->status == 204) && (length.ptr || coding.ptr))
        return wrong(body, "framing fields on an answer that has no body");
    if (has_none)
        return true;
    if (coding.ptr)
        body->framing = PLAIN_CHUNKED;
    else if (length.ptr)
        body->framing = body->left ? PLAIN_LENGTH : PLAIN_NONE;
    else if (!is_request)
        body->framing = PLAIN_UNTIL_CLOSE;
    return true;
}

enum { AT_SIZE, AT_DATA, AT_DATA_END, AT_TRAILER, AT_END };

/* One byte of a line that ends with CRLF; true when the line is whole in body->line. */
static bool line_feed(struct plain_body *body, char c, bool *is_bad) {
    if (body->line_len + 1 >= sizeof body->line) {
        *is_bad = true;
        return false;
    }
    body->line[body->line_len++] = c;
    if (c == '\n') {
        *is_bad = body->line_len < 2 || body->line[body->line_len - 2] != '\r';
        body->line[body->line_len - 2 + (body->line_len < 2)] = 0;
        body->line_len = 0;
        return true;
    }
    return false;
}

static bool size_read(struct plain_body *body) {
    size_t digits = strspn(body->line, "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 15 || (body->line[digits] && body->line[digits] != ';'))
        return false;
    body->left = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = body->line[i];
        unsigned value = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        body->left = body->left * 16 + value;
    }
    body->state = body->left ? AT_DATA : AT_TRAILER;
    return true;
}

/* A line of the chunk grammar is whole. */
static bool line_done(struct plain_body *body) {
    if (body->state == AT_SIZE)
        return size_read(body);
    if (body->state == AT_DATA_END) {
        body->state = AT_SIZE;
        return body->line[0] == 0;
    }
    if (body->line[0] == 0)
        body->state = AT_END;
    else if (!strchr(body->line, ':'))
        return false;
    return true;
}

/* Takes what is payload from the front of *bytes. */
static bool payload_feed(struct plain_body *body, struct str *bytes, plain_check *check, void *context) {
    bool is_endless = body->framing == PLAIN_UNTIL_CLOSE;
    size_t len = is_endless || bytes->len < body->left ? bytes->len : (size_t)body->left;
    struct str payload = str_make(bytes->ptr, len);
    *bytes = str_make(bytes->ptr + len, bytes->len - len);
    body->left -= is_endless ? 0 : len;
    if (!check(context, body->got, payload))
        return wrong(body, "payload differs from what was sent");
    body->got += len;
    return true;
}

enum plain_result plain_body_read(struct plain_body *body, struct str *bytes, plain_check *check,
                                  void *context) {
    if (body->framing == PLAIN_NONE)
        return PLAIN_DONE;
    while (bytes->len) {
        if (body->framing != PLAIN_CHUNKED || body->state == AT_DATA) {
            if (!payload_feed(body, bytes, check, context))
                return PLAIN_BAD;
            if (body->framing == PLAIN_LENGTH && body->left == 0)
                return PLAIN_DONE;
            if (body->framing == PLAIN_CHUNKED && body->left == 0)
                body->state = AT_DATA_END;
            continue;
        }
        bool is_bad = false, is_line = line_feed(body, bytes->ptr[0], &is_bad);
        *bytes = str_make(bytes->ptr + 1, bytes->len - 1);
        if (is_bad || (is_line && !line_done(body))) {
            body->reason = "chunk grammar broken";
            return PLAIN_BAD;
        }
        if (body->state == AT_END)
            return PLAIN_DONE;
    }
    return PLAIN_MORE;
}
