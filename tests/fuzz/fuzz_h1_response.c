#include "reference_head.h"

/* Response heads; the first byte chooses the request's method. */

static enum codec_result parse_cut(struct h1_head *head, struct str input, size_t cut, enum h1_method method) {
    struct str part = fuzz_copy(str_head(input, cut));
    h1_head_init(head);
    enum codec_result result = h1_response_parse(head, part.ptr, part.len, method);
    fuzz_drop(part);
    if (result == CODEC_MORE)
        result = h1_response_parse(head, input.ptr, input.len, method);
    return result;
}

static void same(const struct h1_head *a, const struct h1_head *b) {
    FUZZ_CHECK(a->fault == b->fault && a->fault_at == b->fault_at && a->len == b->len &&
               a->parsed == b->parsed);
    FUZZ_CHECK(a->status == b->status && a->minor == b->minor && a->reason_at == b->reason_at);
    FUZZ_CHECK(a->reason_len == b->reason_len && a->framing == b->framing &&
               a->content_length == b->content_length);
    FUZZ_CHECK(a->seen == b->seen && a->is_keepalive == b->is_keepalive && a->is_upgrade == b->is_upgrade);
    FUZZ_CHECK(memcmp(a->first, b->first, sizeof a->first) == 0 && a->field_count == b->field_count);
    for (unsigned i = 0; i < a->field_count; i++)
        FUZZ_CHECK(memcmp(&a->fields[i], &b->fields[i], sizeof a->fields[i]) == 0);
}

static bool start_is_right(struct reference_head *head, unsigned *status, struct str *reason) {
    struct str line = head->start;
    if (line.len < 12 || !str_starts(line, STR("HTTP/1.")) || (line.ptr[7] != '0' && line.ptr[7] != '1') ||
        line.ptr[8] != ' ' || (line.len > 12 && line.ptr[12] != ' '))
        return false;
    head->minor = line.ptr[7] == '1';
    *status = 0;
    for (unsigned i = 9; i < 12; i++) {
        if (line.ptr[i] < '0' || line.ptr[i] > '9')
            return false;
        *status = *status * 10 + (unsigned)(line.ptr[i] - '0');
    }
    *reason = str_from(line, 13);
    return *status >= 100;
}

static void check_reference(const struct h1_head *head, enum codec_result verdict, struct str input,
                            enum h1_method method) {
    static struct reference_head reference;
    struct str reason;
    unsigned status;
    enum h1_framing framing;
    uint64_t length;
    bool is_right;
    if (!reference_lines(&reference, input, &is_right)) {
        FUZZ_CHECK(verdict != CODEC_DONE);
        return;
    }
    is_right = is_right && start_is_right(&reference, &status, &reason) &&
               reference_framing(&reference, &framing, &length);
    FUZZ_CHECK(verdict == (is_right ? CODEC_DONE : CODEC_BAD));
    if (!is_right)
        return;
    FUZZ_CHECK(head->len == input.len - reference.rest.len);
    reference_compare(&reference, head);
    FUZZ_CHECK(head->status == status &&
               str_eq(str_make(head->base + head->reason_at, head->reason_len), reason));
    if (method == H1_HEAD || status / 100 == 1 || status == 204 || status == 304)
        FUZZ_CHECK(head->framing == H1_NO_BODY);
    else
        FUZZ_CHECK(head->framing == (framing == H1_NO_BODY ? H1_UNTIL_CLOSE : framing));
    FUZZ_CHECK(head->content_length == length);
    FUZZ_CHECK(head->framing != H1_UNTIL_CLOSE || !head->is_keepalive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    enum h1_method method = fuzz_byte(&input) & 1 ? H1_HEAD : H1_GET;
    struct h1_head head, other;
    enum codec_result verdict = parse_cut(&head, input, input.len, method);
    for (unsigned turn = 0; turn < 4; turn++) {
        FUZZ_CHECK(parse_cut(&other, input, fuzz_cut(input, turn), method) == verdict);
        if (verdict != CODEC_MORE)
            same(&head, &other);
    }
    enum codec_result result = CODEC_MORE;
    h1_head_init(&other);
    for (size_t len = 0; len <= input.len && size < 4096 && result == CODEC_MORE; len++)
        result = h1_response_parse(&other, input.ptr, len, method);
    if (size < 4096)
        FUZZ_CHECK(result == verdict);
    h1_head_init(&head);
    verdict = h1_response_parse(&head, input.ptr, input.len, method);
    check_reference(&head, verdict, input, method);
    return 0;
}
