#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* Answers of our own: pages of errors, and what redirections name. */

/* Statuses that are nginx's own: answered as 400 unless said otherwise. */
static bool is_kind_of_400(uint64_t status) {
    return status >= 494 && status <= 497;
}

static bool response_read(struct scope *scope, const struct word *at, uint64_t *response) {
    struct str text = str_from(at->text, 1);
    *response = 0;
    if (text.len == 0 || (str_to_u64(text, response) && *response <= 999))
        return true;
    struct diagnostic *said =
        reader_fail(scope->reader, at, "invalid value \"%.*s\" in \"error_page\"", STR_ARG(at->text));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "write =CODE for the status that is answered, or = for the one that the page has itself");
    return false;
}

static bool status_read(struct scope *scope, const struct word *at, uint64_t *status) {
    struct diagnostic *said;
    if (!str_to_u64(at->text, status) || *status == 499)
        said = reader_fail(scope->reader, at, "invalid value \"%.*s\" in \"error_page\"", STR_ARG(at->text));
    else if (*status < 300 || *status > 599)
        said = reader_fail(scope->reader, at, "value \"%.*s\" must be between 300 and 599", STR_ARG(at->text));
    else
        return true;
    diagnostic_hint(scope->reader->diagnostics, said, "write: error_page CODE ... [=[CODE]] PATH|@NAME|URL;");
    return false;
}

/* error_page CODE ... [=[RESPONSE]] TARGET: one in a block replaces all of the outer ones. */
static void error_page_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct policy *policy = scope->policy;
    const struct word *last = &node->words[node->count - 1], *before = last - 1;
    bool has_response = str_starts(before->text, STR("="));
    struct error_page page = {.keeps_status = !has_response};
    uint64_t response = 0, status;
    if (scope->is_first)
        memset(&policy->error_pages, 0, sizeof policy->error_pages);
    if ((has_response && !response_read(scope, before, &response)) ||
        !compile_template(scope, last, last->text, &page.target))
        return;
    page.response = (unsigned)response;
    if (has_response && node->count == 3)
        status_read(scope, before, &status);
    for (size_t i = 1; i < node->count - (has_response ? 2 : 1); i++) {
        if (!status_read(scope, &node->words[i], &status))
            continue;
        struct error_page *slot = READER_ADD(reader, &policy->error_pages);
        if (!slot)
            return;
        *slot = page;
        slot->status = (unsigned)status;
        if (!has_response && is_kind_of_400(status)) {
            slot->keeps_status = false;
            slot->response = 400;
        }
    }
}

static void internal_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)node;
    (void)row;
    scope->route->is_internal = true;
}

/* server_tokens on|off|build|TEXT */
static void tokens_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    static const char *const names[] = {"on", "off", "build"};
    struct policy *policy = scope->policy;
    const struct word *at = &node->words[1];
    policy->server_tokens = SERVER_TOKENS_TEXT;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(at->text, str_of(names[i])))
            policy->server_tokens = (enum server_tokens)i;
    if (policy->server_tokens == SERVER_TOKENS_TEXT)
        compile_template(scope, at, at->text, &policy->server_text);
}

static bool method_read(struct scope *scope, const struct word *at, struct limit_except *limit) {
    static const struct str known[] = {{"GET", 3},     {"HEAD", 4},     {"POST", 4},      {"PUT", 3},
                                       {"DELETE", 6},  {"MKCOL", 5},    {"COPY", 4},      {"MOVE", 4},
                                       {"OPTIONS", 7}, {"PROPFIND", 8}, {"PROPPATCH", 9}, {"LOCK", 4},
                                       {"UNLOCK", 6},  {"PATCH", 5}};
    size_t count = sizeof known / sizeof *known, found = 0;
    while (found < count && !str_eq_nocase(at->text, known[found]))
        found++;
    if (found == count) {
        struct diagnostic *said = reader_fail(scope->reader, at, "invalid method \"%.*s\"", STR_ARG(at->text));
        struct str near = diagnostic_nearest(at->text, known, count);
        if (near.len)
            diagnostic_hint(scope->reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
        return false;
    }
    struct str *slot = READER_ADD(scope->reader, &limit->methods);
    if (!slot)
        return false;
    *slot = known[found];
    return true;
}

/* limit_except METHOD ... { }: the location once more, for other methods. As in nginx neither what is rewritten
 * nor try_files holds there. */
static void limit_except_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct limit_except *limit = reader_alloc(reader, sizeof *limit);
    struct route *route = reader_alloc(reader, sizeof *route);
    if (!limit || !route)
        return;
    *limit = (struct limit_except){.route = route};
    *route = *scope->route;
    route->children = (struct route_table){0};
    route->tries = NULL;
    memset(&route->program, 0, sizeof route->program);
    if (route->action != ROUTE_PASS)
        route->action = ROUTE_FILES;
    for (size_t i = 1; i < node->count; i++)
        if (!method_read(scope, &node->words[i], limit))
            return;
    struct scope inner = scope_inner(scope, CONTEXT_LIMIT, node);
    inner.route = route;
    inner.policy = &route->policy;
    scope_read(&inner);
    scope->route->limit = limit;
}

/* stub_status, once with an argument that said nothing */
static void stub_status_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)node;
    (void)row;
    scope->route->action = ROUTE_STUB_STATUS;
}

/* early_hints TEXT...: the first in a block replaces those of the outer ones. */
static void hints_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct policy *policy = scope->policy;
    if (scope->is_first)
        memset(&policy->early_hints, 0, sizeof policy->early_hints);
    for (size_t i = 1; i < node->count; i++) {
        struct template *slot = READER_ADD(scope->reader, &policy->early_hints);
        if (slot && !compile_template(scope, &node->words[i], node->words[i].text, slot))
            *slot = (struct template){0};
    }
}

static const struct directive rows[] = {
    {"early_hints", CONTEXT_HSL, 1, ARGUMENTS_ANY, 0, hints_add, NOTHING, NULL},
    {"stub_status", CONTEXT_SERVER | CONTEXT_LOCATION, 0, 1, 0, stub_status_set, NOTHING, NULL},
    {"server_tokens", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, tokens_set, NOTHING, NULL},
    {"error_page", CONTEXT_HSLI, 2, ARGUMENTS_ANY, 0, error_page_add, NOTHING, NULL},
    {"recursive_error_pages", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(is_error_recursive), NULL},
    {"limit_except", CONTEXT_LOCATION, 1, ARGUMENTS_ANY, DIRECTIVE_BLOCK | DIRECTIVE_ONCE | DIRECTIVE_LAST,
     limit_except_read, NOTHING, NULL},
    {"internal", CONTEXT_LOCATION, 0, 0, 0, internal_set, NOTHING, NULL},
    {"absolute_redirect", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(is_redirect_absolute), NULL},
    {"port_in_redirect", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(is_redirect_with_port), NULL},
    {"server_name_in_redirect", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(is_redirect_site_named),
     NULL},
    {"msie_padding", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "no browser needs it any more"},
    {"msie_refresh", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, set_nothing, NOTHING, "no browser needs it any more"},
};

const struct area answer_area = {rows, sizeof rows / sizeof *rows};
