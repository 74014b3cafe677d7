#include "proxy/head/response_field.h"

#include "proxy/answer/local.h"
#include "proxy/head/cookie.h"
#include "proxy/head/field.h"
#include "proxy/head/replace.h"

static bool names_have(const struct str *names, size_t count, struct str name) {
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(names[i], name))
            return true;
    return false;
}

/* What nginx hides by itself. */
static bool is_hidden_usually(unsigned id, struct str name) {
    switch (id) {
    case H1_DATE:
    case H1_SERVER:
    case H1_X_ACCEL_BUFFERING:
    case H1_X_ACCEL_LIMIT_RATE:
    case H1_X_ACCEL_REDIRECT:
        return true;
    case H1_OTHER:
        return name.len >= 5 && (name.ptr[0] | 0x20) == 'x' && name.ptr[1] == '-' &&
               (str_eq_nocase(name, STR("X-Accel-Expires")) || str_eq_nocase(name, STR("X-Accel-Charset")) ||
                str_eq_nocase(name, STR("X-Pad")));
    default:
        return false;
    }
}

bool response_field_passes(const struct exchange *x, unsigned id, struct str name) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    bool is_hidden = is_hidden_usually(id, name) || names_have(proxy->hidden.items, proxy->hidden.count, name);
    return !is_hidden || names_have(proxy->passed.items, proxy->passed.count, name);
}

/* Without a proxy_redirect: where proxy_pass leads is where the location is. */
static bool default_build(struct exchange *x, struct builder *out, struct str value, size_t at) {
    const struct pass *pass = x->route->pass;
    struct str rest = str_from(value, at);
    if (!pass || pass->url.len == 0 || !str_starts(rest, pass->url))
        return false;
    rest = str_from(rest, pass->url.len);
    if (!pass->has_uri) {
        if (!str_starts(rest, STR("/")))
            return false;
        rest = str_from(rest, 1);
    }
    builder_str(out, str_head(value, at));
    builder_str(out, pass->has_uri ? x->route->pattern : STR("/"));
    builder_str(out, rest);
    return true;
}

/* The value from `at` on is the redirection. False: no rule fits, and nothing is written. */
static bool redirect_build(struct exchange *x, struct builder *out, struct str value, size_t at) {
    const struct proxy_policy *proxy = &exchange_policy(x)->proxy;
    switch (proxy->redirect) {
    case REDIRECT_OFF:
        return false;
    case REDIRECT_DEFAULT:
        return default_build(x, out, value, at);
    case REDIRECT_SAID:
        break;
    }
    for (size_t i = 0; i < proxy->redirects.count; i++)
        if (replace_prefix_build(x, out, &proxy->redirects.items[i], value, at))
            return true;
    return false;
}

/* What a rule has made a path is made a URL of ours, as nginx does; a path that the server gave stays one. */
static void location_build(struct exchange *x, struct builder *out, struct str value) {
    size_t begin = out->len;
    if (!redirect_build(x, out, value, 0)) {
        builder_str(out, value);
        return;
    }
    if (out->overflow || out->len == begin || out->ptr[begin] != '/')
        return;
    struct str path = arena_copy(&x->arena, str_make(out->ptr + begin, out->len - begin));
    out->len = begin;
    local_build_location(x, out, path);
}

/* "5; url=http://..." */
static void refresh_build(struct exchange *x, struct builder *out, struct str value) {
    size_t at = 0;
    while (at + 4 <= value.len && !str_starts_nocase(str_from(value, at), STR("url=")))
        at++;
    if (at + 4 > value.len || !redirect_build(x, out, value, at + 4))
        builder_str(out, value);
}

void response_field_build(struct exchange *x, struct field_run *run, const struct h1_field *field) {
    struct str name = h1_field_name(x->response, field), value = h1_field_value(x->response, field);
    struct builder *out = run->out;
    bool is_refresh = field->id == H1_OTHER && str_eq_nocase(name, STR("Refresh"));
    if (field->id != H1_LOCATION && field->id != H1_SET_COOKIE && !is_refresh) {
        field_run_add(run, field);
        return;
    }
    field_run_end(run);
    builder_str(out, name);
    builder_str(out, STR(": "));
    size_t begin = out->len;
    if (field->id == H1_LOCATION)
        location_build(x, out, value);
    else if (is_refresh)
        refresh_build(x, out, value);
    else
        cookie_build_set(x, out, value);
    field_blank(out, begin);
    builder_str(out, STR("\r\n"));
}
