#include "proxy/stream.h"

#include "codec/proxy_protocol.h"
#include "proxy/flow/pace.h"
#include "proxy/guard/guard.h"
#include "proxy/naming.h"
#include "proxy/secure.h"
#include "proxy/stream_log.h"
#include "proxy/variable/variables.h"

#include <errno.h>

static bool sets_run(struct exchange *x) {
    const struct program *program = &x->route->program;
    for (size_t i = 0; i < program->operations.count; i++) {
        const struct operation *operation = &program->operations.items[i];
        struct str text = template_eval_copy(x, &operation->value);
        if (!text.ptr || !exchange_set_slot(x, operation->target.index, text))
            return false;
    }
    return true;
}

enum exchange_state stream_route(struct exchange *x) {
    stream_log_accepted(x);
    x->up.is_done = x->down.is_done = true;
    x->is_read = true;
    struct str name = x->is_secure ? secure_name(x->front->duct) : STR("");
    if (name.len)
        x->site = listen_find_site(x->listen, name, &x->captures);
    x->route = &x->site->fallback;
    if ((x->captures.regex && !exchange_bind(x)) || !guard_post_read(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    if (!sets_run(x))
        return exchange_fail(x, WHY_NO_MEMORY);
    enum why why = x->listen->is_secure ? secure_verify(x) : WHY_NONE;
    return why == WHY_NONE ? STATE_GUARD : exchange_fail(x, why);
}

/* ---- where to ---- */

static enum exchange_state group_use(struct exchange *x, const struct upstream *upstream) {
    exchange_use_group(x, engine_group(x->hold, upstream));
    x->pick.client = &x->client;
    if (upstream->balance == BALANCE_HASH || upstream->balance == BALANCE_HASH_CONSISTENT) {
        x->pick.key = template_eval_copy(x, &upstream->hash_key);
        if (!x->pick.key.ptr)
            return exchange_fail(x, WHY_NO_MEMORY);
    }
    return STATE_PICK;
}

/* What variables name: an upstream, "unix:PATH", or host and port. */
static enum exchange_state target_use(struct exchange *x, struct str target) {
    const struct upstream *upstream = model_find_upstream(x->hold->snapshot->model, target, true);
    if (upstream)
        return group_use(x, upstream);
    if (str_starts(target, STR("unix:")))
        return naming_begin(x, str_from(target, 5), 0, true);
    struct str host;
    uint16_t port;
    if (!naming_split(target, &host, &port) || port == 0 || host.len == 0) {
        exchange_log(x, LOG_ERROR, "no port in upstream \"%.*s\"", STR_ARG(target));
        x->why = WHY_INTERNAL;
        return STATE_ANSWER;
    }
    return naming_begin(x, host, port, false);
}

/* With TLS the server is to be who it was asked for as. */
static enum exchange_state server_choose(struct exchange *x) {
    const struct pass *pass = x->route->pass;
    struct str target = pass->upstream ? pass->upstream->name : template_eval_copy(x, &pass->target);
    x->pass_host = str_starts(target, STR("unix:")) ? STR("localhost") : target;
    if (!target.ptr || (pass->is_secure && !secure_prepare(x)))
        return exchange_fail(x, WHY_NO_MEMORY);
    return pass->upstream ? group_use(x, pass->upstream) : target_use(x, target);
}

enum exchange_state stream_content(struct exchange *x) {
    if (x->route->action == ROUTE_PASS)
        return exchange_policy(x)->stream.reads_hello ? STATE_BODY : server_choose(x);
    x->local.body = template_eval_copy(x, &exchange_policy(x)->stream.text);
    return STATE_ANSWER;
}

/* ---- looking ahead ---- */

/* Nothing is said, and nothing is logged but what is logged of every connection. */
static enum exchange_state stream_end(struct exchange *x, enum why why) {
    x->why = why;
    return STATE_ANSWER;
}

enum exchange_state stream_preread(struct exchange *x) {
    const struct stream_policy *stream = &exchange_policy(x)->stream;
    struct front *front = x->front;
    if (!x->hello)
        x->hello = arena_zero(&x->arena, 1, sizeof *x->hello);
    if (!x->hello)
        return exchange_fail(x, WHY_NO_MEMORY);
    for (;;) {
        enum codec_result result =
            front->in.view.len ? client_hello_read(x->hello, front->in.view) : CODEC_MORE;
        if (result == CODEC_BAD)
            *x->hello = (struct client_hello){0}; /* who does not speak TLS is passed on all the same */
        if (result != CODEC_MORE)
            return server_choose(x);
        if (front->in.view.len >= stream->preread_bytes) {
            exchange_log(x, LOG_ERROR, "preread buffer full");
            return stream_end(x, WHY_BAD_REQUEST);
        }
        if (!front->duct->can_read)
            return STATE_BODY;
        ssize_t got =
            inbox_fill(&front->in, front->duct, x->engine->loop->scratch,
                       stream->preread_bytes < LOOP_SCRATCH_BYTES ? stream->preread_bytes : LOOP_SCRATCH_BYTES,
                       stream->preread_bytes);
        if (got == -ENOMEM)
            return exchange_fail(x, WHY_NO_MEMORY);
        if (got <= 0 && got != -EAGAIN)
            return stream_end(x, WHY_CLIENT_CLOSED);
    }
}

/* ---- connecting ---- */

static struct proxy_protocol_end end_of(const struct address *address) {
    struct proxy_protocol_end end = {.port = address_port(address)};
    struct str ip = address_bytes(address);
    memcpy(end.ip, ip.ptr, ip.len < sizeof end.ip ? ip.len : sizeof end.ip);
    return end;
}

/* The PROXY protocol, version 1: who connected, and to what. */
static void proxy_line_build(const struct exchange *x, struct builder *out) {
    struct proxy_protocol header = {.family = PROXY_PROTOCOL_UNKNOWN};
    struct address local;
    sa_family_t family = x->client.any.sa_family;
    if (socket_local(x->front->duct->ev.fd, &local) == 0 && local.any.sa_family == family &&
        (family == AF_INET || family == AF_INET6))
        header = (struct proxy_protocol){.family = family == AF_INET ? PROXY_PROTOCOL_V4 : PROXY_PROTOCOL_V6,
                                         .source = end_of(&x->client),
                                         .destination = end_of(&local)};
    if (exchange_policy(x)->stream.proxy_protocol == 2)
        proxy_protocol_build_v2(out, &header);
    else
        proxy_protocol_build_v1(out, &header);
}

static enum why first_send(struct exchange *x) {
    char memory[PROXY_PROTOCOL_V1_MAX];
    struct builder line = builder_make(memory, sizeof memory);
    if (!exchange_policy(x)->stream.proxy_protocol)
        return WHY_NONE;
    proxy_line_build(x, &line);
    struct iovec part = {line.ptr, line.len};
    int error = outbox_send(&x->back.out, &part, 1);
    x->attempt->sent += line.len;
    return error ? why_of_connect_error(error) : WHY_NONE;
}

static enum why connect_go_on(struct exchange *x) {
    struct duct *duct = x->back.duct;
    x->error = duct->has_end && !duct->is_connected ? duct_error(duct) : 0;
    if (!x->error)
        x->error = exchange_flush(x, &x->back.out);
    if (x->error)
        return tls_failure(duct).len ? WHY_TLS_FAILED : why_of_connect_error(x->error);
    return WHY_NONE;
}

enum exchange_state stream_connect(struct exchange *x) {
    enum why why = WHY_NONE;
    if (x->back.duct) {
        why = connect_go_on(x);
    } else {
        why = exchange_open_back(x);
        if (why == WHY_NONE)
            why = first_send(x);
    }
    struct duct *duct = x->back.duct;
    bool is_plain_yet = why == WHY_NONE && x->back.kind && !duct->is_secure;
    if (is_plain_yet && duct->is_connected && outbox_is_empty(&x->back.out))
        why = secure_connect_begin(x);
    if (why != WHY_NONE)
        return exchange_fail(x, why);
    if (!duct->is_connected || (x->back.kind && !duct->is_secure))
        return STATE_CONNECT;
    x->has_sent = true;
    x->attempt->connect_ms = (int64_t)(x->engine->loop->now_ms - x->attempt->began_ms);
    stream_log_connected(x);
    return STATE_TUNNEL;
}

bool stream_may_retry(const struct exchange *x, unsigned next_bit) {
    const struct policy *policy = exchange_policy(x);
    if (!(policy->next_upstream & next_bit) || x->state != STATE_CONNECT || x->tries >= x->tries_max)
        return false;
    return !policy->next_upstream_timeout_ms || attempt_spent_ms(x) < policy->next_upstream_timeout_ms;
}

bool stream_rates(struct exchange *x, uint64_t *up, uint64_t *down) {
    const struct stream_policy *stream = &exchange_policy(x)->stream;
    *up = pace_eval(x, &stream->upload);
    *down = pace_eval(x, &stream->download);
    return *up || *down;
}

/* ---- answering ---- */

unsigned stream_status(const struct exchange *x) {
    if (x->why == WHY_NONE)
        return x->local.status ? x->local.status : 200; /* a guard's */
    if (x->why == WHY_BAD_REQUEST)
        return 400;
    if (x->why == WHY_NAME_UNKNOWN)
        return 500;
    switch (why_info(x->why)->owner) {
    case WHY_OWNER_BACKEND:
        return 502;
    case WHY_OWNER_SELF:
        return 500;
    case WHY_OWNER_CLIENT:
        return x->why == WHY_BAD_CERTIFICATE || x->why == WHY_NO_CERTIFICATE || x->why == WHY_PLAIN_TO_TLS ||
                       x->why == WHY_MISDIRECTED
                   ? 500
                   : 200; /* it has gone, which is its right */
    case WHY_OWNER_NONE:
        break;
    }
    return 200;
}

enum exchange_state stream_answer(struct exchange *x) {
    struct front *front = x->front;
    front->must_close = true;
    x->status = stream_status(x);
    if (x->why != WHY_NONE || x->status != 200)
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
        builder_thousandths(out, spent_ms);
        return true;
    case VARIABLE_BYTES_RECEIVED:
        builder_u64(out, x->front ? x->front->in.filled : x->up.bytes);
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
