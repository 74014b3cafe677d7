#include "model/print/check_print.h"

static const char *const kinds[] = {[CHECK_TCP] = "tcp",
                                    [CHECK_HTTP] = "http",
                                    [CHECK_SSL_HELLO] = "ssl_hello",
                                    [CHECK_WEBSOCKET] = "websocket",
                                    [CHECK_SOCKETIO] = "socketio"};
static const char *const tests[] = {
    [FIELD_PRESENT] = "is there", [FIELD_ABSENT] = "is absent", [FIELD_EQUAL] = "=",
    [FIELD_UNEQUAL] = "!=",       [FIELD_LIKE] = "~",           [FIELD_UNLIKE] = "!~"};

static void quoted(struct builder *out, const char *what, struct str text) {
    if (text.len == 0)
        return;
    builder_format(out, " %s \"", what);
    builder_escaped(out, text);
    builder_char(out, '"');
}

static void good_print(struct builder *out, const struct match *good) {
    if (good->statuses.count)
        builder_str(out, good->is_status_negated ? STR(" status not") : STR(" status"));
    for (size_t i = 0; i < good->statuses.count; i++)
        builder_format(out, " %u-%u", good->statuses.items[i].from, good->statuses.items[i].to);
    for (size_t i = 0; i < good->fields.count; i++) {
        const struct match_field *field = &good->fields.items[i];
        builder_format(out, " field %.*s %s", STR_ARG(field->name), tests[field->test]);
        quoted(out, "", field->text);
    }
    if (good->body)
        builder_str(out, good->is_body_negated ? STR(" body unlike") : STR(" body like"));
    quoted(out, "send", good->send);
    quoted(out, "expect", good->expect);
    if (good->expect_regex)
        builder_str(out, STR(" expect like"));
}

void check_print(struct builder *out, const struct check *check) {
    builder_format(out, "check %s interval %llu timeout %llu rise %u fall %u", kinds[check->kind],
                   (unsigned long long)check->interval_ms, (unsigned long long)check->timeout_ms, check->rise,
                   check->fall);
    if (check->jitter_ms)
        builder_format(out, " jitter %llu", (unsigned long long)check->jitter_ms);
    if (check->port)
        builder_format(out, " port %u", check->port);
    if (check->begins_down)
        builder_str(out, STR(" begins_down"));
    if (check->is_persistent)
        builder_str(out, STR(" persistent"));
    if (check->closes_tunnels)
        builder_format(out, " closes tunnels over %llu", (unsigned long long)check->drain_ms);
    quoted(out, "request", check->request);
    if (check->kind == CHECK_WEBSOCKET || check->kind == CHECK_SOCKETIO)
        quoted(out, "uri", check->uri);
    good_print(out, check->good);
}
