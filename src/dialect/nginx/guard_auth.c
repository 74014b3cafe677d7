#include "dialect/nginx/compile.h"
#include "dialect/nginx/guard.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/slot.h"
#include "dialect/nginx/unit.h"

/* Who is asked for a password, or after whom another server is asked: auth_basic, auth_request. */

static void realm_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct template realm;
    if (!compile_template(scope, &node->words[1], node->words[1].text, &realm))
        return;
    struct guard *guard = guard_own(scope);
    if (!guard)
        return;
    guard->realm = realm;
    guard->has_realm = true;
}

static void user_file_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct template file;
    if (!compile_template(scope, &node->words[1], node->words[1].text, &file))
        return;
    struct guard *guard = guard_own(scope);
    if (!guard)
        return;
    guard->user_file = file;
    guard->has_user_file = true;
    guard->user_file_base = reader_join(scope->reader, scope->reader->directory, STR(""));
}

static void delay_set(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t ms;
    if (!unit_time_ms(node->words[1].text, &ms)) {
        set_fail(scope, &node->words[1], row, "a time, as 2s, 500ms; 0 delays nobody");
        return;
    }
    struct guard *guard = guard_own(scope);
    if (guard)
        guard->auth_delay_ms = ms;
}

/* auth_request URI | off */
static void request_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str path = node->words[1].text;
    bool is_off = str_eq(path, STR("off"));
    if (!is_off && (path.len == 0 || path.ptr[0] != '/')) {
        struct diagnostic *said = reader_fail(reader, &node->words[1],
                                              "\"auth_request %.*s\": a path begins with \"/\"", STR_ARG(path));
        diagnostic_hint(reader->diagnostics, said,
                        "it is a path of this server's own: location = /auth { internal; proxy_pass ...; }");
        return;
    }
    struct guard *guard = guard_own(scope);
    if (guard)
        guard->auth_path = is_off ? STR("") : path;
}

/* auth_request_set $VARIABLE VALUE */
static void variable_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct auth_variable read;
    if (!slot_target(scope, &node->words[1], &read.target) ||
        !compile_template(scope, &node->words[2], node->words[2].text, &read.value))
        return;
    struct guard *guard = guard_own(scope);
    if (!guard)
        return;
    GUARD_OWN_LIST(scope, guard, auth_variables);
    struct auth_variable *slot = READER_ADD(scope->reader, &guard->auth_variables);
    if (slot)
        *slot = read;
}

static const struct directive rows[] = {
    {"auth_basic", CONTEXT_HSL | CONTEXT_LIMIT, 1, 1, DIRECTIVE_ONCE, realm_set, NOTHING, NULL},
    {"auth_basic_user_file", CONTEXT_HSL | CONTEXT_LIMIT, 1, 1, DIRECTIVE_ONCE, user_file_set, NOTHING, NULL},
    {"auth_delay", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, delay_set, NOTHING, NULL},
    {"auth_request", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, request_set, NOTHING, NULL},
    {"auth_request_set", CONTEXT_HSL, 2, 2, 0, variable_add, NOTHING, NULL},
};

const struct area auth_area = {rows, sizeof rows / sizeof *rows};
