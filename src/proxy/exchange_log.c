/* What the error log says of an exchange: nginx's form, words and levels, since people and tools know them. */
#include "proxy/exchange.h"
#include "proxy/head/request_head.h"
#include "proxy/secure.h"

#include <errno.h>
#include <stdio.h>

enum { TEXT_MAX = 500, LINE_MAX_BYTES = 1900, REQUEST_MAX = 512 };

static void name_build(struct builder *out, const char *name, struct str value) {
    builder_format(out, ", %s: \"", name);
    builder_escaped(out, value);
    builder_char(out, '"');
}

struct str exchange_request_line(const struct exchange *x) {
    if (x->request)
        return h1_head_line(x->request);
    struct str head = x->front ? x->front->in.view : STR("");
    size_t end = 0;
    while (end < head.len && head.ptr[end] != '\r' && head.ptr[end] != '\n')
        end++;
    return str_head(head, end);
}

static void upstream_build(const struct exchange *x, struct builder *out) {
    char memory[REQUEST_MAX];
    struct builder target = builder_make(memory, sizeof memory);
    builder_str(out, x->route->pass->is_secure ? STR(", upstream: \"https://") : STR(", upstream: \"http://"));
    if (x->member)
        builder_str(out, str_of(x->member->peer->name));
    else
        builder_str(out, x->group->upstream->name);
    request_target_build(x, &target);
    builder_escaped(out, builder_view(&target));
    builder_char(out, '"');
}

/* To the logs of the route, or to the program's own. */
static void level_write(const struct exchange *x, enum log_level level, struct str text) {
    const struct policy *policy = exchange_policy(x);
    struct log log = x->engine->log;
    if (policy->error_logs.count == 0) {
        log_line(&log, level, "%.*s", STR_ARG(text));
        return;
    }
    for (size_t i = 0; i < policy->error_logs.count; i++) {
        log.sink = x->hold->snapshot->sinks[policy->error_logs.items[i].sink];
        log.level = policy->error_logs.items[i].level;
        log.next = NULL;
        log_line(&log, level, "%.*s", STR_ARG(text));
    }
}

static void request_build(const struct exchange *x, struct builder *out) {
    bool is_early = x->front && !x->front->exchange; /* in its TLS handshake */
    builder_escaped(out, is_early ? x->listen->text : x->site ? site_name(x->site) : STR(""));
    struct str request = str_head(exchange_request_line(x), REQUEST_MAX);
    if (request.len)
        name_build(out, "request", request);
    if (x->parent)
        name_build(out, "subrequest", x->path);
    if (x->request && x->group && x->route->action == ROUTE_PASS)
        upstream_build(x, out);
    if (x->request && h1_head_has(x->request, H1_HOST))
        name_build(out, "host", h1_head_value(x->request, H1_HOST));
    if (x->request && h1_head_has(x->request, H1_REFERER))
        name_build(out, "referrer", h1_head_value(x->request, H1_REFERER));
}

static void stream_build(const struct exchange *x, struct builder *out) {
    builder_str(out, x->listen->text);
    if (!x->group && !x->attempt)
        return;
    name_build(out, "upstream", x->attempt ? x->attempt->peer : x->group->upstream->name);
    builder_format(out, ", bytes from/to client:%llu/%llu",
                   (unsigned long long)(x->front ? x->front->in.filled : x->up.bytes),
                   (unsigned long long)x->sent_bytes);
    builder_format(out, ", bytes from/to upstream:%llu/%llu",
                   (unsigned long long)(x->attempt ? x->attempt->received : 0),
                   (unsigned long long)(x->attempt ? x->attempt->sent : 0));
}

static void line_write(const struct exchange *x, enum log_level level, struct str text) {
    char memory[LINE_MAX_BYTES];
    struct builder out = builder_make(memory, sizeof memory);
    builder_format(&out, "*%llu %.*s, client: ", (unsigned long long)x->connection_id, STR_ARG(text));
    address_build_host(&out, &x->client);
    builder_str(&out, STR(", server: "));
    if (x->is_stream)
        stream_build(x, &out);
    else
        request_build(x, &out);
    level_write(x, level, builder_view(&out));
}

void exchange_log_alone(const struct exchange *x, enum log_level level, const char *format, ...) {
    char memory[TEXT_MAX], text[TEXT_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    if (!exchange_log_wants(x, level))
        return;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    builder_format(&out, "*%llu %s", (unsigned long long)x->connection_id, len < 0 ? "" : text);
    level_write(x, level, builder_view(&out));
}

void exchange_log_move(const struct exchange *x, const char *from, const char *to) {
    char memory[TEXT_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    builder_format(&out, "*%llu %s -> %s", (unsigned long long)x->connection_id, from, to);
    level_write(x, LOG_DEBUG, builder_view(&out));
}

void exchange_log(const struct exchange *x, enum log_level level, const char *format, ...) {
    char text[TEXT_MAX];
    if (!exchange_log_wants(x, level))
        return;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    line_write(x, level, str_of(len < 0 ? "" : text));
}

/* ---- failures ---- */

/* What was being done; NULL: nothing that nginx has words for. */
static const char *action_of(const struct exchange *x, enum why_owner owner) {
    bool is_client = owner == WHY_OWNER_CLIENT && !x->is_client_gone;
    switch ((enum exchange_state)x->state) {
    case STATE_PICK:
    case STATE_QUEUE:
    case STATE_CONNECT:
        return x->back.duct && x->back.duct->is_secure && tls_failure(x->back.duct).len
                   ? "SSL handshaking to upstream"
                   : "connecting to upstream";
    case STATE_SEND:
        return is_client ? "reading client request body" : "sending request to upstream";
    case STATE_AWAIT:
        return "reading response header from upstream";
    case STATE_RELAY:
        return is_client ? "sending to client" : "reading upstream";
    case STATE_ANSWER:
        return "sending response to client";
    case STATE_TUNNEL:
        return x->is_stream ? "proxying connection" : "proxying upgraded connection";
    case STATE_BODY:
        return x->is_stream ? "prereading client data" : "reading client request body";
    case STATE_ROUTE:
    case STATE_GUARD:
    case STATE_RESOLVE:
    case STATE_DONE:
    case STATE_COUNT:
        break;
    }
    return NULL;
}

static const char *action_of_head(enum why why) {
    bool is_line =
        why == WHY_BAD_REQUEST || why == WHY_BAD_VERSION || why == WHY_BAD_METHOD || why == WHY_URI_TOO_LARGE;
    return is_line ? "reading client request line" : "reading client request headers";
}

/* The system's error that belongs to the text; 0: none does. */
static int error_of(const struct exchange *x, enum why why) {
    switch (why) {
    case WHY_CONNECT_REFUSED:
        return ECONNREFUSED;
    case WHY_CONNECT_FAILED:
    case WHY_NO_PORT:
    case WHY_NOT_TRANSPARENT:
    case WHY_NO_DESCRIPTOR:
    case WHY_NO_MEMORY:
        return -x->error;
    case WHY_BACKEND_RESET:
        return x->error ? -x->error : ECONNRESET;
    case WHY_CONNECT_TIMEOUT:
    case WHY_HANDSHAKE_TIMEOUT:
    case WHY_ANSWER_TIMEOUT:
    case WHY_ANSWER_BODY_TIMEOUT:
    case WHY_BACKEND_SEND_TIMEOUT:
    case WHY_CLIENT_HEAD_TIMEOUT:
    case WHY_CLIENT_BODY_TIMEOUT:
    case WHY_CLIENT_SEND_TIMEOUT:
        return ETIMEDOUT;
    default:
        return 0;
    }
}

/* An error that nginx expects of a network is one of the server's, others are a crisis. */
static bool is_usual(int error) {
    return error == ECONNREFUSED || error == EAGAIN || error == ECONNRESET || error == ENETDOWN ||
           error == ENETUNREACH || error == EHOSTDOWN || error == EHOSTUNREACH || error == ETIMEDOUT ||
           error == 0;
}

static enum log_level level_of(const struct exchange *x, enum why why) {
    switch (why_info(why)->owner) {
    case WHY_OWNER_BACKEND:
        if (why == WHY_ANSWER_STATUS)
            return LOG_INFO;
        return why == WHY_CONNECT_FAILED && !is_usual(-x->error) ? LOG_CRIT : LOG_ERROR;
    case WHY_OWNER_SELF:
        return LOG_CRIT;
    case WHY_OWNER_CLIENT:
        return why == WHY_BODY_TOO_LARGE ? LOG_ERROR : LOG_INFO;
    case WHY_OWNER_NONE:
        break;
    }
    return LOG_INFO;
}

static void text_build(const struct exchange *x, enum why why, struct builder *out) {
    bool is_connect = why == WHY_CONNECT_REFUSED || why == WHY_CONNECT_FAILED || why == WHY_NO_PORT;
    if (is_connect && !x->back.duct && x->member)
        builder_format(out, "connect() to %s failed", x->member->peer->name);
    else if (why == WHY_TLS_FAILED)
        builder_str(out, tls_failure(x->back.duct));
    else if (why == WHY_BAD_CERTIFICATE)
        secure_fault_build(x, out);
    else if (why == WHY_BACKEND_RESET && x->error == -EPIPE)
        builder_str(out, STR("writev() failed"));
    else
        builder_str(out, str_of(why_info(why)->text));
    if (why == WHY_BODY_TOO_LARGE && x->request->framing == H1_LENGTH)
        builder_format(out, ": %llu bytes", (unsigned long long)x->request->content_length);
    if (x->is_client_gone && x->state >= STATE_PICK && x->state <= STATE_AWAIT)
        builder_str(out, STR(", so upstream connection is closed too"));
    int error = error_of(x, why);
    if (error)
        builder_format(out, " (%d: %s)", error, strerrordesc_np(error));
}

static void action_build(struct builder *out, const char *action) {
    if (action)
        builder_format(out, " while %s", action);
}

void exchange_log_failure(const struct exchange *x, enum why why) {
    enum log_level level = level_of(x, why);
    char memory[TEXT_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    if (!exchange_log_wants(x, level))
        return;
    text_build(x, why, &out);
    action_build(&out, x->request || x->is_stream ? action_of(x, why_info(why)->owner) : action_of_head(why));
    line_write(x, level, builder_view(&out));
}

void exchange_log_upstream(const struct exchange *x, enum log_level level, const char *text) {
    char memory[TEXT_MAX];
    struct builder out = builder_make(memory, sizeof memory);
    if (!exchange_log_wants(x, level))
        return;
    builder_str(&out, str_of(text));
    action_build(&out, action_of(x, WHY_OWNER_BACKEND));
    line_write(x, level, builder_view(&out));
}
