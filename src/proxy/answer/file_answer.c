#include "proxy/answer/file_answer.h"

#include "codec/http_date.h"
#include "codec/range.h"
#include "loop/random.h"
#include "proxy/answer/addition.h"
#include "proxy/answer/local.h"
#include "proxy/answer/media_type.h"

enum { HEADERS_MAX_BYTES = 2048, PART_SLACK = 512, RANGES_MAX = 64, MULTIPART_MAX_BYTES = 1 << 20 };

struct opened {
    int fd; /* -1 once the answer has it */
    const struct file_info *info;
    struct str tag; /* empty: etag off */
};

/* Conditions and ranges are for a 200: an error page is sent as it is. */
static bool is_ordinary(const struct exchange *x) {
    return x->answer_status == 0 || x->answer_status == 200;
}

static void etag_build(struct builder *out, const struct file_info *info) {
    builder_char(out, '"');
    builder_hex(out, info->modified_s);
    builder_char(out, '-');
    builder_hex(out, info->size);
    builder_char(out, '"');
}

/* Is the tag in the list, or the list "*"? A weak one is only when is_weak (RFC 9110 8.8.3.2). */
static bool tag_is_listed(struct str list, struct str tag, bool is_weak) {
    if (str_eq(list, STR("*")))
        return true;
    for (struct str part; tag.len && str_split(&list, ',', &part);) {
        part = str_trim(part);
        if (is_weak && str_starts(part, STR("W/")))
            part = str_from(part, 2);
        if (str_eq(part, tag))
            return true;
    }
    return false;
}

static bool is_modified(const struct exchange *x, uint64_t modified_s) {
    uint64_t date;
    if (exchange_policy(x)->modified_since == MODIFIED_IGNORED ||
        !http_date_parse(h1_head_value(x->request, H1_IF_MODIFIED_SINCE), &date))
        return true;
    return date != modified_s && (exchange_policy(x)->modified_since == MODIFIED_EXACT || date < modified_s);
}

/* What the conditions make of a 200. Where both ask whether it has changed, both must say no (nginx). */
static unsigned conditions_status(const struct exchange *x, const struct opened *file) {
    const struct h1_head *request = x->request;
    bool has_date = h1_head_has(request, H1_IF_MODIFIED_SINCE);
    bool has_tags = h1_head_has(request, H1_IF_NONE_MATCH);
    uint64_t date;
    if (h1_head_has(request, H1_IF_UNMODIFIED_SINCE) &&
        (!http_date_parse(h1_head_value(request, H1_IF_UNMODIFIED_SINCE), &date) ||
         file->info->modified_s > date))
        return 412;
    if (h1_head_has(request, H1_IF_MATCH) &&
        !tag_is_listed(h1_head_value(request, H1_IF_MATCH), file->tag, false))
        return 412;
    if (has_date && is_modified(x, file->info->modified_s))
        return 200;
    if (has_tags && !tag_is_listed(h1_head_value(request, H1_IF_NONE_MATCH), file->tag, true))
        return 200;
    return has_date || has_tags ? 304 : 200;
}

/* Range counts only when If-Range, if there, names what we have. */
static bool range_counts(const struct exchange *x, const struct opened *file) {
    const struct h1_head *request = x->request;
    uint64_t date;
    if (!h1_head_has(request, H1_RANGE))
        return false;
    if (!h1_head_has(request, H1_IF_RANGE))
        return true;
    struct str condition = h1_head_value(request, H1_IF_RANGE);
    if (condition.len > 1 && condition.ptr[condition.len - 1] == '"')
        return str_eq(condition, file->tag);
    return http_date_parse(condition, &date) && date == file->info->modified_s;
}

static void content_range_build(struct builder *out, const struct range *range, uint64_t size) {
    builder_format(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)range->from,
                   (unsigned long long)range->to, (unsigned long long)size);
}

/* Several ranges: multipart/byteranges, put together in memory; false when that would be too much, then all is
 * served. */
static bool multipart_prepare(struct exchange *x, const struct opened *file, const struct range *ranges,
                              unsigned count) {
    uint64_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += ranges[i].to - ranges[i].from + 1 + PART_SLACK;
    if (total > MULTIPART_MAX_BYTES)
        return false;
    char *memory = arena_alloc(&x->arena, (size_t)total + PART_SLACK);
    char *type = arena_alloc(&x->arena, PART_SLACK);
    if (!memory || !type)
        return false;
    struct builder body = builder_make(memory, (size_t)total + PART_SLACK),
                   head = builder_make(type, PART_SLACK);
    unsigned long long boundary = random_u64();
    builder_format(&head, "multipart/byteranges; boundary=%020llu", boundary);
    for (unsigned i = 0; i < count; i++) {
        builder_format(&body, "\r\n--%020llu\r\nContent-Type: %.*s\r\n", boundary,
                       STR_ARG(x->local.content_type));
        content_range_build(&body, &ranges[i], file->info->size);
        builder_str(&body, STR("\r\n"));
        size_t len = (size_t)(ranges[i].to - ranges[i].from + 1);
        if (body.overflow || len > body.capacity - body.len ||
            file_read(file->fd, body.ptr + body.len, len, ranges[i].from) != (ssize_t)len)
            return false;
        body.len += len;
    }
    builder_format(&body, "\r\n--%020llu--\r\n", boundary);
    if (body.overflow || head.overflow)
        return false;
    x->local.content_type = builder_view(&head);
    x->local.body = builder_view(&body);
    x->local.status = 206;
    return true;
}

static void unsatisfiable_prepare(struct exchange *x, struct builder *headers, uint64_t size) {
    headers->len = 0;
    builder_format(headers, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
    addition_build(x, headers, 200); /* nginx sees the range when these are there already */
    local_prepare_status(x, 416);
}

static enum range_verdict ranges_find(struct exchange *x, const struct opened *file, struct range *ranges,
                                      unsigned *count) {
    uint64_t most = exchange_policy(x)->max_ranges;
    if (!is_ordinary(x) || most == 0 || !range_counts(x, file))
        return RANGE_NONE;
    return range_parse(h1_head_value(x->request, H1_RANGE), file->info->size, ranges,
                       most < RANGES_MAX ? (unsigned)most : RANGES_MAX, count);
}

/* The body: the whole file, or what Range asks of it. */
static void body_prepare(struct exchange *x, struct opened *file, struct builder *headers) {
    struct local *local = &x->local;
    struct range ranges[RANGES_MAX];
    unsigned count = 0;
    enum range_verdict verdict = ranges_find(x, file, ranges, &count);
    local->status = 200;
    local->file_at = 0;
    local->file_end = file->info->size;
    if (verdict == RANGE_UNSATISFIABLE) {
        unsatisfiable_prepare(x, headers, file->info->size);
        return;
    }
    if (verdict == RANGE_SOME && count > 1 && multipart_prepare(x, file, ranges, count))
        return;
    if (verdict == RANGE_SOME && count == 1) {
        local->status = 206;
        content_range_build(headers, &ranges[0], file->info->size);
        local->file_at = ranges[0].from;
        local->file_end = ranges[0].to + 1;
    } else if (is_ordinary(x) && exchange_policy(x)->max_ranges) {
        builder_str(headers, STR("Accept-Ranges: bytes\r\n"));
    }
    local->file = file->fd;
    file->fd = -1;
}

static void head_prepare(struct exchange *x, const struct opened *file, struct builder *headers) {
    unsigned status = x->answer_status ? x->answer_status : 200;
    if (is_ordinary(x) && !addition_replaces(x, H1_LAST_MODIFIED, status)) {
        builder_str(headers, STR("Last-Modified: "));
        http_date_build(headers, file->info->modified_s);
        builder_str(headers, STR("\r\n"));
    }
    if (file->tag.len == 0 || addition_replaces(x, H1_ETAG, status))
        return;
    builder_str(headers, STR("ETag: "));
    builder_str(headers, file->tag);
    builder_str(headers, STR("\r\n"));
}

void file_answer_prepare(struct exchange *x, int fd, const struct file_info *info) {
    char tag_memory[64];
    char *memory = arena_alloc(&x->arena, HEADERS_MAX_BYTES);
    struct builder headers = builder_make(memory, memory ? HEADERS_MAX_BYTES : 0);
    struct builder tag = builder_make(tag_memory, sizeof tag_memory);
    if (exchange_policy(x)->has_etag)
        etag_build(&tag, info);
    struct opened file = {.fd = fd, .info = info, .tag = builder_view(&tag)};
    unsigned status = is_ordinary(x) ? conditions_status(x, &file) : 200;
    x->local.content_type = media_type_find(exchange_policy(x), x->path);
    if (status == 412) {
        local_prepare_status(x, 412);
    } else {
        x->local.status = status;
        x->local.modified_s = is_ordinary(x) ? info->modified_s : 0;
        head_prepare(x, &file, &headers);
        if (status == 200)
            body_prepare(x, &file, &headers);
    }
    x->local.headers = builder_view(&headers);
    if (file.fd >= 0)
        file_close(file.fd);
    if (headers.overflow) {
        local_close(x);
        x->why = WHY_NO_MEMORY;
    }
}
