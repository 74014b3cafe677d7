#include "proxy/head/pass_url.h"

#include "proxy/naming.h"
#include "proxy/variable/variables.h"

static bool fail(struct exchange *x, const char *what, struct str url) {
    exchange_log(x, LOG_ERROR, "%s \"%.*s\"", what, STR_ARG(str_head(url, 400)));
    x->why = WHY_INTERNAL;
    return false;
}

/* "unix:/path:/uri" */
static void unix_use(struct exchange *x, struct str rest) {
    size_t end = str_find_char(rest, ':');
    x->naming_host = str_head(rest, end);
    x->is_naming_unix = true;
    x->pass_host = STR("localhost");
    x->pass_uri = end == STR_NONE ? STR("") : str_from(rest, end + 1);
}

static bool host_use(struct exchange *x, struct str address, uint16_t usual_port) {
    struct str host;
    uint16_t port;
    if (!naming_split(address, &host, &port))
        return fail(x, "invalid port in upstream", address);
    if (host.len == 0)
        return fail(x, "no host in upstream", address);
    x->pass_port = port ? port : usual_port;
    x->pass_host = x->pass_port == usual_port ? host : address;
    x->naming_host = host;
    return true;
}

static bool url_use(struct exchange *x, struct str url) {
    bool is_secure = str_starts_nocase(url, STR("https://"));
    if ((!is_secure && !str_starts_nocase(url, STR("http://"))) || is_secure != x->route->pass->is_secure)
        return fail(x, "invalid URL prefix in", url);
    struct str rest = str_from(url, is_secure ? 8 : 7);
    if (str_starts(rest, STR("unix:"))) {
        unix_use(x, str_from(rest, 5));
        return true;
    }
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    struct str address = str_head(rest, end);
    x->pass_uri = str_from(rest, end);
    const struct upstream *upstream = model_find_upstream(x->hold->snapshot->model, address, false);
    if (!upstream)
        return host_use(x, address, is_secure ? 443 : 80);
    x->pass_host = address;
    exchange_use_group(x, engine_group(x->hold, upstream));
    return true;
}

bool pass_url_prepare(struct exchange *x) {
    const struct pass *pass = x->route->pass;
    x->naming_host = x->pass_uri = STR("");
    x->is_naming_unix = false;
    x->pass_port = 0;
    x->pass_host = pass->host;
    if (pass->upstream) {
        exchange_use_group(x, engine_group(x->hold, pass->upstream));
        return true;
    }
    struct str url = template_eval_copy(x, &pass->target);
    if (url.ptr)
        return url_use(x, url);
    x->why = WHY_NO_MEMORY;
    return false;
}

enum exchange_state pass_url_name(struct exchange *x) {
    return x->naming_host.len ? naming_begin(x, x->naming_host, x->pass_port, x->is_naming_unix) : STATE_PICK;
}
