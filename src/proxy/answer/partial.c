#include "proxy/answer/partial.h"

#include "codec/http_date.h"
#include "codec/range.h"
#include "proxy/answer/addition.h"

/* If-Range names what the server has: its very tag, or its very date. */
static bool is_unchanged(const struct exchange *x) {
    struct str condition = h1_head_value(x->request, H1_IF_RANGE);
    uint64_t wanted, modified;
    if (!h1_head_has(x->request, H1_IF_RANGE))
        return true;
    if (condition.len > 1 && condition.ptr[condition.len - 1] == '"')
        return str_eq(condition, h1_head_value(x->response, H1_ETAG));
    return http_date_parse(condition, &wanted) &&
           http_date_parse(h1_head_value(x->response, H1_LAST_MODIFIED), &modified) && wanted == modified;
}

/* A 200 whose length is known. */
static bool is_eligible(const struct exchange *x) {
    return exchange_policy(x)->proxy.forces_ranges && exchange_policy(x)->max_ranges &&
           x->response->status == 200 && (x->answer_status == 0 || x->answer_status == 200) &&
           h1_head_has(x->response, H1_CONTENT_LENGTH);
}

bool partial_begin(struct exchange *x) {
    struct range range;
    unsigned count = 0;
    if (!is_eligible(x))
        return true;
    uint64_t size = x->response->content_length;
    struct partial *partial = x->down.partial = arena_zero(&x->arena, 1, sizeof *partial);
    if (!partial)
        return true;
    *partial = (struct partial){.end = size, .size = size, .is_whole = true};
    if (!h1_head_has(x->request, H1_RANGE) || !is_unchanged(x))
        return true;
    switch (range_parse(h1_head_value(x->request, H1_RANGE), size, &range, 1, &count)) {
    case RANGE_NONE:
        return true;
    case RANGE_UNSATISFIABLE:
        return false;
    case RANGE_SOME:
        break;
    }
    *partial = (struct partial){.from = range.from, .end = range.to + 1, .size = size};
    return true;
}

struct str partial_refusal(struct exchange *x) {
    enum { ROOM = 4096 };
    char *memory = arena_alloc(&x->arena, ROOM);
    struct builder out = builder_make(memory, memory ? ROOM : 0);
    builder_format(&out, "Content-Range: bytes */%llu\r\n", (unsigned long long)x->down.partial->size);
    addition_build(x, &out, 200); /* nginx sees the range when these are there already */
    x->down.partial = NULL;
    return out.overflow ? STR("") : builder_view(&out);
}

void partial_build(const struct exchange *x, struct builder *out) {
    const struct partial *partial = x->down.partial;
    if (partial->is_whole) {
        builder_str(out, STR("Accept-Ranges: bytes\r\n"));
        return;
    }
    if (x->down.framing == H1_LENGTH || x->down.framing == H1_NO_BODY)
        builder_format(out, "Content-Length: %llu\r\n", (unsigned long long)(partial->end - partial->from));
    builder_format(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)partial->from,
                   (unsigned long long)partial->end - 1, (unsigned long long)partial->size);
}

struct str partial_take(struct partial *partial, struct str slice) {
    uint64_t begin = partial->at, end = begin + slice.len;
    partial->at = end;
    if (end <= partial->from || begin >= partial->end)
        return STR("");
    if (end > partial->end)
        slice.len -= (size_t)(end - partial->end);
    return begin < partial->from ? str_from(slice, (size_t)(partial->from - begin)) : slice;
}
