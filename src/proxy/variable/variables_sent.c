#include "codec/h1_head.h"
#include "proxy/variable/variables.h"

/* Variables of what the client has been sent, and of the request's fields that need more than a look. */

/* Is this the field's name, as nginx writes it in a variable: lower case, '-' as '_'? */
bool variable_names_field(struct str name, struct str field) {
    if (field.len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != (field.ptr[i] == '-' ? '_' : str_lower_char(field.ptr[i])))
            return false;
    return true;
}

/* Of whole lines, "Name: value" each, all that are so named. */
static void lines_build(struct str lines, struct str name, struct builder *out) {
    size_t begin = out->len;
    for (struct str line; str_split(&lines, '\n', &line);) {
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NONE || !variable_names_field(name, str_head(line, colon)))
            continue;
        if (line.ptr[line.len - 1] == '\r')
            line.len--;
        if (out->len != begin)
            builder_str(out, STR(", "));
        builder_str(out, str_trim(str_from(line, colon + 1)));
    }
}

/* The text behind the last ':', where it is a port. */
static struct str port_find(const struct h1_head *request) {
    struct str host = request->authority_len
                          ? str_make(request->base + request->authority_at, request->authority_len)
                          : h1_head_value(request, H1_HOST);
    size_t at = host.len;
    while (at && host.ptr[at - 1] != ':' && host.ptr[at - 1] != ']')
        at--;
    return at && host.ptr[at - 1] == ':' ? str_from(host, at) : STR("");
}

bool variable_eval_sent(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_SENT_HTTP:
        lines_build(str_from(x->sent_head, str_find_char(x->sent_head, '\n')), variable->name, out);
        return true;
    case VARIABLE_SENT_TRAILER:
        if (x->down.framing == H1_CHUNKED && x->down.trailer)
            lines_build(str_make(x->down.trailer, x->down.trailer_len), variable->name, out);
        lines_build(x->sent_trailer, variable->name, out);
        return true;
    case VARIABLE_REQUEST:
        builder_str(out, exchange_request_line(x));
        return true;
    case VARIABLE_LIMIT_RATE:
        builder_u64(out, x->rate);
        return true;
    case VARIABLE_REQUEST_COMPLETION:
        builder_str(out, x->down.is_done && x->is_head_out && !exchange_unsent(x) ? STR("OK") : STR(""));
        return true;
    case VARIABLE_REQUEST_PORT:
        builder_str(out, x->request ? port_find(x->request) : STR(""));
        return true;
    case VARIABLE_IS_REQUEST_PORT:
        builder_str(out, x->request && port_find(x->request).len ? STR(":") : STR(""));
        return true;
    default:
        return false;
    }
}

/* What stands behind "name =" at the head of the text, up to ';'. */
static bool cookie_take(struct str text, struct str name, struct str *value) {
    if (!str_starts_nocase(text, name))
        return false;
    text = str_from(text, name.len);
    while (text.len && text.ptr[0] == ' ')
        text = str_from(text, 1);
    if (text.len == 0 || text.ptr[0] != '=')
        return false;
    do
        text = str_from(text, 1);
    while (text.len && text.ptr[0] == ' ');
    *value = str_head(text, str_find_char(text, ';'));
    return true;
}

void variable_build_cookie(const struct h1_head *head, struct str name, struct builder *out) {
    struct str value;
    for (unsigned i = 0; i < head->field_count; i++) {
        struct str rest = h1_field_value(head, &head->fields[i]);
        if (head->fields[i].id != H1_COOKIE)
            continue;
        while (rest.len) {
            if (cookie_take(rest, name, &value)) {
                builder_str(out, value);
                return;
            }
            while (rest.len && rest.ptr[0] != ';')
                rest = str_from(rest, 1);
            do
                rest = str_from(rest, 1);
            while (rest.len && rest.ptr[0] == ' ');
        }
    }
}

/* The last address in the list, which is cut off. */
static struct str address_take(struct str *list) {
    while (list->len && (list->ptr[list->len - 1] == ',' || list->ptr[list->len - 1] == ' '))
        list->len--;
    size_t at = list->len;
    while (at && list->ptr[at - 1] != ',' && list->ptr[at - 1] != ' ')
        at--;
    struct str address = str_from(*list, at);
    list->len = at;
    return address;
}

struct str variable_forwarded(struct exchange *x, const struct value_map *map, struct str address) {
    struct variable field = {.id = VARIABLE_HTTP, .name = STR("x_forwarded_for")};
    enum { LIST_MAX_BYTES = 4096 };
    char memory[LIST_MAX_BYTES];
    struct builder out = builder_make(memory, sizeof memory);
    variable_eval(x, &field, &out);
    struct str list = arena_copy(&x->arena, builder_view(&out));
    while (list.ptr && value_map_trusts(map, address)) {
        struct str next = address_take(&list);
        struct cidr parsed;
        if (cidr_parse(next, &parsed) == CIDR_BAD || str_find_char(next, '/') != STR_NONE)
            break;
        address = next;
        if (!map->is_proxy_recursive)
            break;
    }
    return address;
}
