#include "proxy/variable/variables.h"

#include "codec/uri.h"
#include "loop/clock.h"
#include "net/file.h"
#include "net/tls/tls_facts.h"
#include "proxy/answer/file_path.h"
#include "proxy/stream.h"

enum { VALUE_MAX = 65536, MAP_DEPTH_MAX = 20 };

/* A field by its name as nginx writes it in a variable: lower case, '-' as '_'. Doubles are joined by ", ",
 * Cookies by "; ". */
static void fields_named_build(const struct h1_head *head, struct str name, struct builder *out) {
    bool is_first = true;
    for (unsigned i = 0; head && i < head->field_count; i++) {
        struct str field = h1_field_name(head, &head->fields[i]);
        if (!variable_names_field(name, field))
            continue;
        if (!is_first)
            builder_str(out, head->fields[i].id == H1_COOKIE ? STR("; ") : STR(", "));
        builder_str(out, h1_field_value(head, &head->fields[i]));
        is_first = false;
    }
}

static void forwarded_for_build(struct exchange *x, struct builder *out) {
    size_t begin = out->len;
    if (x->request)
        fields_named_build(x->request, STR("x_forwarded_for"), out);
    if (out->len != begin)
        builder_str(out, STR(", "));
    address_build_host(out, &x->client);
}

/* The value that is looked up; a view that may be gone after the next variable. False without memory. */
static bool source_eval(struct exchange *x, const struct value_map *map, char *memory, size_t room,
                        struct str *subject) {
    struct builder source = builder_make(memory, room);
    template_eval(x, &map->source, &source);
    *subject = builder_view(&source);
    if (!source.overflow && !map->regexes.count) /* else groups are views into it */
        return true;
    if (source.overflow) {
        char *wide = arena_alloc(&x->arena, VALUE_MAX);
        source = builder_make(wide, wide ? VALUE_MAX : 0);
        template_eval(x, &map->source, &source);
        *subject = builder_view(&source);
        return wide && !source.overflow;
    }
    *subject = arena_copy(&x->arena, *subject);
    return subject->ptr != NULL;
}

/* Once looked up it stays as it is, and so does what `set` has put there. */
static void map_keep(struct exchange *x, const struct value_map *map, const struct template *value,
                     struct str text) {
    struct str kept;
    if (map->is_volatile)
        return;
    if (!template_is_literal(value, &kept))
        kept = arena_copy(&x->arena, text);
    if (kept.ptr)
        exchange_set_slot(x, map->slot, kept);
}

static void map_build(struct exchange *x, const struct variable *variable, struct builder *out) {
    const struct value_map *map = variable->map;
    char memory[4096];
    struct str subject;
    size_t begin = out->len;
    if (x->slots && x->slots[map->slot].ptr) {
        builder_str(out, x->slots[map->slot]);
        return;
    }
    if (x->map_depth == MAP_DEPTH_MAX)
        return; /* a map that leads back to itself */
    x->map_depth++;
    if (source_eval(x, map, memory, sizeof memory, &subject)) {
        if (map->proxies.count)
            subject = variable_forwarded(x, map, subject);
        const struct regex *before = x->captures.regex;
        x->captures.regex = NULL;
        const struct template *value = value_map_find(map, subject, &x->captures);
        if (!x->captures.regex)
            x->captures.regex = before;
        else
            exchange_bind(x);
        template_eval(x, value, out);
        if (!out->overflow)
            map_keep(x, map, value, str_from(builder_view(out), begin));
    }
    x->map_depth--;
}

static void root_build(struct exchange *x, struct builder *out) {
    template_eval(x, &exchange_policy(x)->root, out);
}

static void filename_build(struct exchange *x, struct builder *out) {
    struct file_path path;
    if (file_path_build(x, &path) == FILE_PATH_MADE)
        builder_str(out, builder_view(&path.out));
}

static void real_root_build(struct exchange *x, struct builder *out) {
    enum { PATH_MAX_BYTES = 4096 };
    char root[PATH_MAX_BYTES], real[PATH_MAX_BYTES];
    struct builder path = builder_make(root, sizeof root);
    root_build(x, &path);
    builder_char(&path, '\0');
    if (!path.overflow && file_resolve(root, real, sizeof real) == 0)
        builder_str(out, str_of(real));
}

/* Variables of the moment. */
static bool time_eval(const struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_MSEC:
        builder_thousandths(out, clock_wall_ms());
        return true;
    case VARIABLE_TIME_LOCAL:
        engine_date_update(x->engine);
        builder_str(out, str_of(x->engine->date_log));
        return true;
    case VARIABLE_TIME_ISO8601: {
        engine_date_update(x->engine);
        struct str iso = str_of(x->engine->date_iso); /* +0100 is written +01:00 */
        builder_str(out, str_head(iso, iso.len - 2));
        builder_char(out, ':');
        builder_str(out, str_from(iso, iso.len - 2));
        return true;
    }
    default:
        return false;
    }
}

/* $http_NAME. The authority of an absolute target rules over Host, RFC 9112 3.2.2. */
static void client_field_build(const struct h1_head *request, struct str name, struct builder *out) {
    if (request->authority_len && str_eq(name, STR("host")))
        builder_bytes(out, request->base + request->authority_at, request->authority_len);
    else
        fields_named_build(request, name, out);
}

/* Variables of Socket.IO: what the query says of its session. */
static bool socketio_eval(const struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_SOCKETIO_SID:
        builder_str(out, x->eio.sid.len ? x->eio.sid : uri_arg(x->args, STR("sid")));
        return true;
    case VARIABLE_SOCKETIO_TRANSPORT:
        builder_str(out, uri_arg(x->args, STR("transport")));
        return true;
    case VARIABLE_ENGINEIO_VERSION:
        builder_str(out, uri_arg(x->args, STR("EIO")));
        return true;
    case VARIABLE_REQUEST_BODY:
        if (!x->is_body_dropped)
            builder_str(out, x->body ? spool_text(x->body) : x->short_body);
        return true;
    case VARIABLE_REQUEST_BODY_FILE:
        if (x->body && x->body->name)
            builder_str(out, str_of(x->body->name));
        return true;
    default:
        return false;
    }
}

/* Variables of the request; x->request is there. */
static bool request_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    const struct h1_head *request = x->request;
    switch (variable->id) {
    case VARIABLE_REQUEST_METHOD:
        builder_str(out, x->parent ? x->parent->method_name : x->method_name);
        return true;
    case VARIABLE_REQUEST_URI:
        if (request->authority_len && !request->path_len)
            builder_char(out, '/');
        builder_bytes(out, request->base + request->path_at,
                      request->target_at + request->target_len - request->path_at);
        return true;
    case VARIABLE_URI:
    case VARIABLE_DOCUMENT_URI:
        builder_str(out, x->path);
        return true;
    case VARIABLE_ARGS:
    case VARIABLE_QUERY_STRING:
        builder_str(out, x->args);
        return true;
    case VARIABLE_IS_ARGS:
        builder_str(out, x->args.len ? STR("?") : STR(""));
        return true;
    case VARIABLE_ARG:
        builder_str(out, uri_arg(x->args, variable->name));
        return true;
    case VARIABLE_HTTP:
        client_field_build(request, variable->name, out);
        return true;
    case VARIABLE_COOKIE:
        variable_build_cookie(request, variable->name, out);
        return true;
    case VARIABLE_CONTENT_LENGTH:
        if (!x->is_body_dropped || x->parent)
            builder_str(out, h1_head_value(request, H1_CONTENT_LENGTH));
        return true;
    case VARIABLE_CONTENT_TYPE:
        fields_named_build(request, STR("content_type"), out);
        return true;
    case VARIABLE_SERVER_PROTOCOL:
        builder_str(out, request->minor ? STR("HTTP/1.1") : STR("HTTP/1.0"));
        return true;
    case VARIABLE_REQUEST_LENGTH:
        builder_u64(out, request->len + x->up.bytes);
        return true;
    default:
        return socketio_eval(x, variable, out);
    }
}

/* Three digits always: no answer is 000, that of HTTP/0.9 would be 009. */
static void status_build(unsigned status, struct builder *out) {
    builder_char(out, (char)('0' + status / 100 % 10));
    builder_char(out, (char)('0' + status / 10 % 10));
    builder_char(out, (char)('0' + status % 10));
}

/* Variables of the answer and of who gave it. */
static bool answer_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    uint64_t now_ms = x->engine->loop->now_ms, bytes;
    switch (variable->id) {
    case VARIABLE_STATUS:
        status_build(x->status ? x->status : x->local.status ? x->local.status : why_info(x->why)->http, out);
        return true;
    case VARIABLE_REQUEST:
        builder_str(out, exchange_request_line(x));
        return true;
    case VARIABLE_BYTES_SENT:
        bytes = exchange_unsent(x);
        builder_u64(out, x->sent_bytes > bytes ? x->sent_bytes - bytes : 0);
        return true;
    case VARIABLE_BODY_BYTES_SENT:
        bytes = exchange_unsent(x);
        builder_u64(out,
                    x->down.bytes + x->down.overhead > bytes ? x->down.bytes + x->down.overhead - bytes : 0);
        return true;
    case VARIABLE_REQUEST_TIME:
        builder_thousandths(out, now_ms - x->started_ms);
        return true;
    case VARIABLE_UPSTREAM_HTTP:
        fields_named_build(x->response, variable->name, out);
        return true;
    default:
        return attempt_eval(x, variable, out);
    }
}

static void slot_build(struct exchange *x, unsigned index, struct builder *out) {
    const struct slot *slot = &x->hold->snapshot->model->slots.items[index];
    if (x->slots && x->slots[index].ptr) {
        builder_str(out, x->slots[index]);
        return;
    }
    if (!slot->is_set || !exchange_policy(x)->warns_uninitialized)
        return;
    exchange_log(x, LOG_WARN, "using uninitialized \"%.*s\" variable", STR_ARG(slot->name));
    exchange_set_slot(x, index, STR("")); /* said once a request */
}

/* Variables of what the configuration chose. */
static void route_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_HOST:
        builder_str(out, x->host.len ? x->host : site_name(x->site));
        return;
    case VARIABLE_SERVER_NAME:
        builder_str(out, site_name(x->site));
        return;
    case VARIABLE_PROXY_ADD_X_FORWARDED_FOR:
        forwarded_for_build(x, out);
        return;
    case VARIABLE_PROXY_HOST:
        if (x->route->pass && x->group)
            builder_str(out, x->pass_host);
        return;
    case VARIABLE_PROXY_PORT:
        if (x->pass_port)
            builder_u64(out, x->pass_port);
        else if (x->group && x->group->upstream->servers.count)
            builder_u64(out, x->group->upstream->servers.items[0].port);
        return;
    case VARIABLE_DOCUMENT_ROOT:
        root_build(x, out);
        return;
    case VARIABLE_REALPATH_ROOT:
        real_root_build(x, out);
        return;
    case VARIABLE_REQUEST_FILENAME:
        filename_build(x, out);
        return;
    case VARIABLE_MAP:
        map_build(x, variable, out);
        return;
    case VARIABLE_CAPTURE:
        if (variable->index < x->captures.count)
            builder_str(out, x->captures.groups[variable->index]);
        return;
    case VARIABLE_SLOT:
        slot_build(x, variable->index, out);
        return;
    default:
        return;
    }
}

/* $ssl_*: asked of the connection. */
static bool is_tls(const struct variable *variable) {
    return variable->id >= VARIABLE_SSL_ALPN_PROTOCOL && variable->id <= VARIABLE_SSL_SESSION_REUSED;
}

static void tls_build(const struct exchange *x, const struct variable *variable, struct builder *out) {
    if (x->front)
        tls_fact_build(x->front->duct, variable->name, out);
}

void variable_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    if (x->is_stream && stream_eval(x, variable->id, out))
        return;
    if (is_tls(variable)) {
        tls_build(x, variable, out);
        return;
    }
    if (variable_eval_connection(x, variable, out) || time_eval(x, variable, out) ||
        answer_eval(x, variable, out))
        return;
    if (variable_eval_sent(x, variable, out) || (x->request && request_eval(x, variable, out)))
        return;
    route_eval(x, variable, out);
}

void template_eval(struct exchange *x, const struct template *template, struct builder *out) {
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        if (part->variable.id == VARIABLE_NONE)
            builder_str(out, part->text);
        else
            variable_eval(x, &part->variable, out);
    }
}

struct str template_eval_copy(struct exchange *x, const struct template *template) {
    struct str text;
    if (template_is_literal(template, &text) || template_is_empty(template))
        return template_is_empty(template) ? STR("") : text;
    /* The stage is free whenever a state's step is not in the middle of a message. */
    struct builder out = builder_make(x->engine->stage, VALUE_MAX);
    template_eval(x, template, &out);
    return arena_copy(&x->arena, builder_view(&out));
}
