#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/slot.h"

/* set, if, rewrite, return, break: operations of the level's program, in the order of the file. They are read
 * behind everything else of their block, for an `if` inherits what stands in it. */

static struct operation *operation_add(struct scope *scope, enum operation_kind kind) {
    struct operation *operation = READER_ADD(scope->reader, &scope->program->operations);
    if (operation)
        operation->kind = kind;
    return operation;
}

/* ---- set, break ---- */

static void set_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct variable target;
    struct template value;
    const struct word *text = &node->words[2];
    if (!slot_target(scope, &node->words[1], &target) || !compile_template(scope, text, text->text, &value))
        return;
    struct operation *operation = operation_add(scope, OPERATION_SET);
    if (!operation)
        return;
    operation->target = target;
    operation->value = value;
}

static void break_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)node;
    (void)row;
    operation_add(scope, OPERATION_BREAK);
}

/* ---- return ---- */

static bool is_url(struct str text) {
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://")) ||
           str_starts(text, STR("$scheme"));
}

static void return_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct local_answer answer = {0};
    const struct word *at = &node->words[1];
    const struct word *text = node->count == 3 ? &node->words[2] : NULL;
    uint64_t status = 302;
    if (!text && is_url(at->text)) {
        text = at;
    } else if (!str_to_u64(at->text, &status) || status > 999) {
        struct diagnostic *said = reader_fail(reader, at, "invalid return code \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said,
                        "write: return CODE; return CODE TEXT; return 301 URL; or return URL; with http:// or "
                        "https://");
        return;
    }
    if (status < 200)
        reader_say(
            reader, SEVERITY_WARNING, at,
            "\"return %.*s\": an answer's code is 200 or more, and a client may wait for one behind this",
            STR_ARG(at->text));
    answer.status = (unsigned)status;
    if (text && !compile_template(scope, text, text->text, &answer.text))
        return;
    struct operation *operation = operation_add(scope, OPERATION_RETURN);
    if (operation)
        operation->answer = answer;
}

/* ---- rewrite ---- */

static bool flag_read(struct scope *scope, const struct word *at, struct rewrite *rewrite) {
    static const struct str flags[] = {{"last", 4}, {"break", 5}, {"redirect", 8}, {"permanent", 9}};
    size_t i = 0;
    while (i < 4 && !str_eq(flags[i], at->text))
        i++;
    if (i < 4) {
        rewrite->ends = true;
        rewrite->is_break = i == 1;
        if (i >= 2)
            rewrite->status = i == 2 ? 302 : 301;
        return true;
    }
    struct diagnostic *said =
        reader_fail(scope->reader, at, "invalid parameter \"%.*s\" in \"rewrite\"", STR_ARG(at->text));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "the flag is one of: last (look for a location anew), break (stay in this one), redirect "
                    "(302), permanent (301)");
    return false;
}

static bool replacement_compile(struct scope *scope, const struct word *at, struct rewrite *rewrite) {
    struct str text = at->text;
    rewrite->keeps_args = text.ptr[text.len - 1] != '?';
    if (!rewrite->keeps_args)
        text.len--;
    size_t mark = str_find_char(text, '?');
    rewrite->has_args = mark != STR_NONE;
    if (rewrite->status || !rewrite->has_args)
        return compile_template(scope, at, text, &rewrite->path);
    return compile_template(scope, at, str_head(text, mark), &rewrite->path) &&
           compile_template(scope, at, str_from(text, mark + 1), &rewrite->args);
}

static void rewrite_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    const struct word *pattern = &node->words[1], *text = &node->words[2];
    struct rewrite rewrite = {.pattern = pattern->text};
    if (text->text.len == 0) {
        struct diagnostic *said = reader_fail(reader, text, "empty replacement");
        diagnostic_hint(reader->diagnostics, said, "a path, or a URL that begins with http:// or https://");
        return;
    }
    if (is_url(text->text)) {
        rewrite.status = 302;
        rewrite.ends = true;
    }
    if (node->count == 4 && !flag_read(scope, &node->words[3], &rewrite))
        return;
    rewrite.regex = compile_regex(reader, pattern, pattern->text, false);
    if (!rewrite.regex || !replacement_compile(scope, text, &rewrite))
        return;
    struct operation *operation = operation_add(scope, OPERATION_REWRITE);
    if (operation)
        operation->rewrite = rewrite;
}

/* ---- if ---- */

/* The words of a condition, without its brackets. */
struct test {
    struct scope *scope;
    struct word words[3];
    size_t count;
};

static bool test_fail(const struct test *t, const struct word *at) {
    struct reader *reader = t->scope->reader;
    struct diagnostic *said = reader_fail(reader, at, "invalid condition \"%.*s\"", STR_ARG(at->text));
    diagnostic_hint(
        reader->diagnostics, said,
        "write: if ($VARIABLE), if ($VARIABLE = TEXT), !=, ~ REGEX, ~*, !~, !~*, or if (-f PATH), -d, "
        "-e, -x, !-f ...");
    return false;
}

static bool test_split(struct test *t, const struct node *node) {
    const struct word *first = &node->words[1], *last = &node->words[node->count - 1];
    if (first->text.len == 0 || first->text.ptr[0] != '(')
        return test_fail(t, first);
    if (last->text.len == 0 || last->text.ptr[last->text.len - 1] != ')' ||
        (first == last && last->text.len < 2))
        return test_fail(t, last);
    for (const struct word *at = first; at <= last; at++) {
        struct word word = *at;
        if (at == first)
            word.text = str_from(word.text, 1);
        if (at == last)
            word.text.len--;
        if (word.text.len == 0 && (at == first || at == last) && !(at == last && t->count && at->is_quoted))
            continue;
        if (t->count == 3)
            return test_fail(t, first);
        t->words[t->count++] = word;
    }
    return t->count > 0 || test_fail(t, first);
}

static bool regex_test(struct test *t, struct condition *condition, bool is_nocase) {
    const struct word *at = &t->words[2];
    condition->kind = CONDITION_REGEX;
    condition->pattern = at->text;
    condition->regex = compile_regex(t->scope->reader, at, at->text, is_nocase);
    return condition->regex != NULL;
}

static bool variable_test(struct test *t, struct condition *condition) {
    struct str sign = t->words[1].text;
    if (t->count == 2)
        return test_fail(t, &t->words[0]);
    if (!compile_template(t->scope, &t->words[0], t->words[0].text, &condition->subject))
        return false;
    if (condition->subject.count != 1)
        return test_fail(t, &t->words[0]);
    if (t->count == 1)
        return true;
    condition->is_negated = sign.len > 1 && sign.ptr[0] == '!';
    if (condition->is_negated)
        sign = str_from(sign, 1);
    if (str_eq(sign, STR("~")) || str_eq(sign, STR("~*")))
        return regex_test(t, condition, sign.len == 2);
    if (!str_eq(sign, STR("="))) {
        struct diagnostic *said = reader_fail(t->scope->reader, &t->words[1],
                                              "unexpected \"%.*s\" in condition", STR_ARG(t->words[1].text));
        diagnostic_hint(t->scope->reader->diagnostics, said, "it must be one of = != ~ ~* !~ !~*");
        return false;
    }
    condition->kind = CONDITION_EQUAL;
    return compile_template(t->scope, &t->words[2], t->words[2].text, &condition->value);
}

static bool file_test(struct test *t, struct condition *condition) {
    struct str name = t->words[0].text;
    condition->is_negated = name.len == 3 && name.ptr[0] == '!';
    switch (name.len < 2 || name.len > 3 || t->count != 2 ? '\0' : name.ptr[name.len - 1]) {
    case 'f':
        condition->kind = CONDITION_FILE;
        break;
    case 'd':
        condition->kind = CONDITION_DIRECTORY;
        break;
    case 'e':
        condition->kind = CONDITION_EXISTS;
        break;
    case 'x':
        condition->kind = CONDITION_EXECUTABLE;
        break;
    default:
        return test_fail(t, &t->words[0]);
    }
    if (name.ptr[name.len - 2] != '-' || (name.len == 3 && !condition->is_negated))
        return test_fail(t, &t->words[0]);
    return compile_template(t->scope, &t->words[1], t->words[1].text, &condition->subject);
}

/* What holds in an `if`: all that holds around it, and what the block says. */
static struct route *route_branch(struct scope *scope, const struct node *node) {
    struct route *route = reader_alloc(scope->reader, sizeof *route);
    if (!route)
        return NULL;
    *route = *scope->route;
    route->place = word_place(&node->words[0]);
    route->branch_of = scope->route;
    route->children = (struct route_table){0};
    memset(&route->program, 0, sizeof route->program);
    return route;
}

static void if_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct test t = {.scope = scope};
    struct condition condition = {0};
    bool is_inner = (scope->context & CONTEXT_LOCATION) != 0;
    if (!test_split(&t, node))
        return;
    bool is_variable = t.words[0].text.len > 1 && t.words[0].text.ptr[0] == '$';
    bool is_right = is_variable ? variable_test(&t, &condition) : file_test(&t, &condition);
    struct route *route = route_branch(scope, node);
    size_t at = scope->program->operations.count;
    struct operation *operation = route ? operation_add(scope, OPERATION_IF) : NULL;
    if (!operation)
        return;
    operation->condition = condition;
    operation->route = is_inner ? route : NULL;
    struct scope inner = scope_inner(scope, is_inner ? CONTEXT_LOCATION_IF : CONTEXT_SERVER_IF, node);
    inner.route = route;
    inner.policy = &route->policy;
    scope_read(&inner);
    operation = &scope->program->operations.items[at];
    operation->end = scope->program->operations.count;
    if (!is_right) /* it is said; what stood in the block has been looked at too */
        scope->program->operations.count = at;
}

#define CONTEXT_REWRITE (CONTEXT_SERVER | CONTEXT_LOCATION | CONTEXT_SERVER_IF | CONTEXT_LOCATION_IF)

static const struct directive rows[] = {
    {"set", CONTEXT_REWRITE | CONTEXT_STREAM_SERVER, 2, 2, DIRECTIVE_LAST, set_read, NOTHING, NULL},
    {"rewrite", CONTEXT_REWRITE, 2, 3, DIRECTIVE_LAST, rewrite_read, NOTHING, NULL},
    {"return", CONTEXT_REWRITE, 1, 2, DIRECTIVE_LAST, return_read, NOTHING, NULL},
    {"break", CONTEXT_REWRITE, 0, 0, DIRECTIVE_LAST, break_read, NOTHING, NULL},
    {"if", CONTEXT_SERVER | CONTEXT_LOCATION, 1, ARGUMENTS_ANY, DIRECTIVE_BLOCK | DIRECTIVE_LAST, if_read,
     NOTHING, NULL},
    {"rewrite_log", CONTEXT_HSL | CONTEXT_REWRITE, 1, 1, DIRECTIVE_ONCE, set_flag, POLICY(logs_rewrites), NULL},
    {"uninitialized_variable_warn", CONTEXT_HSL | CONTEXT_REWRITE, 1, 1, DIRECTIVE_ONCE, set_flag,
     POLICY(warns_uninitialized), NULL},
};

const struct area rewrite_area = {rows, sizeof rows / sizeof *rows};
