#include "proxy/guard/real_ip.h"

#include "proxy/proxied.h"

static bool is_trusted(const struct guard *guard, const struct address *address) {
    struct str ip = address_bytes(address);
    bool is_unix = address_is_unix(address);
    for (size_t i = 0; i < guard->trusted.count; i++) {
        const struct trusted *trusted = guard->trusted.items[i];
        if (trusted->host.len == 0 && cidr_has(&trusted->cidr, ip, is_unix))
            return true;
        for (size_t j = 0; j < trusted->addresses.count; j++)
            if (cidr_has(&trusted->addresses.items[j], ip, is_unix))
                return true;
    }
    return false;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1" or "[2001:db8::1]:80". */
static bool address_read(struct str text, struct address *address) {
    bool is_bracketed = text.len && text.ptr[0] == '[';
    uint64_t port;
    if (!is_bracketed && address_parse(text, 0, address))
        return true;
    size_t colon = is_bracketed ? str_find(text, STR("]:")) : str_find_char(text, ':');
    if (colon == STR_NONE)
        return false;
    colon += is_bracketed;
    return str_to_u64(str_from(text, colon + 1), &port) && port >= 1 && port <= UINT16_MAX &&
           address_parse(str_head(text, colon), (uint16_t)port, address);
}

static bool is_gap(char c) {
    return c == ' ' || c == ',';
}

/* Takes the last item of a list away. */
static struct str last_take(struct str *list) {
    size_t end = list->len, begin;
    while (end && is_gap(list->ptr[end - 1]))
        end--;
    for (begin = end; begin && !is_gap(list->ptr[begin - 1]);)
        begin--;
    struct str item = str_make(list->ptr + begin, end - begin);
    list->len = begin;
    return item;
}

/* Goes back from the end of the list as long as trust reaches. True: it may go on in an earlier list. */
static bool list_follow(const struct guard *guard, struct str list, struct address *client) {
    do {
        if (!is_trusted(guard, client) || !address_read(last_take(&list), client))
            return false;
    } while (guard->is_real_ip_recursive && list.len);
    return true;
}

static void fields_follow(struct exchange *x, const struct guard *guard, struct address *client) {
    const struct h1_head *request = x->request;
    for (unsigned i = request->field_count; i-- > 0;)
        if (request->fields[i].id == H1_X_FORWARDED_FOR)
            if (!list_follow(guard, h1_field_value(request, &request->fields[i]), client) ||
                !guard->is_real_ip_recursive)
                return;
}

static void field_follow(struct exchange *x, const struct guard *guard, struct address *client) {
    const struct h1_head *request = x->request;
    struct str name = guard->real_ip_field.len ? guard->real_ip_field : STR("X-Real-IP");
    for (unsigned i = 0; i < request->field_count; i++)
        if (str_eq_nocase(h1_field_name(request, &request->fields[i]), name)) {
            list_follow(guard, h1_field_value(request, &request->fields[i]), client);
            return;
        }
}

bool real_ip_find(struct exchange *x, const struct guard *guard) {
    if (!guard || guard->trusted.count == 0 || x->connected)
        return true;
    struct address client = x->client;
    if (x->is_stream || guard->real_ip_source == REAL_IP_PROXY_PROTOCOL) {
        if (x->proxied && is_trusted(guard, &client))
            client = proxied_address(x->proxied, &x->proxied->header.source);
    } else if (guard->real_ip_source == REAL_IP_FORWARDED_FOR)
        fields_follow(x, guard, &client);
    else
        field_follow(x, guard, &client);
    if (address_eq(&client, &x->client))
        return true;
    x->connected = arena_alloc(&x->arena, sizeof *x->connected);
    if (!x->connected)
        return false;
    *x->connected = x->client;
    x->client = client;
    return true;
}

enum guard_verdict real_ip_check(struct exchange *x, const struct guard *guard) {
    x->guarding->status = 503;
    return real_ip_find(x, guard) ? GUARD_ASIDE : GUARD_REFUSES;
}
