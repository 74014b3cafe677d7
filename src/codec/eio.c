#include "codec/eio.h"

#include <jansson.h>
#include <openssl/evp.h>

enum { JSON_MAX = 4096, DEPTH_MAX = 32, PACKET_PART = 0x1e, BINARY_END = 0xff };

/* ---- the query ---- */

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = str_lower_char(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes as Node's querystring does: '+' is a space, and an escape that is broken stands for itself. A value
 * without either is given as it is, another one in `bytes`. False when it does not fit there. */
static bool value_decode(struct str value, char bytes[EIO_SID_MAX], struct str *decoded) {
    size_t len = 0;
    *decoded = value;
    if (str_find_char(value, '%') == STR_NONE && str_find_char(value, '+') == STR_NONE)
        return true;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i] == '+' ? ' ' : value.ptr[i];
        if (c == '%' && value.len - i > 2 && hex_value(value.ptr[i + 1]) >= 0 &&
            hex_value(value.ptr[i + 2]) >= 0) {
            c = (char)(hex_value(value.ptr[i + 1]) << 4 | hex_value(value.ptr[i + 2]));
            i += 2;
        }
        if (len == EIO_SID_MAX)
            return false;
        bytes[len++] = c;
    }
    *decoded = str_make(bytes, len);
    return true;
}

static bool value_is(struct str value, struct str wanted) {
    char bytes[EIO_SID_MAX];
    struct str decoded;
    return str_eq(value, wanted) || (value_decode(value, bytes, &decoded) && str_eq(decoded, wanted));
}

/* A sid parameter: the first is kept, a different one or one too long is refused. An empty one counts too. */
static bool sid_read(struct eio_query *query, struct str value, bool is_first) {
    char bytes[EIO_SID_MAX];
    struct str decoded;
    if (!value_decode(value, is_first ? query->sid_bytes : bytes, &decoded) || decoded.len > EIO_SID_MAX)
        return false;
    if (is_first)
        query->sid = decoded;
    return is_first || str_eq(decoded, query->sid);
}

static uint8_t transport_find(struct str value) {
    if (value_is(value, STR("polling")))
        return EIO_POLLING;
    return value_is(value, STR("websocket")) ? EIO_WEBSOCKET : EIO_OTHER_TRANSPORT;
}

void eio_query_parse(struct eio_query *query, struct str text) {
    bool has_eio = false, has_sid = false, is_sid_clear = true;
    query->is_engine = false;
    query->version = 3;
    query->transport = EIO_NO_TRANSPORT;
    query->sid = str_make("", 0);
    for (struct str part; str_split(&text, '&', &part);) {
        size_t sign = str_find_char(part, '=');
        struct str name = str_head(part, sign),
                   value = sign == STR_NONE ? str_make("", 0) : str_from(part, sign + 1);
        if (str_eq(name, STR("sid"))) {
            is_sid_clear = is_sid_clear && sid_read(query, value, !has_sid);
            has_sid = true;
        } else if (str_eq(name, STR("transport"))) {
            if (query->transport == EIO_NO_TRANSPORT)
                query->transport = transport_find(value);
        } else if (str_eq(name, STR("EIO"))) {
            if (!has_eio)
                query->version = value_is(value, STR("4")) ? 4 : 3;
            has_eio = true;
        }
    }
    query->is_engine = query->transport != EIO_NO_TRANSPORT && (has_eio || has_sid) && is_sid_clear;
}

/* ---- the open packet ---- */

/* Whether bytes that are not there can still come. */
static enum codec_result short_of(bool is_complete) {
    return is_complete ? CODEC_BAD : CODEC_MORE;
}

static uint64_t milliseconds(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    double number = json_is_number(value) ? json_number_value(value) : 0;
    return number >= 1 && number < 1e15 ? (uint64_t)number : 0;
}

static enum codec_result json_read(struct eio_open *open, struct str text) {
    /* a fixed seed, so that jansson draws no randomness; the text is too short for collisions to matter */
    json_object_seed(1);
    json_t *object = json_loadb(text.ptr, text.len, 0, NULL);
    const json_t *sid = json_object_get(object, "sid");
    size_t len = json_string_length(sid);
    enum codec_result result = CODEC_BAD;
    if (len && len <= EIO_SID_MAX) {
        memcpy(open->sid, json_string_value(sid), len);
        open->sid_len = len;
        open->ping_interval_ms = milliseconds(object, "pingInterval");
        open->ping_timeout_ms = milliseconds(object, "pingTimeout");
        result = CODEC_DONE;
    }
    json_decref(object);
    return result;
}

/* Length of the JSON object that `text` begins with; MORE when its end is not there. Finding the end by its
 * braces needs no trust in a packet's own length, which servers count differently. */
static enum codec_result object_end(struct str text, size_t *len) {
    unsigned depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i == 0 ? c != '{' : i >= JSON_MAX)
            return CODEC_BAD;
        if (c == '"')
            is_string = !is_string;
        else if (is_string)
            i += c == '\\';
        else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX)
                return CODEC_BAD;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            *len = i + 1;
            return CODEC_DONE;
        }
    }
    return CODEC_MORE;
}

/* A packet as text: "0{json}" and whatever follows. */
static enum codec_result packet_read(struct eio_open *open, struct str text, bool is_complete) {
    size_t len;
    if (text.len && text.ptr[0] != '0')
        return CODEC_BAD;
    enum codec_result result = object_end(str_from(text, 1), &len);
    if (result == CODEC_DONE)
        return json_read(open, str_make(text.ptr + 1, len));
    return result == CODEC_MORE ? short_of(is_complete) : CODEC_BAD;
}

/* "0" and base64 of the JSON, `count` characters in all. */
static enum codec_result base64_read(struct eio_open *open, struct str text, uint64_t count, bool is_complete) {
    enum { BASE64_MAX = JSON_MAX / 3 * 4 };
    unsigned char json[BASE64_MAX];
    size_t object_len;
    if (count < 1 || count - 1 > BASE64_MAX || (text.len && text.ptr[0] != '0'))
        return CODEC_BAD;
    if (text.len < count)
        return short_of(is_complete);
    int len = EVP_DecodeBlock(json, (const unsigned char *)text.ptr + 1, (int)(count - 1));
    struct str decoded = str_make((const char *)json, len > 0 ? (size_t)len : 0);
    return object_end(decoded, &object_len) == CODEC_DONE ? json_read(open, str_head(decoded, object_len))
                                                          : CODEC_BAD;
}

/* "<characters>:" and the packet. */
static enum codec_result counted_read(struct eio_open *open, struct str body, bool is_complete) {
    enum { DIGITS_MAX = 10 };
    uint64_t count = 0;
    size_t at = 0;
    for (; at < body.len && at < DIGITS_MAX && body.ptr[at] >= '0' && body.ptr[at] <= '9'; at++)
        count = count * 10 + (uint64_t)(body.ptr[at] - '0');
    if (at == body.len)
        return short_of(is_complete);
    if (at == 0 || body.ptr[at] != ':')
        return CODEC_BAD;
    struct str packet = str_from(body, at + 1);
    if (packet.len && packet.ptr[0] == 'b')
        return count ? base64_read(open, str_from(packet, 1), count - 1, is_complete) : CODEC_BAD;
    return packet_read(open, packet, is_complete);
}

/* A byte 0 for text or 1 for binary, the length as digits of value 0 to 9, 0xff, and the packet. */
static enum codec_result binary_read(struct eio_open *open, struct str body, bool is_complete) {
    enum { DIGITS_MAX = 10 };
    char json[1 + JSON_MAX];
    size_t at = 1;
    while (at < body.len && at <= DIGITS_MAX && (unsigned char)body.ptr[at] <= 9)
        at++;
    if (at == body.len)
        return short_of(is_complete);
    if (at == 1 || (unsigned char)body.ptr[at] != BINARY_END)
        return CODEC_BAD;
    struct str packet = str_from(body, at + 1);
    if (body.ptr[0] == 0 || packet.len == 0)
        return packet_read(open, packet, is_complete);
    /* a binary packet has its type as a byte of value 0 */
    if (packet.ptr[0] != 0)
        return CODEC_BAD;
    packet = str_head(packet, sizeof json);
    memcpy(json, packet.ptr, packet.len);
    json[0] = '0';
    return packet_read(open, str_make(json, packet.len), is_complete || packet.len == sizeof json);
}

static enum codec_result plain_read(struct eio_open *open, struct str body, bool is_complete) {
    if (body.len == 0)
        return short_of(is_complete);
    if (body.ptr[0] == 0 || body.ptr[0] == 1)
        return binary_read(open, body, is_complete);
    /* EIO=4 begins with the packet's type, 0; a length begins with another digit */
    return body.ptr[0] == '0' ? packet_read(open, body, is_complete) : counted_read(open, body, is_complete);
}

/* Takes a \uXXXX at the front of *rest into UTF-8. Surrogates come out as they are: they stand in strings of
 * the JSON only, where such bytes make it BAD. */
static enum codec_result unicode_take(struct str *rest, char *out, size_t *len) {
    unsigned code = 0;
    for (unsigned i = 2; i < 6; i++) {
        if (i >= rest->len)
            return CODEC_MORE;
        int digit = hex_value(rest->ptr[i]);
        if (digit < 0)
            return CODEC_BAD;
        code = code << 4 | (unsigned)digit;
    }
    *rest = str_from(*rest, 6);
    if (code >= 0x800)
        out[(*len)++] = (char)(0xe0 | code >> 12);
    if (code >= 0x80)
        out[(*len)++] = (char)(code >= 0x800 ? 0x80 | (code >> 6 & 0x3f) : 0xc0 | code >> 6);
    out[(*len)++] = (char)(code >= 0x80 ? 0x80 | (code & 0x3f) : code);
    return CODEC_DONE;
}

/* Takes one character of a JavaScript string, escaped or not; at most 3 bytes into out. */
static enum codec_result character_take(struct str *rest, char *out, size_t *len) {
    static const char from[] = "bfnrtv0", to[] = "\b\f\n\r\t\v";
    char c = rest->ptr[0];
    if (c != '\\') {
        *rest = str_from(*rest, 1);
        out[(*len)++] = c;
        return CODEC_DONE;
    }
    if (rest->len < 2)
        return CODEC_MORE;
    if (rest->ptr[1] == 'u')
        return unicode_take(rest, out, len);
    const char *letter = memchr(from, rest->ptr[1], sizeof from - 1);
    out[(*len)++] = letter ? to[letter - from] : rest->ptr[1];
    *rest = str_from(*rest, 2);
    return CODEC_DONE;
}

/* ___eio[DIGITS]("payload as a JavaScript string"); */
static enum codec_result jsonp_read(struct eio_open *open, struct str body, bool is_complete) {
    enum { TEXT_MAX = JSON_MAX + 64 };
    static const struct str head = {"___eio[", 7}, tail = {"](\"", 3};
    char text[TEXT_MAX + 3];
    size_t len = 0, digits = 0;
    enum codec_result result = CODEC_DONE;
    if (!str_starts(body, str_head(head, body.len)))
        return CODEC_BAD;
    struct str rest = str_from(body, head.len);
    while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
        digits++;
    rest = str_from(rest, digits);
    if (!str_starts(rest, str_head(tail, rest.len)))
        return CODEC_BAD;
    if (rest.len < tail.len)
        return short_of(is_complete);
    rest = str_from(rest, tail.len);
    while (len < TEXT_MAX && rest.len && rest.ptr[0] != '"') {
        result = character_take(&rest, text, &len);
        if (result != CODEC_DONE)
            break;
    }
    /* a broken escape ends the text: what stands before it may be enough */
    bool is_whole = is_complete || result == CODEC_BAD || len >= TEXT_MAX || (rest.len && rest.ptr[0] == '"');
    return plain_read(open, str_make(text, len), is_whole);
}

enum codec_result eio_open_parse(struct eio_open *open, struct str body, bool is_complete) {
    bool is_jsonp = body.len && body.ptr[0] == '_';
    return is_jsonp ? jsonp_read(open, body, is_complete) : plain_read(open, body, is_complete);
}

/* ---- close packets ---- */

/* Bytes of the first `count` UTF-16 units of UTF-8 text; STR_NONE when there are not as many. */
static size_t units_len(struct str text, uint64_t count) {
    size_t at = 0;
    while (count) {
        if (at >= text.len)
            return STR_NONE;
        unsigned char c = (unsigned char)text.ptr[at];
        unsigned bytes = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, units = bytes == 4 ? 2 : 1;
        if (units > count)
            return STR_NONE;
        count -= units;
        at += bytes;
    }
    return at <= text.len ? at : STR_NONE;
}

/* Cuts the packet at the front of a counted payload, text or binary; false when there is none. */
static bool packet_cut(struct str *rest, struct str *packet, bool *is_binary) {
    bool is_bytes = rest->len && (rest->ptr[0] == 0 || rest->ptr[0] == 1);
    char zero = is_bytes ? 0 : '0';
    uint64_t count = 0;
    size_t first = is_bytes ? 1 : 0, at = first;
    *is_binary = is_bytes && rest->ptr[0] == 1;
    for (; at < rest->len && at < first + 10 && (unsigned char)(rest->ptr[at] - zero) <= 9; at++)
        count = count * 10 + (uint64_t)(rest->ptr[at] - zero);
    if (at == first || at >= rest->len || (unsigned char)rest->ptr[at] != (is_bytes ? BINARY_END : ':'))
        return false;
    *rest = str_from(*rest, at + 1);
    size_t len = is_bytes ? (size_t)count : units_len(*rest, count);
    if (len > rest->len)
        return false;
    *packet = str_head(*rest, len);
    *rest = str_from(*rest, len);
    return true;
}

bool eio_has_close(struct str body, unsigned version) {
    struct str packet;
    bool is_binary = false;
    if (version >= 4) {
        while (str_split(&body, PACKET_PART, &packet))
            if (packet.len && packet.ptr[0] == '1')
                return true;
        return false;
    }
    while (packet_cut(&body, &packet, &is_binary))
        if (packet.len && packet.ptr[0] == (is_binary ? 1 : '1'))
            return true;
    return false;
}
