#include "dialect/nginx/headers.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* What is added to answers: add_header, add_trailer, expires. */

bool headers_name_is_valid(struct str name) {
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", name.ptr[i]))
            return false;
    return name.len > 0;
}

bool headers_rule_read(struct scope *scope, const struct node *node, struct header_rule *rule) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[1];
    *rule = (struct header_rule){.name = at->text};
    if (!headers_name_is_valid(at->text)) {
        struct diagnostic *said =
            reader_fail(reader, at, "\"%.*s\" is no name of a header field", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "the name is written without a colon: %.*s NAME VALUE;",
                        STR_ARG(node_name(node)));
        return false;
    }
    for (size_t i = 0; i < node->words[2].text.len; i++)
        if (memchr("\r\n", node->words[2].text.ptr[i], 2) || !node->words[2].text.ptr[i]) {
            reader_fail(reader, &node->words[2], "a header field's value cannot have a line break in it");
            return false;
        }
    return compile_template(scope, &node->words[2], node->words[2].text, &rule->value);
}

void headers_enter(struct policy *policy) {
    if (policy->header_inherit == INHERIT_OFF)
        policy->add_headers = (struct header_rules){0};
    if (policy->trailer_inherit == INHERIT_OFF)
        policy->add_trailers = (struct header_rules){0};
}

/* The first of a block replaces the outer ones, or comes before them. */
static bool list_begin(struct scope *scope, struct header_rules *list, enum header_inherit inherit) {
    struct header_rules *outer = NULL;
    if (inherit == INHERIT_MERGE && (list->rules.count || list->outer)) {
        outer = reader_alloc(scope->reader, sizeof *outer);
        if (!outer)
            return false;
        *outer = *list;
    }
    *list = (struct header_rules){.outer = outer};
    return true;
}

static enum header_kind kind_of(struct str name, bool is_trailer) {
    if (!is_trailer && str_eq_nocase(name, STR("ETag")))
        return HEADER_IS_ETAG;
    return !is_trailer && str_eq_nocase(name, STR("Last-Modified")) ? HEADER_IS_LAST_MODIFIED : HEADER_ADDS;
}

/* add_header and add_trailer NAME VALUE [always] */
static void header_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct policy *policy = scope->policy;
    bool is_trailer = row->helper != NULL;
    struct header_rules *list = is_trailer ? &policy->add_trailers : &policy->add_headers;
    struct header_rule rule;
    if (scope->is_first &&
        !list_begin(scope, list, is_trailer ? policy->trailer_inherit : policy->header_inherit))
        return;
    if (node->count == 4 && !str_eq(node->words[3].text, STR("always"))) {
        struct diagnostic *said = reader_fail(scope->reader, &node->words[3], "invalid parameter \"%.*s\"",
                                              STR_ARG(node->words[3].text));
        diagnostic_hint(scope->reader->diagnostics, said,
                        "only \"always\" may follow; a value with blanks in it is quoted");
        return;
    }
    if (!headers_rule_read(scope, node, &rule))
        return;
    rule.is_always = node->count == 4;
    rule.kind = kind_of(rule.name, is_trailer);
    struct header_rule *slot = READER_ADD(scope->reader, &list->rules);
    if (slot)
        *slot = rule;
}

/* add_header_inherit and add_trailer_inherit on|off|merge: read before the block's own lines. */
static void inherit_set(struct scope *scope, const struct node *node, const struct directive *row) {
    static const struct str names[] = {{"on", 2}, {"off", 3}, {"merge", 5}};
    struct policy *policy = scope->policy;
    const struct policy *outer = scope->outer ? scope->outer->policy : NULL;
    bool is_trailer = row->helper != NULL;
    unsigned mode = 0;
    while (mode < 3 && !str_eq(node->words[1].text, names[mode]))
        mode++;
    if (mode == 3) {
        set_fail(scope, &node->words[1], row, "on, off or merge");
        return;
    }
    struct header_rules *list = is_trailer ? &policy->add_trailers : &policy->add_headers;
    *list = (struct header_rules){0};
    if (outer && outer != policy && mode != INHERIT_OFF)
        *list = is_trailer ? outer->add_trailers : outer->add_headers;
    *(is_trailer ? &policy->trailer_inherit : &policy->header_inherit) = (enum header_inherit)mode;
}

/* expires [modified] TIME, epoch, max, off */
static void expires_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct expires expires = {.is_of_modified = node->count == 3};
    const struct word *at = &node->words[node->count - 1];
    if (node->count == 3 && !str_eq(node->words[1].text, STR("modified"))) {
        set_fail(scope, &node->words[1], row, "expires TIME, or expires modified TIME");
        return;
    }
    if (compile_has_variable(at->text)) {
        if (!compile_template(scope, at, at->text, &expires.value))
            return;
    } else {
        const char *problem = expires_parse(&expires, at->text);
        if (problem) {
            struct diagnostic *said = reader_fail(scope->reader, at, "%s in \"expires\" directive: \"%.*s\"",
                                                  problem, STR_ARG(at->text));
            diagnostic_hint(scope->reader->diagnostics, said,
                            "it must be a time (24h, -1h), a time of day (@15h30m), epoch, max or off");
            return;
        }
    }
    scope->policy->expires = expires;
}

static void chunked_set(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_on;
    if (set_read_flag(scope, node, row, &is_on))
        scope->policy->is_chunked_forbidden = !is_on;
}

static const char trailers[] = "trailers";

static const struct directive rows[] = {
    {"add_header", CONTEXT_HSLI, 2, 3, 0, header_add, NOTHING, NULL},
    {"add_trailer", CONTEXT_HSLI, 2, 3, 0, header_add, NOTHING, trailers},
    {"add_header_inherit", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE | DIRECTIVE_FIRST, inherit_set, NOTHING, NULL},
    {"add_trailer_inherit", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE | DIRECTIVE_FIRST, inherit_set, NOTHING,
     trailers},
    {"expires", CONTEXT_HSLI, 1, 2, DIRECTIVE_ONCE, expires_set, NOTHING, NULL},
    {"chunked_transfer_encoding", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, chunked_set, NOTHING, NULL},
};

const struct area headers_area = {rows, sizeof rows / sizeof *rows};
