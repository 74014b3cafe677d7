#include "proxy/head/response_head.h"

#include "base/version.h"
#include "codec/h1_grammar.h"
#include "proxy/answer/addition.h"
#include "proxy/answer/partial.h"
#include "proxy/head/field.h"
#include "proxy/head/response_field.h"
#include "proxy/sticky.h"
#include "proxy/variable/variables.h"

static void status_line_build(struct builder *out, unsigned status, struct str reason) {
    builder_str(out, STR("HTTP/1.1 "));
    for (unsigned least = 100; status < least && least > 1; least /= 10)
        builder_char(out, '0'); /* return 99 */
    builder_u64(out, status);
    builder_char(out, ' ');
    builder_str(out, reason);
    builder_str(out, STR("\r\n"));
}

static void date_build(struct exchange *x, struct builder *out) {
    engine_date_update(x->engine);
    field_build(out, STR("Date"), str_of(x->engine->date_http));
}

static void server_build(struct exchange *x, struct builder *out) {
    const struct policy *policy = exchange_policy(x);
    size_t begin = out->len;
    switch (policy->server_tokens) {
    case SERVER_TOKENS_ON:
    case SERVER_TOKENS_BUILD:
        builder_str(out, STR("Server: hawser/" VERSION "\r\n"));
        return;
    case SERVER_TOKENS_OFF:
        builder_str(out, STR("Server: hawser\r\n"));
        return;
    case SERVER_TOKENS_TEXT:
        break;
    }
    builder_str(out, STR("Server: "));
    template_eval(x, &policy->server_text, out);
    if (out->len == begin + 8) {
        out->len = begin;
        return;
    }
    field_blank(out, begin);
    builder_str(out, STR("\r\n"));
}

void response_head_begin(struct exchange *x, struct builder *out, unsigned status, struct str reason) {
    status_line_build(out, status, reason);
    server_build(x, out);
    date_build(x, out);
}

/* For $sent_http_NAME, and only where some text names one. */
static void sent_keep(struct exchange *x, const struct builder *out) {
    if (x->hold->snapshot->model->keeps_sent_heads)
        x->sent_head = arena_copy(&x->arena, builder_view(out));
}

/* An answer of our own, and no server has had of the body: it can be skipped, unless the client waits to be
 * asked for it. */
static bool can_skip_body(const struct exchange *x) {
    return x->state == STATE_ANSWER && !x->attempts && !(x->request->expects_continue && !x->has_100);
}

/* nginx's msie6: "MSIE 4." to "MSIE 6.", but for the 6 of Windows XP's second service pack. */
static bool is_msie6(struct str agent) {
    size_t at = str_find(agent, STR("MSIE "));
    struct str version = at == STR_NONE ? STR("") : str_from(agent, at + 5);
    if (version.len < 3 || version.ptr[1] != '.' || str_find(agent, STR("Opera")) != STR_NONE)
        return false;
    return version.ptr[0] == '4' || version.ptr[0] == '5' ||
           (version.ptr[0] == '6' && str_find(version, STR("SV1")) == STR_NONE);
}

static bool is_safari(struct str agent) {
    static const struct str others[] = {{"MSIE ", 5}, {"Opera", 5}, {"Gecko/", 6}, {"Chrome/", 7}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_find(agent, others[i]) != STR_NONE)
            return false;
    return str_find(agent, STR("Safari/")) != STR_NONE && str_find(agent, STR("Mac OS X")) != STR_NONE;
}

/* keepalive_disable: an old MSIE is not kept after POST, Safari not at all. */
static bool is_disabled(const struct exchange *x) {
    unsigned disabled = exchange_policy(x)->keepalive_disable;
    struct str agent = h1_head_value(x->request, H1_USER_AGENT);
    return ((disabled & DISABLE_MSIE6) && x->method == H1_POST && is_msie6(agent)) ||
           ((disabled & DISABLE_SAFARI) && is_safari(agent));
}

/* May the connection go on after this answer? */
static bool is_kept(const struct exchange *x) {
    const struct policy *policy = exchange_policy(x);
    const struct front *front = x->front;
    return x->request && x->request->is_keepalive && !front->must_close && policy->keepalive_timeout_ms > 0 &&
           front->requests < policy->keepalive_requests &&
           x->engine->loop->now_ms - front->accepted_ms <= policy->keepalive_time_ms && !is_disabled(x) &&
           !x->engine->is_draining && front->listener->listen && x->down.framing != H1_UNTIL_CLOSE &&
           (x->up.is_done || can_skip_body(x)) && !x->is_up_broken &&
           !(x->request->is_upgrade && front->in.view.len); /* bytes glued behind it are nobody's request */
}

static void connection_build(struct exchange *x, struct builder *out) {
    if (!is_kept(x)) {
        x->front->must_close = true;
        builder_str(out, STR("Connection: close\r\n"));
        return;
    }
    builder_str(out, STR("Connection: keep-alive\r\n"));
    uint64_t seconds = exchange_policy(x)->keepalive_header_s;
    if (seconds) {
        builder_str(out, STR("Keep-Alive: timeout="));
        builder_u64(out, seconds);
        builder_str(out, STR("\r\n"));
    }
}

void response_head_end(struct exchange *x, struct builder *out) {
    if (x->down.framing == H1_CHUNKED)
        builder_str(out, STR("Transfer-Encoding: chunked\r\n"));
    connection_build(x, out);
    builder_str(out, STR("\r\n"));
    sent_keep(x, out);
}

static bool field_passes(const struct exchange *x, const struct h1_field *field) {
    if (field->id == H1_ACCEPT_RANGES && exchange_policy(x)->proxy.forces_ranges)
        return false;
    if (field->id == H1_CONTENT_LENGTH) /* of a body, or what HEAD and 304 announce */
        return !partial_is_sent(x) && x->response->status != 101 && x->response->status != 204 &&
               (x->down.framing == H1_LENGTH || x->down.framing == H1_NO_BODY);
    if (addition_replaces(x, (enum h1_field_id)field->id, x->status))
        return false;
    return !h1_field_is_hop_by_hop(x->response, field) &&
           response_field_passes(x, field->id, h1_field_name(x->response, field));
}

static void fields_build(struct exchange *x, struct builder *out) {
    const struct h1_head *response = x->response;
    struct field_run run = {.head = response, .out = out};
    for (unsigned i = 0; i < response->field_count; i++)
        if (field_passes(x, &response->fields[i]))
            response_field_build(x, &run, &response->fields[i]);
    field_run_end(&run);
}

/* Is the server's own field passed on, so that there is none of ours? */
static bool is_theirs(const struct exchange *x, enum h1_field_id id, struct str name) {
    return exchange_policy(x)->proxy.passed.count && h1_head_has(x->response, id) &&
           response_field_passes(x, id, name);
}

static struct str reason_of(const struct h1_head *response) {
    return str_make(response->base + response->reason_at, response->reason_len);
}

void response_head_build(struct exchange *x, struct builder *out) {
    unsigned status = x->status = x->answer_status ? x->answer_status : x->response->status;
    unsigned sent = partial_is_sent(x) ? 206 : status; /* what is added sees the whole answer, as in nginx */
    bool is_ours = x->answer_status || sent != status;
    status_line_build(out, sent, is_ours ? str_of(h1_reason(sent)) : reason_of(x->response));
    if (!is_theirs(x, H1_SERVER, STR("Server")))
        server_build(x, out);
    if (!is_theirs(x, H1_DATE, STR("Date")))
        date_build(x, out);
    fields_build(x, out);
    builder_str(out, x->answer_headers);
    sticky_build(x, out);
    addition_build(x, out, status);
    x->status = sent;
    if (x->down.partial)
        partial_build(x, out);
    response_head_end(x, out);
}

void response_head_build_interim(const struct exchange *x, const struct h1_head *head, struct builder *out) {
    status_line_build(out, head->status, reason_of(head));
    struct field_run run = {.head = head, .out = out};
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct h1_field *field = &head->fields[i];
        if (field->id != H1_CONTENT_LENGTH && !h1_field_is_hop_by_hop(head, field) &&
            response_field_passes(x, field->id, h1_field_name(head, field)))
            field_run_add(&run, field);
    }
    field_run_end(&run);
    builder_str(out, STR("\r\n"));
}

void response_head_build_switch(struct exchange *x, struct builder *out) {
    status_line_build(out, 101, reason_of(x->response));
    builder_str(out, STR("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
    fields_build(x, out);
    sticky_build(x, out);
    addition_build(x, out, 101);
    builder_str(out, STR("\r\n"));
    sent_keep(x, out);
}
