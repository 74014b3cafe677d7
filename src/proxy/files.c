#include "proxy/files.h"

#include "codec/http_date.h"
#include "codec/range.h"
#include "codec/uri.h"
#include "loop/random.h"
#include "net/file.h"
#include "proxy/local.h"
#include "proxy/media_type.h"
#include "proxy/variables.h"

#include <errno.h>

enum {
    PATH_MAX_BYTES = 4096,
    HEADERS_MAX_BYTES = 1024,
    PART_SLACK = 512,
    RANGES_MAX = 64,
    MULTIPART_MAX_BYTES = 1 << 20
};

struct candidate {
    char root[PATH_MAX_BYTES], path[PATH_MAX_BYTES]; /* NUL-terminated */
    struct file_info info;
    int file;
};

static void refuse(struct exchange *x, enum why why) {
    x->why = why;
}

static bool text_end(struct builder *out) {
    builder_char(out, '\0');
    return !out->overflow;
}

static bool root_find(struct exchange *x, struct candidate *c) {
    struct builder root = builder_make(c->root, sizeof c->root);
    template_eval(x, &exchange_policy(x)->root, &root);
    return text_end(&root);
}

/* Opens path + name under the root; the answer's errno decides between 404 and 403. */
static int candidate_open(struct candidate *c, struct str path, struct str name) {
    struct builder out = builder_make(c->path, sizeof c->path);
    while (path.len && path.ptr[0] == '/')
        path = str_from(path, 1);
    builder_str(&out, path);
    builder_str(&out, name);
    if (out.len == 0)
        builder_char(&out, '.');
    if (!text_end(&out))
        return -ENAMETOOLONG;
    c->file = file_open(c->root, c->path, &c->info);
    return c->file < 0 ? c->file : 0;
}

static enum why error_why(int error) {
    switch (-error) {
    case EACCES:
    case EPERM:
        return WHY_FORBIDDEN;
    case EMFILE:
    case ENFILE:
        return WHY_NO_DESCRIPTOR;
    case ENOMEM:
        return WHY_NO_MEMORY;
    default:
        return WHY_NOT_FOUND;
    }
}

/* The index file of a directory. */
static int index_open(struct exchange *x, struct candidate *c) {
    const struct policy *policy = exchange_policy(x);
    static const struct template_part index_part = {.text = {"index.html", 10}};
    static const struct template index_default = {(struct template_part *)(uintptr_t)&index_part, 1};
    size_t count = policy->indexes.count ? policy->indexes.count : 1;
    for (size_t i = 0; i < count; i++) {
        struct str name =
            template_eval_copy(x, policy->indexes.count ? &policy->indexes.items[i] : &index_default);
        if (!name.ptr)
            return -ENOMEM;
        int error = candidate_open(c, x->path, name);
        if (error == 0 && c->info.is_regular)
            return 0;
        if (error == 0) {
            file_close(c->file);
            c->file = -1;
        } else if (error != -ENOENT && error != -ENOTDIR) {
            return error;
        }
    }
    int error = candidate_open(c, x->path, STR(""));
    if (error)
        return error;
    bool is_directory = c->info.is_directory;
    file_close(c->file);
    c->file = -1;
    return is_directory ? -EACCES : -ENOENT; /* a directory without an index is not listed */
}

static void etag_build(struct builder *out, const struct file_info *info) {
    builder_char(out, '"');
    builder_hex(out, info->modified_s);
    builder_char(out, '-');
    builder_hex(out, info->size);
    builder_char(out, '"');
}

/* Is the tag in the list, or the list "*"? A weak tag counts only where that is enough, RFC 9110 8.8.3.2. */
static bool tag_is_listed(struct str list, struct str tag, bool takes_weak) {
    for (struct str part; str_split(&list, ',', &part);) {
        part = str_trim(part);
        if (takes_weak && str_starts(part, STR("W/")))
            part = str_from(part, 2);
        if (str_eq(part, STR("*")) || str_eq(part, tag))
            return true;
    }
    return false;
}

/* Was it modified at another time than the field says? nginx's `if_modified_since exact`. */
static bool is_modified(const struct h1_head *request, const struct file_info *info) {
    uint64_t date;
    return !http_date_parse(h1_head_value(request, H1_IF_MODIFIED_SINCE), &date) || info->modified_s != date;
}

/* What the conditions make of a 200. As in nginx each that is there has to hold, where RFC 9110 13.2.2 lets the
 * tags alone decide. */
static unsigned conditions_status(const struct exchange *x, const struct file_info *info, struct str tag) {
    const struct h1_head *request = x->request;
    uint64_t date;
    if (h1_head_has(request, H1_IF_UNMODIFIED_SINCE) &&
        http_date_parse(h1_head_value(request, H1_IF_UNMODIFIED_SINCE), &date) && info->modified_s > date)
        return 412;
    if (h1_head_has(request, H1_IF_MATCH) && !tag_is_listed(h1_head_value(request, H1_IF_MATCH), tag, false))
        return 412;
    bool has_date = h1_head_has(request, H1_IF_MODIFIED_SINCE),
         has_tag = h1_head_has(request, H1_IF_NONE_MATCH);
    if ((!has_date && !has_tag) || (has_date && is_modified(request, info)))
        return 200;
    return !has_tag || tag_is_listed(h1_head_value(request, H1_IF_NONE_MATCH), tag, true) ? 304 : 200;
}

/* Range counts only when If-Range, if there, names what we have. */
static bool range_counts(const struct exchange *x, const struct file_info *info, struct str tag) {
    const struct h1_head *request = x->request;
    uint64_t date;
    if (!h1_head_has(request, H1_RANGE))
        return false;
    if (!h1_head_has(request, H1_IF_RANGE))
        return true;
    struct str condition = h1_head_value(request, H1_IF_RANGE);
    if (condition.len && condition.ptr[0] == '"')
        return str_eq(condition, tag);
    return http_date_parse(condition, &date) && date == info->modified_s;
}

static void content_range_build(struct builder *out, const struct range *range, uint64_t size) {
    builder_format(out, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)range->from,
                   (unsigned long long)range->to, (unsigned long long)size);
}

/* Several ranges: multipart/byteranges, put together in memory; false when that would be too much, then all is
 * served. */
static bool multipart_prepare(struct exchange *x, const struct candidate *c, const struct range *ranges,
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
        content_range_build(&body, &ranges[i], c->info.size);
        builder_str(&body, STR("\r\n"));
        size_t len = (size_t)(ranges[i].to - ranges[i].from + 1);
        if (body.overflow || len > body.capacity - body.len ||
            file_read(c->file, body.ptr + body.len, len, ranges[i].from) != (ssize_t)len)
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

/* Conditions and ranges are for a 200: an error page is sent as it is. */
static bool is_ordinary(const struct exchange *x) {
    return x->answer_status == 0 || x->answer_status == 200;
}

static void unsatisfiable_prepare(struct exchange *x, struct builder *headers, uint64_t size) {
    headers->len = 0;
    builder_format(headers, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
    local_prepare_status(x, 416);
}

/* The body: the whole file, or what Range asks of it. */
static void body_prepare(struct exchange *x, struct candidate *c, struct builder *headers, struct str tag) {
    struct local *local = &x->local;
    struct range ranges[RANGES_MAX];
    unsigned count = 0;
    enum range_verdict verdict = RANGE_NONE;
    local->status = 200;
    local->file_at = 0;
    local->file_end = c->info.size;
    if (is_ordinary(x) && range_counts(x, &c->info, tag))
        verdict = range_parse(h1_head_value(x->request, H1_RANGE), c->info.size, ranges, RANGES_MAX, &count);
    if (verdict == RANGE_UNSATISFIABLE) {
        unsatisfiable_prepare(x, headers, c->info.size);
        return;
    }
    if (verdict == RANGE_SOME && count > 1 && multipart_prepare(x, c, ranges, count))
        return;
    if (verdict == RANGE_SOME && count == 1) {
        local->status = 206;
        content_range_build(headers, &ranges[0], c->info.size);
        local->file_at = ranges[0].from;
        local->file_end = ranges[0].to + 1;
    } else if (is_ordinary(x)) {
        builder_str(headers, STR("Accept-Ranges: bytes\r\n"));
    }
    local->file = c->file;
    c->file = -1;
}

static void file_prepare(struct exchange *x, struct candidate *c) {
    struct local *local = &x->local;
    char tag_memory[64];
    char *memory = arena_alloc(&x->arena, HEADERS_MAX_BYTES);
    struct builder headers = builder_make(memory, memory ? HEADERS_MAX_BYTES : 0);
    struct builder tag = builder_make(tag_memory, sizeof tag_memory);
    etag_build(&tag, &c->info);
    if (is_ordinary(x)) {
        builder_str(&headers, STR("Last-Modified: "));
        http_date_build(&headers, c->info.modified_s);
        builder_str(&headers, STR("\r\n"));
    }
    builder_str(&headers, STR("ETag: "));
    builder_str(&headers, builder_view(&tag));
    builder_str(&headers, STR("\r\n"));
    local->content_type = media_type_find(x, str_of(c->path));
    unsigned status = is_ordinary(x) ? conditions_status(x, &c->info, builder_view(&tag)) : 200;
    if (status == 200) {
        body_prepare(x, c, &headers, builder_view(&tag));
    } else {
        local->status = status;
        if (status == 412) {
            headers.len = 0;
            local_prepare_status(x, 412);
        }
    }
    local->headers = builder_view(&headers);
    if (headers.overflow)
        refuse(x, WHY_NO_MEMORY);
}

/* A directory asked for without its slash: 301 to where it is, nginx's way. */
static void directory_redirect(struct exchange *x) {
    char *memory = arena_alloc(&x->arena, x->path.len * 3 + x->args.len + 3);
    if (!memory) {
        refuse(x, WHY_NO_MEMORY);
        return;
    }
    struct builder target = builder_make(memory, x->path.len * 3 + x->args.len + 3);
    uri_encode_path(&target, x->path);
    builder_char(&target, '/');
    if (x->args.len) {
        builder_char(&target, '?');
        builder_str(&target, x->args);
    }
    if (target.overflow || !local_prepare_redirect(x, 301, builder_view(&target)))
        refuse(x, WHY_NO_MEMORY);
}

void files_prepare(struct exchange *x) {
    struct candidate c = {.file = -1};
    if (x->method != H1_GET && x->method != H1_HEAD) {
        refuse(x, WHY_BAD_METHOD);
        return;
    }
    bool is_directory_asked = x->path.ptr[x->path.len - 1] == '/';
    int error = -ENAMETOOLONG;
    if (root_find(x, &c))
        error = is_directory_asked ? index_open(x, &c) : candidate_open(&c, x->path, STR(""));
    if (error) {
        refuse(x, error_why(error));
    } else if (c.info.is_directory) {
        directory_redirect(x);
    } else {
        file_prepare(x, &c);
    }
    if (c.file >= 0)
        file_close(c.file);
}
