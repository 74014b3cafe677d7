#include "proxy/answer/local.h"

#include "net/file.h"
#include "proxy/answer/media_type.h"
#include "proxy/answer/page.h"
#include "proxy/variable/variables.h"

/* What a Socket.IO client makes of it is in facts of Engine.IO: it begins a new session. A browser may read it
 * only with CORS fields, which mirror the request. */
static void sid_unknown_prepare(struct exchange *x) {
    struct local *local = &x->local;
    local->status = why_info(WHY_SID_UNKNOWN)->http;
    struct str origin = x->request ? h1_head_value(x->request, H1_ORIGIN) : STR("");
    local->content_type = STR("application/json");
    local->body = STR("{\"code\":1,\"message\":\"Session ID unknown\"}");
    local->headers = STR("Cache-Control: no-store\r\n");
    if (origin.len == 0)
        return;
    char *memory = arena_alloc(&x->arena, origin.len + 128);
    if (!memory)
        return;
    struct builder out = builder_make(memory, origin.len + 128);
    builder_str(&out, STR("Cache-Control: no-store\r\nAccess-Control-Allow-Origin: "));
    builder_str(&out, origin);
    builder_str(&out, STR("\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"));
    if (!out.overflow)
        local->headers = builder_view(&out);
}

void local_prepare_why(struct exchange *x) {
    unsigned status = why_info(x->why)->http;
    if (!x->request || x->why == WHY_BAD_REQUEST || x->why == WHY_BAD_CHUNK)
        /* what comes behind a request that is none is not one either */
        x->front->must_close = x->front->must_linger = true;
    if (x->why == WHY_SID_UNKNOWN) {
        sid_unknown_prepare(x);
        return;
    }
    local_prepare_status(x, status ? status : 500);
}

/* What comes behind such a request may not be what it looks like: the connection ends (nginx). */
static bool status_closes(unsigned status) {
    return status == 400 || status == 413 || status == 414 || (status >= 495 && status <= 497) ||
           status == 500 || status == 501;
}

void local_prepare_status(struct exchange *x, unsigned status) {
    struct local *local = &x->local;
    local_close(x);
    *local = (struct local){.status = status, .file = -1};
    local->is_page = status >= 400 || local_is_redirect(status);
    local->body = page_text(status, exchange_policy(x)->server_tokens);
    if (local->body.len)
        local->content_type = STR("text/html");
    if (status_closes(status) && x->front && !x->parent)
        x->front->must_close = true;
}

bool local_is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void host_build(struct exchange *x, struct builder *out) {
    struct address address;
    if (exchange_policy(x)->is_redirect_site_named && x->site->names.count)
        builder_str(out, x->site->names.items[0]);
    else if (x->host.len)
        builder_str(out, x->host);
    else if (x->front && socket_local(x->front->duct->ev.fd, &address) == 0)
        address_build_host(out, &address);
}

/* A path is made a whole URL of the server that it was asked from. Controls, which could end the line,
 * are encoded, where nginx would let them through. */
void local_build_location(struct exchange *x, struct builder *out, struct str target) {
    const struct policy *policy = exchange_policy(x);
    struct variable scheme = {.id = VARIABLE_SCHEME};
    if (target.len && target.ptr[0] == '/' && policy->is_redirect_absolute) {
        size_t begin = out->len;
        variable_eval(x, &scheme, out);
        unsigned usual = out->len - begin == 5 ? 443 : 80; /* https */
        builder_str(out, STR("://"));
        host_build(x, out);
        if (policy->is_redirect_with_port && !x->listen->is_unix && x->listen->port != usual)
            builder_format(out, ":%u", x->listen->port);
    }
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] < 0x20 || target.ptr[i] == 0x7f)
            builder_format(out, "%%%02X", (unsigned)target.ptr[i]);
        else
            builder_char(out, target.ptr[i]);
}

bool local_prepare_redirect(struct exchange *x, unsigned status, struct str target) {
    enum { SLACK = 1024 };
    size_t room = target.len * 3 + SLACK;
    char *memory = arena_alloc(&x->arena, room);
    struct builder out = builder_make(memory, memory ? room : 0);
    builder_str(&out, STR("Location: "));
    local_build_location(x, &out, target);
    builder_str(&out, STR("\r\n"));
    if (!memory || out.overflow)
        return false;
    local_prepare_status(x, status);
    x->local.headers = builder_view(&out);
    return true;
}

bool local_prepare_return(struct exchange *x, const struct local_answer *answer) {
    struct local *local = &x->local;
    bool is_silent =
        answer->status == 408 || answer->status == 499; /* a client that is late or gone hears nothing */
    if (answer->status == 444 || (is_silent && template_is_empty(&answer->text))) {
        x->status = answer->status;
        return false;
    }
    local->status = answer->status; /* $status in the text is this one */
    struct str text = template_eval_copy(x, &answer->text);
    if (!text.ptr || (local_is_redirect(answer->status) && !local_prepare_redirect(x, answer->status, text))) {
        x->why = WHY_NO_MEMORY;
        return true;
    }
    if (local_is_redirect(answer->status))
        return true;
    if (answer->status >= 400 && template_is_empty(&answer->text)) {
        local_prepare_status(x, answer->status);
        return true;
    }
    local->body = text;
    local->content_type = media_type_of_text(exchange_policy(x), x->hold->snapshot->model->types, x->path);
    return true;
}

void local_close(struct exchange *x) {
    if (x->local.file >= 0)
        file_close(x->local.file);
    x->local.file = -1;
}
