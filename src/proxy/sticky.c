#include "proxy/sticky.h"

#include "codec/http_date.h"
#include "loop/clock.h"
#include "proxy/head/field.h"
#include "proxy/variable/variables.h"

#include <openssl/evp.h>

enum { DIGEST_BYTES = 16 };

static struct str first_of(struct exchange *x, const struct template *templates, size_t count) {
    struct str text = STR("");
    for (size_t i = 0; i < count && !text.len; i++)
        text = template_eval_copy(x, &templates[i]);
    return text;
}

/* Sessions may have names of any length: the table holds their digests. */
static struct str session_key(struct str name, unsigned char digest[DIGEST_BYTES]) {
    EVP_Digest(name.ptr, name.len, digest, NULL, EVP_md5(), NULL);
    return str_make((const char *)digest, DIGEST_BYTES);
}

static struct sid_table *table_of(const struct exchange *x) {
    return x->hold->snapshot->sessions[x->group->upstream->sticky->zone->index];
}

static struct member *learned_pick(struct exchange *x, struct str name, uint64_t now_ms) {
    unsigned char digest[DIGEST_BYTES];
    struct sid *entry = NULL;
    struct peer *peer = NULL;
    struct sid_table *table = table_of(x);
    enum sid_verdict verdict =
        sid_find(table, x->group->upstream_hash, session_key(name, digest), now_ms, &entry, &peer);
    if (entry)
        sid_unpin(table, entry, now_ms);
    if (verdict != SID_HERE)
        return NULL;
    struct member *bound = group_find(x->group, peer);
    peer_drop(peer);
    return bound ? group_pick_id(x->group, &x->pick, str_of(bound->id), now_ms) : NULL;
}

struct member *sticky_pick(struct exchange *x) {
    const struct sticky *sticky = x->group->upstream->sticky;
    uint64_t now_ms = x->engine->loop->now_ms;
    if (!sticky)
        return NULL;
    if (x->tries == 0)
        x->sticky_text = first_of(x, sticky->lookup.items, sticky->lookup.count);
    if (!x->sticky_text.len)
        return NULL;
    return sticky->kind == STICKY_LEARN ? learned_pick(x, x->sticky_text, now_ms)
                                        : group_pick_id(x->group, &x->pick, x->sticky_text, now_ms);
}

/* A session is made by the answer that names it; one that the request names is led to who has answered now. */
static void learn(struct exchange *x, const struct sticky *sticky) {
    unsigned char digest[DIGEST_BYTES];
    uint64_t now_ms = x->engine->loop->now_ms;
    struct sid_table *table = table_of(x);
    struct str name = first_of(x, sticky->create.items, sticky->create.count);
    bool is_new = name.len > 0;
    if (!is_new)
        name = x->sticky_text;
    if (!name.len)
        return;
    struct str key = session_key(name, digest);
    if (!is_new) {
        struct sid *entry = NULL;
        struct peer *peer = NULL;
        enum sid_verdict verdict = sid_find(table, x->group->upstream_hash, key, now_ms, &entry, &peer);
        if (entry)
            sid_unpin(table, entry, now_ms);
        peer_drop(peer);
        if (verdict == SID_UNKNOWN)
            return;
    }
    enum sid_learned learned = sid_learn(table, key, x->member->peer, sticky->timeout_ms, now_ms);
    if (learned != SID_LEARNED)
        exchange_log(x, LOG_WARN, "could not allocate node in sticky session zone \"%.*s\"%s",
                     STR_ARG(sticky->zone->name),
                     learned == SID_NOT_LEARNED ? "" : ", expiring least recently used session");
}

static const struct sticky *learner_of(const struct exchange *x) {
    const struct sticky *sticky = x->group ? x->group->upstream->sticky : NULL;
    return sticky && sticky->kind == STICKY_LEARN && x->member && x->response ? sticky : NULL;
}

void sticky_answered(struct exchange *x) {
    const struct sticky *sticky = learner_of(x);
    if (sticky && sticky->learns_early)
        learn(x, sticky);
}

void sticky_end(struct exchange *x) {
    const struct sticky *sticky = learner_of(x);
    if (sticky && !sticky->learns_early && x->why == WHY_NONE)
        learn(x, sticky);
}

/* nginx's form of dates in cookies, "Thu, 31-Dec-37 23:55:55 GMT": two digits of the year while they are
 * understood. */
static void cookie_date_build(struct builder *out, uint64_t seconds) {
    enum { UNDERSTOOD_UNTIL = 2145916800, DAY_AT = 5, MONTH_AT = 8, YEAR_AT = 12, TIME_AT = 16 };
    char memory[HTTP_DATE_LEN];
    struct builder date = builder_make(memory, sizeof memory);
    http_date_build(&date, seconds);
    size_t century = seconds < UNDERSTOOD_UNTIL ? 2 : 0;
    builder_bytes(out, memory, DAY_AT + 2);
    builder_char(out, '-');
    builder_bytes(out, memory + MONTH_AT, 3);
    builder_char(out, '-');
    builder_str(out, str_make(memory + YEAR_AT + century, 4 - century));
    builder_str(out, str_from(builder_view(&date), TIME_AT));
}

static void expires_build(const struct sticky *sticky, struct builder *out) {
    if (sticky->expires_s == STICKY_EXPIRES_MAX) {
        builder_str(out, STR("; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000"));
        return;
    }
    builder_str(out, STR("; expires="));
    cookie_date_build(out, clock_wall_ms() / 1000 + sticky->expires_s);
    builder_format(out, "; max-age=%llu", (unsigned long long)sticky->expires_s);
}

static void domain_build(struct exchange *x, const struct sticky *sticky, struct builder *out) {
    size_t begin = out->len;
    builder_str(out, STR("; domain="));
    size_t value = out->len;
    template_eval(x, &sticky->domain, out);
    if (out->len == value)
        out->len = begin;
}

/* What a variable gives may be anything: strict is the safest of those there are. */
static void samesite_build(struct exchange *x, const struct sticky *sticky, struct builder *out) {
    char memory[64];
    struct builder text = builder_make(memory, sizeof memory);
    template_eval(x, &sticky->samesite, &text);
    struct str value = builder_view(&text);
    if (!value.len)
        return;
    bool is_known = str_eq_nocase(value, STR("strict")) || str_eq_nocase(value, STR("lax")) ||
                    str_eq_nocase(value, STR("none"));
    builder_str(out, STR("; samesite="));
    builder_str(out, is_known ? value : STR("strict"));
}

void sticky_build(struct exchange *x, struct builder *out) {
    const struct sticky *sticky = x->group ? x->group->upstream->sticky : NULL;
    if (!sticky || sticky->kind != STICKY_COOKIE || !x->member)
        return;
    size_t begin = out->len;
    builder_str(out, STR("Set-Cookie: "));
    builder_str(out, sticky->cookie);
    builder_char(out, '=');
    builder_str(out, str_of(x->member->id));
    if (sticky->has_expires)
        expires_build(sticky, out);
    domain_build(x, sticky, out);
    builder_str(out, sticky->is_httponly ? STR("; httponly") : STR(""));
    builder_str(out, sticky->is_secure ? STR("; secure") : STR(""));
    samesite_build(x, sticky, out);
    if (sticky->path.len) {
        builder_str(out, STR("; path="));
        builder_str(out, sticky->path);
    }
    field_blank(out, begin);
    builder_str(out, STR("\r\n"));
}
