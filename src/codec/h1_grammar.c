#include "codec/h1_grammar.h"

#include "codec/h1_scan.h"

const uint8_t h1_token_bytes[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['-'] = 1,  ['!'] = 2, ['#'] = 2,
    ['$'] = 2,         ['%'] = 2,         ['&'] = 2,         ['\''] = 2, ['*'] = 2, ['+'] = 2,
    ['.'] = 2,         ['^'] = 2,         ['_'] = 2,         ['`'] = 2,  ['|'] = 2, ['~'] = 2,
};

/* unreserved and sub-delims of RFC 3986: what a reg-name is made of, but escapes; the dot is looked at closer
 */
static const uint8_t host_bytes[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['-'] = 1, ['.'] = 2,  ['_'] = 1,
    ['~'] = 1,         ['!'] = 1,         ['$'] = 1,         ['&'] = 1, ['\''] = 1, ['('] = 1,
    [')'] = 1,         ['*'] = 1,         ['+'] = 1,         [','] = 1, [';'] = 1,  ['='] = 1,
};

bool h1_is_token(struct str s) {
    return s.len && h1_scan_name(s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return is_digit(c) || (str_lower_char(c) >= 'a' && str_lower_char(c) <= 'f');
}

/* Empty, or ":" and a number up to 65535, which may be missing (RFC 3986 3.2.3). */
static bool is_port(struct str s) {
    uint64_t port = 0;
    if (s.len == 0)
        return true;
    return s.ptr[0] == ':' && (s.len == 1 || (str_to_u64(str_from(s, 1), &port) && port <= UINT16_MAX));
}

/* Four numbers up to 255 without leading zeroes. */
static bool is_ipv4(struct str s) {
    unsigned count = 0;
    for (struct str part; str_split(&s, '.', &part); count++) {
        uint64_t value;
        if (part.len > 3 || (part.len > 1 && part.ptr[0] == '0') || !str_to_u64(part, &value) || value > 255)
            return false;
    }
    return count == 4;
}

/* Eight groups of one to four hexadecimal digits, of which "::" once replaces one or more and an IPv4 address
 * the last two. */
static bool is_ipv6(struct str s) {
    unsigned groups = 0;
    bool has_gap = str_starts(s, STR("::"));
    s = str_from(s, has_gap ? 2 : 0);
    while (s.len) {
        size_t len = 0;
        while (len < s.len && len < 5 && is_hex(s.ptr[len]))
            len++;
        if (len < s.len && s.ptr[len] == '.')
            return is_ipv4(s) && (has_gap ? groups < 6 : groups == 6);
        if (len == 0 || len > 4 || groups++ == 8)
            return false;
        s = str_from(s, len);
        if (s.len == 0)
            break;
        bool is_gap = str_starts(s, STR("::"));
        if (s.ptr[0] != ':' || (is_gap && has_gap) || (!is_gap && s.len == 1))
            return false;
        has_gap = has_gap || is_gap;
        s = str_from(s, is_gap ? 2 : 1);
    }
    return has_gap ? groups < 8 : groups == 8;
}

/* "v", a version, '.', and what may stand in a name or ':' (RFC 3986 3.2.2). */
static bool is_future_address(struct str s) {
    size_t len = 1;
    while (len < s.len && is_hex(s.ptr[len]))
        len++;
    if (len == 1 || s.len < len + 2 || str_lower_char(s.ptr[0]) != 'v' || s.ptr[len] != '.')
        return false;
    for (len++; len < s.len; len++)
        if (s.ptr[len] != ':' && !host_bytes[(unsigned char)s.ptr[len]])
            return false;
    return true;
}

static bool is_literal(struct str s) {
    size_t len = str_find_char(s, ']');
    if (len == STR_NONE)
        return false;
    struct str address = str_make(s.ptr + 1, len - 1);
    return (is_ipv6(address) || is_future_address(address)) && is_port(str_from(s, len + 1));
}

bool h1_is_host(struct str s) {
    size_t len = 0;
    if (s.len && s.ptr[0] == '[')
        return is_literal(s);
    if (str_starts(s, STR(".")) && (s.len == 1 || s.ptr[1] == ':'))
        return false;
    for (;; len++) {
        while (len < s.len && host_bytes[(unsigned char)s.ptr[len]] == 1)
            len++;
        if (len == s.len || s.ptr[len] == ':')
            break;
        if (s.ptr[len] == '%' && s.len - len > 2 && is_hex(s.ptr[len + 1]) && is_hex(s.ptr[len + 2]))
            len += 2;
        else if (s.ptr[len] != '.' || (len && s.ptr[len - 1] == '.'))
            return false;
    }
    return len && is_port(str_from(s, len));
}

/* Length of the list member at the front of `list`: up to a comma that is not quoted. */
static size_t member_len(struct str list) {
    bool is_quoted = false;
    for (size_t i = 0; i < list.len; i++) {
        if (list.ptr[i] == '"')
            is_quoted = !is_quoted;
        else if (list.ptr[i] == '\\' && is_quoted)
            i++;
        else if (list.ptr[i] == ',' && !is_quoted)
            return i;
    }
    return list.len;
}

bool h1_list_has(struct str list, struct str token) {
    while (token.len && list.len >= token.len) {
        size_t len = member_len(list);
        if (str_eq_nocase(str_trim(str_head(list, len)), token))
            return true;
        list = str_from(list, len + 1);
    }
    return false;
}

bool h1_list_next(struct str *list, struct str *member) {
    if (list->len == 0)
        return false;
    size_t len = str_find_char(*list, ',') == STR_NONE ? list->len : member_len(*list);
    *member = str_trim(str_head(*list, len));
    *list = str_from(*list, len + 1);
    return true;
}

/* nginx's words, and for statuses that it has none for, none. */
static const char *const reasons[] = {
    [200] = "OK",
    [201] = "Created",
    [202] = "Accepted",
    [204] = "No Content",
    [206] = "Partial Content",
    [301] = "Moved Permanently",
    [302] = "Moved Temporarily",
    [303] = "See Other",
    [304] = "Not Modified",
    [307] = "Temporary Redirect",
    [308] = "Permanent Redirect",
    [400] = "Bad Request",
    [401] = "Unauthorized",
    [402] = "Payment Required",
    [403] = "Forbidden",
    [404] = "Not Found",
    [405] = "Not Allowed",
    [406] = "Not Acceptable",
    [408] = "Request Time-out",
    [409] = "Conflict",
    [410] = "Gone",
    [411] = "Length Required",
    [412] = "Precondition Failed",
    [413] = "Request Entity Too Large",
    [414] = "Request-URI Too Large",
    [415] = "Unsupported Media Type",
    [416] = "Requested Range Not Satisfiable",
    [421] = "Misdirected Request",
    [429] = "Too Many Requests",
    [500] = "Internal Server Error",
    [501] = "Not Implemented",
    [502] = "Bad Gateway",
    [503] = "Service Temporarily Unavailable",
    [504] = "Gateway Time-out",
    [505] = "HTTP Version Not Supported",
    [507] = "Insufficient Storage",
};

const char *h1_reason(unsigned status) {
    const char *reason = status < sizeof reasons / sizeof reasons[0] ? reasons[status] : NULL;
    return reason ? reason : "";
}
