#include "proxy/answer/addition.h"

#include "codec/http_date.h"
#include "loop/clock.h"
#include "proxy/head/field.h"
#include "proxy/variable/variables.h"

enum { DAY_S = 86400 };

/* nginx: these get what does not say `always`. */
static bool is_safe(unsigned status) {
    switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

/* *seen: what stands in `out` from `from` on, which the next line may name by a variable. */
static void rules_build(struct exchange *x, struct builder *out, const struct header_rules *list, bool safe,
                        struct str *seen, size_t from) {
    for (; list; list = list->outer)
        for (size_t i = 0; i < list->rules.count; i++)
            if (safe || list->rules.items[i].is_always) {
                *seen = str_from(builder_view(out), from);
                field_build_rule(x, out, &list->rules.items[i]);
            }
}

/* ---- expires ---- */

static bool has_expires(const struct exchange *x, unsigned status) {
    const struct expires *expires = &exchange_policy(x)->expires;
    return (expires->kind != EXPIRES_OFF || !template_is_empty(&expires->value)) && is_safe(status);
}

/* What holds for this answer: a variable may say "off", or nothing that can be read. */
static struct expires expires_find(struct exchange *x) {
    struct expires expires = exchange_policy(x)->expires;
    if (template_is_empty(&expires.value))
        return expires;
    char memory[256];
    struct builder text = builder_make(memory, sizeof memory);
    template_eval(x, &expires.value, &text);
    if (text.overflow || expires_parse(&expires, builder_view(&text)))
        expires.kind = EXPIRES_OFF;
    return expires;
}

/* Seconds that our clock is ahead of UTC: the end of "21/Nov/2026:10:00:00 +0100". */
static int64_t zone_seconds(struct exchange *x) {
    engine_date_update(x->engine);
    struct str date = str_of(x->engine->date_log), zone = str_from(date, date.len - 5);
    uint64_t digits = 0;
    if (date.len < 5 || !str_to_u64(str_from(zone, 1), &digits))
        return 0;
    int64_t seconds = (int64_t)(digits / 100 * 3600 + digits % 100 * 60);
    return zone.ptr[0] == '-' ? -seconds : seconds;
}

/* The next time that it is so late in the day. */
static int64_t next_time(struct exchange *x, int64_t now_s, int64_t of_day_s) {
    int64_t zone_s = zone_seconds(x), local_s = now_s + zone_s;
    int64_t at_s = local_s - local_s % DAY_S + of_day_s - zone_s;
    return at_s > now_s ? at_s : at_s + DAY_S;
}

static void fields_build(struct builder *out, int64_t at_s, int64_t age_s) {
    builder_str(out, STR("Expires: "));
    http_date_build(out, at_s > 0 ? (uint64_t)at_s : 0);
    if (age_s < 0)
        builder_str(out, STR("\r\nCache-Control: no-cache\r\n"));
    else
        builder_format(out, "\r\nCache-Control: max-age=%lld\r\n", (long long)age_s);
}

static uint64_t modified_find(const struct exchange *x) {
    uint64_t modified_s = x->local.modified_s;
    if (x->response && http_date_parse(h1_head_value(x->response, H1_LAST_MODIFIED), &modified_s))
        return modified_s;
    return x->local.modified_s;
}

static void expires_build(struct exchange *x, struct builder *out) {
    struct expires expires = expires_find(x);
    int64_t now_s = (int64_t)(clock_wall_ms() / 1000), from_s = now_s, at_s;
    switch (expires.kind) {
    case EXPIRES_OFF:
        return;
    case EXPIRES_EPOCH:
        fields_build(out, 1, -1);
        return;
    case EXPIRES_MAX:
        builder_str(out, STR("Expires: Thu, 31 Dec 2037 23:55:55 GMT\r\nCache-Control: max-age=315360000\r\n"));
        return;
    case EXPIRES_DAILY:
        at_s = next_time(x, now_s, expires.seconds);
        fields_build(out, at_s, at_s - now_s);
        return;
    case EXPIRES_MODIFIED:
        if (modified_find(x) && expires.seconds)
            from_s = (int64_t)modified_find(x);
        break;
    case EXPIRES_ACCESS:
        break;
    }
    at_s = from_s + expires.seconds;
    fields_build(out, at_s, expires.seconds < 0 ? -1 : at_s - now_s);
}

/* ---- together ---- */

void addition_build(struct exchange *x, struct builder *out, unsigned status) {
    const struct policy *policy = exchange_policy(x);
    x->sent_head = builder_view(out); /* $sent_http_NAME in what follows */
    if (has_expires(x, status))
        expires_build(x, out);
    if (policy->add_headers.rules.count)
        rules_build(x, out, &policy->add_headers, is_safe(status), &x->sent_head, 0);
}

bool addition_replaces_this(const struct exchange *x, enum h1_field_id id, unsigned status) {
    const struct policy *policy = exchange_policy(x);
    if (id == H1_EXPIRES || id == H1_CACHE_CONTROL)
        return has_expires(x, status);
    enum header_kind kind = id == H1_ETAG ? HEADER_IS_ETAG : HEADER_IS_LAST_MODIFIED;
    for (const struct header_rules *list = &policy->add_headers; list; list = list->outer)
        for (size_t i = 0; i < list->rules.count; i++)
            if (list->rules.items[i].kind == kind && (is_safe(status) || list->rules.items[i].is_always))
                return true;
    return false;
}

bool addition_has_trailers(const struct exchange *x, unsigned status) {
    const struct header_rules *list = &exchange_policy(x)->add_trailers;
    for (; list; list = list->outer)
        for (size_t i = 0; i < list->rules.count; i++)
            if (is_safe(status) || list->rules.items[i].is_always)
                return true;
    return false;
}

void addition_build_trailers(struct exchange *x, struct builder *out, unsigned status) {
    size_t from = out->len;
    rules_build(x, out, &exchange_policy(x)->add_trailers, is_safe(status), &x->sent_trailer, from);
    x->sent_trailer = x->hold->snapshot->model->keeps_sent_heads
                          ? arena_copy(&x->arena, str_from(builder_view(out), from))
                          : STR("");
}
