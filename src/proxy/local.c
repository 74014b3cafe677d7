#include "proxy/local.h"

#include "net/file.h"
#include "proxy/variables.h"

/* One page a status: nginx's, with our name. */
#define PAGES                                        \
    PAGE(301, "301 Moved Permanently")               \
    PAGE(302, "302 Found")                           \
    PAGE(303, "303 See Other")                       \
    PAGE(307, "307 Temporary Redirect")              \
    PAGE(308, "308 Permanent Redirect")              \
    PAGE(400, "400 Bad Request")                     \
    PAGE(401, "401 Authorization Required")          \
    PAGE(402, "402 Payment Required")                \
    PAGE(403, "403 Forbidden")                       \
    PAGE(404, "404 Not Found")                       \
    PAGE(405, "405 Not Allowed")                     \
    PAGE(406, "406 Not Acceptable")                  \
    PAGE(408, "408 Request Time-out")                \
    PAGE(409, "409 Conflict")                        \
    PAGE(410, "410 Gone")                            \
    PAGE(411, "411 Length Required")                 \
    PAGE(412, "412 Precondition Failed")             \
    PAGE(413, "413 Request Entity Too Large")        \
    PAGE(414, "414 Request-URI Too Large")           \
    PAGE(415, "415 Unsupported Media Type")          \
    PAGE(416, "416 Requested Range Not Satisfiable") \
    PAGE(421, "421 Misdirected Request")             \
    PAGE(429, "429 Too Many Requests")               \
    PAGE(500, "500 Internal Server Error")           \
    PAGE(501, "501 Not Implemented")                 \
    PAGE(502, "502 Bad Gateway")                     \
    PAGE(503, "503 Service Temporarily Unavailable") \
    PAGE(504, "504 Gateway Time-out")                \
    PAGE(505, "505 HTTP Version Not Supported")      \
    PAGE(507, "507 Insufficient Storage")

struct str local_page(unsigned status) {
    switch (status) {
#define PAGE(status, title)                                                                          \
    case status:                                                                                     \
        return STR("<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>" title \
                   "</h1></center>\r\n<hr><center>hawser</center>\r\n</body>\r\n</html>\r\n");
        PAGES
#undef PAGE
    default:
        return STR("");
    }
}

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

void local_prepare_status(struct exchange *x, unsigned status) {
    x->local.status = status;
    x->local.content_type = STR("text/html");
    x->local.body = local_page(status);
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

static bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* A location of our own server is made absolute, as nginx does. */
void local_build_location(struct exchange *x, struct builder *out, struct str target) {
    struct variable scheme = {.id = VARIABLE_SCHEME}, host = {.id = VARIABLE_HTTP, .name = STR("host")};
    if (target.len && target.ptr[0] == '/') {
        variable_eval(x, &scheme, out);
        builder_str(out, STR("://"));
        variable_eval(x, &host, out);
    }
    builder_str(out, target);
}

bool local_prepare_redirect(struct exchange *x, unsigned status, struct str target) {
    enum { SLACK = 1024 };
    char *memory = arena_alloc(&x->arena, target.len + SLACK);
    struct builder out = builder_make(memory, memory ? target.len + SLACK : 0);
    builder_str(&out, STR("Location: "));
    local_build_location(x, &out, target);
    builder_str(&out, STR("\r\n"));
    if (!memory || out.overflow)
        return false;
    x->local.status = status;
    x->local.headers = builder_view(&out);
    x->local.content_type = STR("text/html");
    x->local.body = local_page(status);
    return true;
}

bool local_prepare_return(struct exchange *x) {
    const struct local_answer *answer = &x->route->answer;
    struct local *local = &x->local;
    if (answer->status == 444)
        return false;
    struct str text = template_eval_copy(x, &answer->text);
    if (!text.ptr ||
        (is_redirect(answer->status) && text.len && !local_prepare_redirect(x, answer->status, text))) {
        x->why = WHY_NO_MEMORY;
        return true;
    }
    local->status = answer->status;
    if (is_redirect(answer->status) && text.len)
        return true;
    bool has_text = !template_is_empty(&answer->text);
    local->body = has_text ? text : local_page(answer->status);
    local->content_type = has_text ? exchange_policy(x)->default_type : STR("text/html");
    return true;
}

void local_close(struct exchange *x) {
    if (x->local.file >= 0)
        file_close(x->local.file);
    x->local.file = -1;
}
