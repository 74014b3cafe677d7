#include "upstream/probe_answer.h"

#include "codec/h1_body.h"
#include "loop/random.h"

/* ---- what is said ---- */

static void upgrade_build(struct builder *out, const struct check *check, struct str key) {
    builder_str(out, STR("GET "));
    builder_str(out, check->uri);
    builder_str(out, STR(" HTTP/1.1\r\nHost: "));
    builder_str(out, check->host);
    builder_str(out, STR("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: "));
    builder_str(out, key);
    builder_str(out, STR("\r\n\r\n"));
}

static void poll_build(struct builder *out, const struct check *check) {
    builder_str(out, STR("GET "));
    builder_str(out, check->uri);
    builder_str(out, STR(" HTTP/1.1\r\nHost: "));
    builder_str(out, check->host);
    builder_str(out, STR("\r\nAccept: */*\r\n\r\n"));
}

/* A ClientHello of TLS 1.2 (RFC 5246 7.4.1.2) with the suites that servers of the last fifteen years have. */
static void hello_build(struct builder *out) {
    static const char before[] = "\x16\x03\x01\x00\x6d\x01\x00\x00\x69\x03\x03";
    static const char after[] =
        "\x00"                                                                             /* no session */
        "\x00\x12\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa8\xcc\xa9\xc0\x13\xc0\x14\x00\x2f" /* suites */
        "\x01\x00"                                                                         /* no compression */
        "\x00\x2e"                                                                         /* extensions */
        "\x00\x0a\x00\x08\x00\x06\x00\x1d\x00\x17\x00\x18"                                 /* groups */
        "\x00\x0b\x00\x02\x01\x00"                                                         /* point formats */
        "\x00\x0d\x00\x10\x00\x0e\x04\x03\x05\x03\x08\x04\x08\x05\x04\x01\x05\x01\x02\x01" /* signatures */
        "\x00\x17\x00\x00\x00\x16\x00\x00";
    char bytes[32];
    random_fill(bytes, sizeof bytes);
    builder_bytes(out, before, sizeof before - 1);
    builder_bytes(out, bytes, sizeof bytes);
    builder_bytes(out, after, sizeof after - 1);
}

bool probe_request_build(struct builder *out, const struct check *check, struct str key) {
    switch (check->kind) {
    case CHECK_TCP:
        builder_str(out, check->good->send);
        break;
    case CHECK_HTTP:
        builder_str(out, check->request);
        break;
    case CHECK_SSL_HELLO:
        hello_build(out);
        break;
    case CHECK_WEBSOCKET:
        upgrade_build(out, check, key);
        break;
    case CHECK_SOCKETIO:
        poll_build(out, check);
        break;
    }
    return !out->overflow;
}

bool probe_goodbye_build(struct builder *out, const struct check *check, struct str body) {
    if (check->kind == CHECK_WEBSOCKET) {
        struct ws_frame frame = {.is_final = true, .is_masked = true, .op = WS_CLOSE, .payload_len = 2};
        char head[WS_HEAD_MAX], code[2] = {0x03, (char)0xe8}; /* 1000 */
        random_fill(frame.mask, sizeof frame.mask);
        ws_mask(code, sizeof code, frame.mask, 0);
        builder_bytes(out, head, ws_frame_build(head, &frame));
        builder_bytes(out, code, sizeof code);
        return true;
    }
    struct eio_open open;
    if (check->kind != CHECK_SOCKETIO || eio_open_parse(&open, body, true) != CODEC_DONE)
        return false;
    builder_str(out, STR("POST "));
    builder_str(out, check->uri);
    builder_str(out, STR("&sid="));
    builder_bytes(out, open.sid, open.sid_len);
    builder_str(out, STR(" HTTP/1.1\r\nHost: "));
    builder_str(out, check->host);
    builder_str(out, STR("\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 1\r\n"
                         "Connection: close\r\n\r\n1"));
    return !out->overflow;
}

/* ---- whether it is good ---- */

static enum h1_method method_of(const struct check *check) {
    return str_starts(check->request, STR("HEAD ")) ? H1_HEAD : H1_GET;
}

static enum probe_verdict fields_judge(const struct match *good, const struct h1_head *head) {
    for (size_t i = 0; i < good->fields.count; i++) {
        const struct match_field *field = &good->fields.items[i];
        const struct h1_field *found = h1_head_find(head, field->name);
        struct str value = found ? h1_field_value(head, found) : (struct str){NULL, 0};
        if (!match_field_holds(field, value))
            return PROBE_FIELD;
    }
    return PROBE_PASSED;
}

/* The whole body. NONE: more of it is to come. */
static enum probe_verdict body_read(const struct h1_head *head, struct str rest, bool is_complete,
                                    struct builder *out) {
    struct h1_body body;
    h1_body_init(&body, head);
    while (rest.len && !body.is_complete) {
        struct str slice = STR("");
        enum h1_slice_kind kind;
        enum codec_result result = h1_body_read(&body, &rest, &slice, &kind);
        if (result == CODEC_BAD)
            return PROBE_MALFORMED;
        if (kind == H1_SLICE_DATA)
            builder_str(out, slice);
        if (result == CODEC_DONE)
            return PROBE_PASSED;
    }
    if (body.is_complete || (is_complete && h1_body_end(&body)))
        return PROBE_PASSED;
    return is_complete ? PROBE_CLOSED : PROBE_NONE;
}

static enum probe_verdict http_judge(const struct check *check, const struct h1_head *head, struct str rest,
                                     bool is_complete, struct builder *body) {
    const struct match *good = check->good;
    if (!match_takes_status(good, head->status))
        return PROBE_STATUS;
    enum probe_verdict verdict = fields_judge(good, head);
    if (verdict != PROBE_PASSED || (!good->body && check->kind != CHECK_SOCKETIO))
        return verdict;
    verdict = body_read(head, rest, is_complete, body);
    if (verdict != PROBE_PASSED)
        return verdict;
    struct eio_open open;
    if (check->kind == CHECK_SOCKETIO && eio_open_parse(&open, builder_view(body), true) != CODEC_DONE)
        return PROBE_OPEN_PACKET;
    if (good->body && regex_matches(good->body, builder_view(body), NULL) == good->is_body_negated)
        return PROBE_BODY;
    return PROBE_PASSED;
}

static enum probe_verdict upgrade_judge(const struct h1_head *head, struct str key) {
    char accept[WS_ACCEPT_LEN];
    if (head->status != 101)
        return PROBE_STATUS;
    bool is_accepted = head->is_upgrade && h1_head_lists(head, H1_UPGRADE, STR("websocket")) &&
                       ws_accept_make(key, accept) &&
                       str_eq(h1_head_value(head, H1_SEC_WEBSOCKET_ACCEPT), str_make(accept, sizeof accept));
    return is_accepted ? PROBE_PASSED : PROBE_ACCEPT;
}

static enum probe_verdict head_judge(const struct check *check, struct str answer, bool is_complete,
                                     struct str key, struct builder *body, unsigned *status) {
    struct h1_head head;
    for (;;) {
        h1_head_init(&head);
        switch (h1_response_parse(&head, answer.ptr, answer.len, method_of(check))) {
        case CODEC_BAD:
            return PROBE_MALFORMED;
        case CODEC_MORE:
            return is_complete ? PROBE_CLOSED : PROBE_NONE;
        case CODEC_DONE:
            break;
        }
        *status = head.status;
        if (head.status >= 200 || head.status == 101)
            break;
        answer = str_from(answer, head.len);
    }
    return check->kind == CHECK_WEBSOCKET
               ? upgrade_judge(&head, key)
               : http_judge(check, &head, str_from(answer, head.len), is_complete, body);
}

static enum probe_verdict hello_judge(struct str answer, bool is_complete) {
    if (answer.len < 2)
        return is_complete ? PROBE_HELLO : PROBE_NONE;
    return answer.ptr[0] == 0x16 && answer.ptr[1] == 0x03 ? PROBE_PASSED : PROBE_HELLO;
}

static enum probe_verdict text_judge(const struct match *good, struct str answer, bool is_complete) {
    bool is_good = good->expect_regex ? regex_matches(good->expect_regex, answer, NULL)
                                      : str_find(answer, good->expect) != STR_NONE;
    if (is_good)
        return PROBE_PASSED;
    return is_complete ? PROBE_BODY : PROBE_NONE;
}

enum probe_verdict probe_answer_judge(const struct check *check, struct str answer, bool is_complete,
                                      struct str key, struct builder *body, unsigned *status) {
    switch (check->kind) {
    case CHECK_TCP:
        return text_judge(check->good, answer, is_complete);
    case CHECK_SSL_HELLO:
        return hello_judge(answer, is_complete);
    case CHECK_HTTP:
    case CHECK_WEBSOCKET:
    case CHECK_SOCKETIO:
        break;
    }
    return head_judge(check, answer, is_complete, key, body, status);
}
