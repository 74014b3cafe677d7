#include "dialect/nginx/compile.h"
#include "dialect/nginx/guard.h"
#include "dialect/nginx/set.h"

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

static const struct directive rows[] = {
    {"auth_basic", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, realm_set, NOTHING, NULL},
    {"auth_basic_user_file", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, user_file_set, NOTHING, NULL},
};

const struct area auth_area = {rows, sizeof rows / sizeof *rows};
