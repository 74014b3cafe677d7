#include "proxy/stream.h"

#include "base/size.h"
#include "proxy/guard/guard.h"
#include "proxy/naming.h"
#include "proxy/secure.h"
#include "proxy/variables.h"

#include <errno.h>

enum { PROXY_LINE_MAX = 108, PORT_MAX = 65535 };

enum exchange_state stream_route(struct exchange *x) {
    x->up.is_done = x->down.is_done = true;
    x->is_read = true;
    struct str name = x->is_secure ? secure_name(x->front->duct) : STR("");
    if (name.len)
        x->site = listen_find_site(x->listen, name, &x->captures);
    x->route = &x->site->fallback;
    if ((x->captures.regex && !exchange_bind(x)) || !guard_post_read(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    enum why why = x->listen->is_secure ? secure_verify(x) : WHY_NONE;
    return why == WHY_NONE ? STATE_GUARD : exchange_fail(x, why);
}

/* ---- where to ---- */

static const struct upstream *upstream_find(const struct exchange *x, struct str name) {
    const struct model *model = x->hold->snapshot->model;
    for (size_t i = 0; i < model->upstreams.count; i++) {
        const struct upstream *upstream = model->upstreams.items[i];
        if (upstream->is_stream && !upstream->is_implicit && str_eq_nocase(upstream->name, name))
            return upstream;
    }
    return NULL;
}

static enum exchange_state group_use(struct exchange *x, const struct upstream *upstream) {
    exchange_use_group(x, engine_group(x->hold, upstream));
    x->pick.client = x->client;
    if (upstream->balance == BALANCE_HASH || upstream->balance == BALANCE_HASH_CONSISTENT) {
        x->pick.key = template_eval_copy(x, &upstream->hash_key);
        if (!x->pick.key.ptr)
            return exchange_fail(x, WHY_NO_MEMORY);
    }
    return STATE_PICK;
}

/* What variables name: an upstream, "unix:PATH", or host and port. */
static enum exchange_state target_use(struct exchange *x, struct str target) {
    const struct upstream *upstream = upstream_find(x, target);
    if (upstream)
        return group_use(x, upstream);
    if (str_starts(target, STR("unix:")))
        return naming_begin(x, str_from(target, 5), 0, true);
    size_t colon = target.len;
    while (colon && target.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon < 2 || !str_to_u64(str_from(target, colon), &port) || port == 0 || port > PORT_MAX) {
        exchange_log(x, LOG_ERROR, "no port in upstream \"%.*s\"", STR_ARG(target));
        x->why = WHY_INTERNAL;
        return STATE_ANSWER;
    }
    struct str host = str_head(target, colon - 1);
    if (host.len > 1 && host.ptr[0] == '[')
        host = str_make(host.ptr + 1, host.len - 2);
    return naming_begin(x, host, (uint16_t)port, false);
}

static enum exchange_state server_choose(struct exchange *x) {
    const struct pass *pass = x->route->pass;
    if (pass->is_secure && !secure_prepare(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    if (pass->upstream)
        return group_use(x, pass->upstream);
    struct str target = template_eval_copy(x, &pass->target);
    return target.ptr ? target_use(x, target) : exchange_fail(x, WHY_NO_MEMORY);
}

enum exchange_state stream_content(struct exchange *x) {
    if (x->route->action == ROUTE_PASS)
        return exchange_policy(x)->stream.reads_hello ? STATE_BODY : server_choose(x);
    x->local.body = template_eval_copy(x, &exchange_policy(x)->stream.text);
    return STATE_ANSWER;
}

/* ---- looking ahead ---- */

enum exchange_state stream_preread(struct exchange *x) {
    const struct stream_policy *stream = &exchange_policy(x)->stream;
    struct front *front = x->front;
    if (!x->hello)
        x->hello = arena_zero(&x->arena, 1, sizeof *x->hello);
    if (!x->hello)
        return exchange_fail(x, WHY_NO_MEMORY);
    for (;;) {
        bool is_over =
            front->in.view.len >= stream->preread_bytes || (front->duct->has_end && !front->duct->can_read);
        enum codec_result result =
            front->in.view.len ? client_hello_read(x->hello, front->in.view) : CODEC_MORE;
        if (result == CODEC_MORE && !is_over && !front->duct->can_read)
            return STATE_BODY;
        if (result == CODEC_BAD || (result == CODEC_MORE && is_over))
            *x->hello = (struct client_hello){0}; /* who does not speak TLS is passed on all the same */
        if (result != CODEC_MORE || is_over)
            return server_choose(x);
        ssize_t got = inbox_fill(&front->in, front->duct, x->engine->loop->scratch, LOOP_SCRATCH_BYTES,
                                 LOOP_SCRATCH_BYTES);
        if (got == -ENOMEM)
            return exchange_fail(x, WHY_NO_MEMORY);
        if (got <= 0 && got != -EAGAIN)
            return exchange_fail(x, WHY_CLIENT_CLOSED);
    }
}

/* ---- connecting ---- */

/* The PROXY protocol, version 1: who connected, and to what. */
static void proxy_line_build(const struct exchange *x, struct builder *out) {
    struct address local;
    bool is_known =
        socket_local(x->front->duct->ev.fd, &local) == 0 && x->client.any.sa_family == local.any.sa_family;
    bool is_v4 = x->client.any.sa_family == AF_INET;
    if (!is_known || (!is_v4 && x->client.any.sa_family != AF_INET6)) {
        builder_str(out, STR("PROXY UNKNOWN\r\n"));
        return;
    }
    builder_str(out, is_v4 ? STR("PROXY TCP4 ") : STR("PROXY TCP6 "));
    address_build_host(out, &x->client);
    builder_char(out, ' ');
    address_build_host(out, &local);
    builder_format(out, " %u %u\r\n", address_port(&x->client), address_port(&local));
}

static enum why first_send(struct exchange *x) {
    char memory[PROXY_LINE_MAX];
    struct builder line = builder_make(memory, sizeof memory);
    if (!exchange_policy(x)->stream.sends_proxy_protocol)
        return WHY_NONE;
    proxy_line_build(x, &line);
    struct iovec part = {line.ptr, line.len};
    int error = outbox_send(&x->back.out, &part, 1);
    return error ? why_of_connect_error(error) : WHY_NONE;
}

enum exchange_state stream_connect(struct exchange *x) {
    enum why why = WHY_NONE;
    if (!x->back.duct) {
        why = exchange_open_back(x);
        if (why == WHY_NONE)
            why = first_send(x);
    } else {
        struct duct *duct = x->back.duct;
        int error = duct->has_end && !duct->is_connected ? duct_error(duct) : 0;
        if (!error)
            error = exchange_flush(x, &x->back.out);
        x->error = error;
        if (error)
            why = tls_failure(duct).len ? WHY_TLS_FAILED : why_of_connect_error(error);
    }
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!x->back.duct->is_connected)
        return STATE_CONNECT;
    x->attempt->connect_ms = (int64_t)(x->engine->loop->now_ms - x->attempt->began_ms);
    return STATE_TUNNEL;
}

bool stream_may_retry(const struct exchange *x, unsigned next_bit) {
    const struct policy *policy = exchange_policy(x);
    if (!(policy->next_upstream & next_bit) || x->state != STATE_CONNECT || x->tries >= x->tries_max)
        return false;
    return !policy->next_upstream_timeout_ms || attempt_spent_ms(x) < policy->next_upstream_timeout_ms;
}

static uint64_t rate_of(struct exchange *x, const struct template *rate) {
    char memory[64];
    struct builder out = builder_make(memory, sizeof memory);
    uint64_t bytes;
    template_eval(x, rate, &out);
    return size_parse(builder_view(&out), false, &bytes) ? bytes : 0;
}

bool stream_rates(struct exchange *x, uint64_t *up, uint64_t *down) {
    const struct stream_policy *stream = &exchange_policy(x)->stream;
    if (template_is_empty(&stream->upload) && template_is_empty(&stream->download))
        return false;
    *up = rate_of(x, &stream->upload);
    *down = rate_of(x, &stream->download);
    return *up || *down;
}

/* ---- answering ---- */

enum exchange_state stream_answer(struct exchange *x) {
    struct front *front = x->front;
    front->must_close = true;
    x->status = x->why != WHY_NONE    ? why_info(x->why)->http
                : x->local.status > 0 ? x->local.status /* a guard's */
                                      : 200;
    if (x->status != 200)
        return STATE_DONE;
    if (!x->is_head_out) {
        struct iovec part = {(void *)(uintptr_t)x->local.body.ptr, x->local.body.len};
        x->is_head_out = true;
        x->sent_bytes = x->local.body.len;
        if (part.iov_len && outbox_send(&front->out, &part, 1))
            return STATE_DONE;
    } else if (exchange_flush(x, &front->out)) {
        return STATE_DONE;
    }
    return outbox_is_empty(&front->out) ? STATE_DONE : STATE_ANSWER;
}

/* ---- variables ---- */

static void hello_eval(const struct client_hello *hello, enum variable_id id, struct builder *out) {
    if (id == VARIABLE_SSL_PREREAD_SERVER_NAME)
        builder_bytes(out, hello->name, hello->name_len);
    else if (id == VARIABLE_SSL_PREREAD_ALPN_PROTOCOLS)
        builder_bytes(out, hello->alpn, hello->alpn_len);
    else
        builder_str(out, str_of(client_hello_version(hello->version)));
}

bool stream_eval(const struct exchange *x, enum variable_id id, struct builder *out) {
    uint64_t spent_ms = x->engine->loop->now_ms - x->started_ms;
    switch (id) {
    case VARIABLE_PROTOCOL:
        builder_str(out, STR("TCP"));
        return true;
    case VARIABLE_SESSION_TIME:
        builder_format(out, "%llu.%03u", (unsigned long long)(spent_ms / 1000), (unsigned)(spent_ms % 1000));
        return true;
    case VARIABLE_BYTES_RECEIVED:
        builder_u64(out, x->up.bytes);
        return true;
    case VARIABLE_SSL_PREREAD_SERVER_NAME:
    case VARIABLE_SSL_PREREAD_ALPN_PROTOCOLS:
    case VARIABLE_SSL_PREREAD_PROTOCOL:
        if (x->hello)
            hello_eval(x->hello, id, out);
        return true;
    default:
        return false;
    }
}
