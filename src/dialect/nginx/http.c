#include "dialect/nginx/http.h"

#include "dialect/nginx/map.h"
#include "dialect/nginx/pass.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/slot.h"
#include "dialect/nginx/unit.h"

/* What http, server and location share: limits and times of the client's side. */

void http_enter(struct scope *scope) {
    scope->policy = &scope->reader->policy;
    scope->site = &scope->reader->site;
    map_declare(scope);
    slot_declare(scope);
    scope_read(scope);
    pass_verify(scope);
}

void http_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct scope inner = scope_inner(scope, CONTEXT_HTTP, node);
    http_enter(&inner);
}

/* keepalive_timeout TIME [TIME of the header field] */
static void keepalive_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct policy *policy = scope->policy;
    uint64_t ms, header_s = 0;
    if (!unit_time_ms(node->words[1].text, &ms)) {
        set_fail(scope, &node->words[1], row, "a time, as 75s; 0 keeps no connection");
        return;
    }
    if (node->count == 3 && !unit_time_s(node->words[2].text, &header_s)) {
        set_fail(scope, &node->words[2], row, "a time in seconds, for the Keep-Alive field");
        return;
    }
    policy->keepalive_timeout_ms = ms;
    policy->keepalive_header_s = header_s;
}

/* lingering_close on|off|always */
static void lingering_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const char *const names[] = {"on", "off", "always"};
    unsigned choice;
    if (set_read_choice(scope, node, row, names, 3, "on, off or always", &choice))
        scope->policy->lingering = (enum lingering)choice;
}

/* large_client_header_buffers NUMBER SIZE */
static void large_buffers_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t count, bytes;
    if (!str_to_u64(node->words[1].text, &count) || count == 0 || count > 1024) {
        set_fail(scope, &node->words[1], row, "a number of buffers from 1 to 1024, then their size");
        return;
    }
    if (!unit_size(node->words[2].text, false, &bytes) || bytes < 256 || bytes > 64 * 1024 * 1024) {
        set_fail(scope, &node->words[2], row, "a size from 256 to 64m, as 8k");
        return;
    }
    scope->site->large_buffer_count = (size_t)count;
    scope->site->large_buffer_bytes = (size_t)bytes;
}

static void small_buffer_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t bytes;
    if (!unit_size(node->words[1].text, false, &bytes) || bytes < 64 || bytes > 64 * 1024 * 1024)
        set_fail(scope, &node->words[1], row, "a size from 64 to 64m, as 1k");
    else
        scope->site->client_header_buffer_bytes = (size_t)bytes;
}

/* client_body_in_file_only on | clean | off */
static void file_only_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct body_policy *body = &scope->policy->body;
    struct str text = node->words[1].text;
    if (str_eq_nocase(text, STR("on")))
        body->file_only = BODY_FILE_ON;
    else if (str_eq_nocase(text, STR("clean")))
        body->file_only = BODY_FILE_CLEAN;
    else if (str_eq_nocase(text, STR("off")))
        body->file_only = BODY_FILE_OFF;
    else
        set_fail(scope, &node->words[1], row, "\"on\", \"clean\" or \"off\"");
}

static void max_headers_set(struct scope *scope, const struct node *node, const struct directive *row) {
    enum { MOST = 128 };
    uint64_t count;
    if (!set_read_number(scope, &node->words[1], row->name, INT32_MAX, &count))
        return;
    if (count > MOST)
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[1],
                   "a request may have %d headers at most, which is what is taken for %.*s", MOST,
                   STR_ARG(node->words[1].text));
    scope->site->max_headers = count < MOST ? count : MOST;
}

/* What is only of nginx's own memory is looked at all the same: a slip in it is one. */
static void count_check(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t count;
    if (set_read_number(scope, &node->words[1], row->name, INT64_MAX, &count))
        set_nothing(scope, node, row);
}

static void size_check(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t bytes;
    if (unit_size(node->words[1].text, false, &bytes))
        set_nothing(scope, node, row);
    else
        set_fail(scope, &node->words[1], row, "a size in bytes, as 512, 8k or 1m");
}

/* keepalive_disable none | msie6 | safari ... */
static void browsers_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const struct set_word words[] = {{"none", 0}, {"msie6", DISABLE_MSIE6}, {"safari", DISABLE_SAFARI}};
    scope->policy->keepalive_disable =
        set_read_words(scope, node, row, words, 3, "it must be none, msie6 or safari");
}

static void body_buffer_set(struct scope *scope, const struct node *node, const struct directive *row) {
    set_size(scope, node, row);
    if (*(size_t *)scope_member(scope, row, sizeof(size_t)) == 0)
        reader_fail(scope->reader, &node->words[1], "client body buffer size cannot be zero");
}

static const struct directive rows[] = {
    {"connection_pool_size", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, size_check, NOTHING, NULL},
    {"request_pool_size", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, size_check, NOTHING, NULL},
    {"variables_hash_max_size", CONTEXT_HTTP, 1, 1, DIRECTIVE_ONCE, count_check, NOTHING, NULL},
    {"variables_hash_bucket_size", CONTEXT_HTTP, 1, 1, DIRECTIVE_ONCE, count_check, NOTHING, NULL},
    {"keepalive_disable", CONTEXT_HSL, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, browsers_set, NOTHING, NULL},
    {"client_max_body_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_bytes, POLICY(client_max_body_bytes), NULL},
    {"client_body_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(client_body_timeout_ms),
     NULL},
    {"client_header_timeout", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, set_wait_ms,
     SITE(client_header_timeout_ms), NULL},
    {"client_header_buffer_size", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, small_buffer_set,
     NOTHING, NULL},
    {"large_client_header_buffers", CONTEXT_HTTP | CONTEXT_SERVER, 2, 2, DIRECTIVE_ONCE, large_buffers_set,
     NOTHING, NULL},
    {"max_headers", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, max_headers_set, NOTHING, NULL},
    {"merge_slashes", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, set_flag, SITE(merges_slashes),
     NULL},
    {"ignore_invalid_headers", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, set_flag,
     SITE(drops_odd_headers), NULL},
    {"underscores_in_headers", CONTEXT_HTTP | CONTEXT_SERVER, 1, 1, DIRECTIVE_ONCE, set_flag,
     SITE(takes_underscores), NULL},
    {"send_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_wait_ms, POLICY(client_send_timeout_ms), NULL},
    {"keepalive_timeout", CONTEXT_HSL, 1, 2, DIRECTIVE_ONCE, keepalive_set, NOTHING, NULL},
    {"keepalive_requests", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_number, POLICY(keepalive_requests), NULL},
    {"lingering_time", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_time_ms, POLICY(lingering_time_ms), NULL},
    {"lingering_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_time_ms, POLICY(lingering_timeout_ms), NULL},
    {"tcp_nodelay", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_on, NOTHING,
     "bytes are passed on at once in any case"},
    {"lingering_close", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, lingering_set, NOTHING, NULL},
    {"keepalive_time", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_time_ms, POLICY(keepalive_time_ms), NULL},
    {"keepalive_min_timeout", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_time_ms, POLICY(keepalive_min_timeout_ms),
     NULL},
    {"reset_timedout_connection", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(resets_timedout), NULL},
    {"limit_rate", CONTEXT_HSLI, 1, 1, DIRECTIVE_ONCE, set_rate, POLICY(limit_rate), NULL},
    {"limit_rate_after", CONTEXT_HSLI, 1, 1, DIRECTIVE_ONCE, set_rate, POLICY(limit_rate_after), NULL},
    {"client_body_buffer_size", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, body_buffer_set, POLICY(body.buffer_bytes),
     NULL},
    {"client_body_temp_path", CONTEXT_HSL, 1, 4, DIRECTIVE_ONCE, set_temp_path, POLICY(body.path), NULL},
    {"client_body_in_file_only", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, file_only_set, NOTHING, NULL},
    {"client_body_in_single_buffer", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING,
     "what is kept in memory of a body is in one piece in any case"},
};

const struct area http_area = {rows, sizeof rows / sizeof *rows};
