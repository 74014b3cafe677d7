#include "base/builder.h"
#include "codec/h1_grammar.h"
#include "reference_head.h"

/* Request heads: any cut gives the same; against the slow reading; written anew and read again. */

/* Both may come from different places in memory. */
static void same(const struct h1_head *a, const struct h1_head *b) {
    FUZZ_CHECK(a->fault == b->fault && a->fault_at == b->fault_at && a->len == b->len &&
               a->parsed == b->parsed);
    FUZZ_CHECK(a->target_at == b->target_at && a->target_len == b->target_len && a->path_at == b->path_at);
    FUZZ_CHECK(a->path_len == b->path_len && a->query_at == b->query_at && a->query_len == b->query_len);
    FUZZ_CHECK(a->authority_at == b->authority_at && a->authority_len == b->authority_len);
    FUZZ_CHECK(a->method == b->method && a->method_len == b->method_len && a->minor == b->minor);
    FUZZ_CHECK(a->framing == b->framing && a->content_length == b->content_length && a->seen == b->seen);
    FUZZ_CHECK(a->is_keepalive == b->is_keepalive && a->is_upgrade == b->is_upgrade);
    FUZZ_CHECK(a->expects_continue == b->expects_continue);
    FUZZ_CHECK(memcmp(a->first, b->first, sizeof a->first) == 0 && a->field_count == b->field_count);
    for (unsigned i = 0; i < a->field_count; i++)
        FUZZ_CHECK(memcmp(&a->fields[i], &b->fields[i], sizeof a->fields[i]) == 0);
}

/* Reads the first `cut` bytes alone, then all. */
static void check_cut(const struct h1_head *whole, enum codec_result verdict, struct str input, size_t cut) {
    struct h1_head head;
    struct str part = fuzz_copy(str_head(input, cut));
    h1_head_init(&head);
    enum codec_result result = h1_request_parse(&head, part.ptr, part.len);
    fuzz_drop(part);
    if (result == CODEC_MORE) {
        FUZZ_CHECK(head.parsed <= cut && head.scanned <= cut);
        result = h1_request_parse(&head, input.ptr, input.len);
    }
    FUZZ_CHECK(result == verdict);
    if (result != CODEC_MORE)
        same(whole, &head);
}

static void check_bytewise(const struct h1_head *whole, enum codec_result verdict, struct str input) {
    struct h1_head head;
    enum codec_result result = CODEC_MORE;
    h1_head_init(&head);
    for (size_t len = 0; len <= input.len && result == CODEC_MORE; len++)
        result = h1_request_parse(&head, input.ptr, len);
    FUZZ_CHECK(result == verdict);
    if (result != CODEC_MORE)
        same(whole, &head);
}

/* Is the target one of the four forms but CONNECT's? Fills in its parts. */
static bool target_is_right(struct str target, struct str method, struct str parts[3]) {
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == '#' || target.ptr[i] == 0x7f)
            return false;
    parts[0] = parts[2] = str_make(NULL, 0);
    if (str_eq(target, STR("*"))) {
        parts[1] = target;
        return str_eq(method, STR("OPTIONS"));
    }
    struct str path = target;
    if (str_starts_nocase(target, STR("http://")) || str_starts_nocase(target, STR("https://"))) {
        path = str_from(target, str_find(target, STR("//")) + 2);
        size_t len = 0;
        while (len < path.len && path.ptr[len] != '/' && path.ptr[len] != '?')
            len++;
        parts[0] = str_head(path, len);
        path = str_from(path, len);
        if (!h1_is_host(parts[0]))
            return false;
    } else if (!str_starts(target, STR("/"))) {
        return false;
    }
    size_t mark = str_find_char(path, '?');
    parts[1] = str_head(path, mark);
    if (mark != STR_NONE)
        parts[2] = str_make(path.ptr + mark + 1, path.len - mark - 1);
    return true;
}

static bool start_is_right(struct reference_head *head, struct str words[3], struct str parts[3]) {
    struct str rest = head->start;
    for (unsigned i = 0; i < 3; i++)
        if (!str_split(&rest, ' ', &words[i]))
            return false;
    if (rest.ptr || !reference_is_token(words[0]) || str_eq(words[0], STR("CONNECT")))
        return false;
    head->minor = str_eq(words[2], STR("HTTP/1.1"));
    return (head->minor || str_eq(words[2], STR("HTTP/1.0"))) && target_is_right(words[1], words[0], parts);
}

static bool host_is_right(const struct reference_head *head) {
    unsigned hosts = reference_count(head, STR("host"));
    return hosts <= 1 && (hosts || head->minor == 0) &&
           (!hosts || h1_is_host(reference_value(head, STR("host"))));
}

/* Of these there is one at most. */
static bool singles_are_right(const struct reference_head *head) {
    static const char *const names[] = {"authorization", "content-range",      "expect",
                                        "if-match",      "if-modified-since",  "if-none-match",
                                        "if-range",      "if-unmodified-since"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (reference_count(head, str_of(names[i])) > 1)
            return false;
    return true;
}

static void check_parts(const struct h1_head *head, const struct str words[3], const struct str parts[3]) {
    FUZZ_CHECK(str_eq(h1_head_method(head), words[0]));
    FUZZ_CHECK(str_eq(str_make(head->base + head->target_at, head->target_len), words[1]));
    FUZZ_CHECK(str_eq(str_make(head->base + head->authority_at, head->authority_len), parts[0]));
    FUZZ_CHECK(str_eq(str_make(head->base + head->path_at, head->path_len), parts[1]));
    FUZZ_CHECK((head->query_at != 0) == (parts[2].ptr != NULL) && str_eq(h1_head_query(head), parts[2]));
}

static void check_reference(const struct h1_head *head, enum codec_result verdict, struct str input) {
    static struct reference_head reference;
    struct str words[3], parts[3];
    enum h1_framing framing;
    uint64_t length;
    bool is_right;
    if (!reference_lines(&reference, input, &is_right)) {
        FUZZ_CHECK(verdict != CODEC_DONE);
        return;
    }
    is_right = is_right && start_is_right(&reference, words, parts) && host_is_right(&reference) &&
               singles_are_right(&reference) && reference_framing(&reference, &framing, &length);
    FUZZ_CHECK(verdict == (is_right ? CODEC_DONE : CODEC_BAD));
    if (!is_right)
        return;
    FUZZ_CHECK(head->len == input.len - reference.rest.len);
    reference_compare(&reference, head);
    check_parts(head, words, parts);
    FUZZ_CHECK(head->framing == framing && head->content_length == length);
    FUZZ_CHECK(h1_head_lists(head, H1_TE, STR("trailers")) ==
               reference_lists(&reference, STR("te"), STR("trailers")));
}

/* The head as a proxy would write it reads as the same head. */
static void check_written(const struct h1_head *head) {
    size_t room = head->len * 2 + 1024;
    char *memory = mem_alloc(room);
    struct builder out = builder_make(memory, room);
    struct h1_head again;
    builder_str(&out, str_make(head->base, head->target_at + head->target_len));
    builder_format(&out, " HTTP/1.%u\r\n", head->minor);
    for (unsigned i = 0; i < head->field_count; i++) {
        builder_str(&out, h1_field_name(head, &head->fields[i]));
        builder_str(&out, STR(": "));
        builder_str(&out, h1_field_value(head, &head->fields[i]));
        builder_str(&out, STR("\r\n"));
    }
    builder_str(&out, STR("\r\n"));
    FUZZ_CHECK(!out.overflow);
    h1_head_init(&again);
    FUZZ_CHECK(h1_request_parse(&again, out.ptr, out.len) == CODEC_DONE && again.len == out.len);
    FUZZ_CHECK(again.seen == head->seen && again.framing == head->framing &&
               again.field_count == head->field_count);
    for (unsigned i = 0; i < head->field_count; i++)
        FUZZ_CHECK(str_eq(h1_field_value(&again, &again.fields[i]), h1_field_value(head, &head->fields[i])));
    mem_free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size);
    struct h1_head head;
    h1_head_init(&head);
    enum codec_result verdict = h1_request_parse(&head, input.ptr, input.len);
    for (unsigned turn = 0; turn < 4; turn++)
        check_cut(&head, verdict, input, fuzz_cut(input, turn));
    if (size < 4096)
        check_bytewise(&head, verdict, input);
    check_reference(&head, verdict, input);
    if (verdict == CODEC_DONE)
        check_written(&head);
    return 0;
}
