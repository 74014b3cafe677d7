#include "dialect/nginx/compile.h"
#include "dialect/nginx/set.h"

/* What is changed of a server's answer on its way to the client: proxy_hide_header, proxy_redirect,
 * proxy_cookie_* and their like. A list that a block begins replaces the outer one. */

/* ---- names ---- */

static void name_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str *slot;
    VEC(struct str) *names = scope_member(scope, row, sizeof *names);
    if (scope->is_first)
        memset(names, 0, sizeof *names);
    slot = READER_ADD(scope->reader, names);
    if (slot)
        *slot = node->words[1].text;
}

static const struct set_word ignorable[] = {
    {"X-Accel-Redirect", IGNORE_X_ACCEL_REDIRECT},
    {"X-Accel-Expires", IGNORE_X_ACCEL_EXPIRES},
    {"X-Accel-Limit-Rate", IGNORE_X_ACCEL_LIMIT_RATE},
    {"X-Accel-Buffering", IGNORE_X_ACCEL_BUFFERING},
    {"X-Accel-Charset", IGNORE_X_ACCEL_CHARSET},
    {"Expires", IGNORE_EXPIRES},
    {"Cache-Control", IGNORE_CACHE_CONTROL},
    {"Set-Cookie", IGNORE_SET_COOKIE},
    {"Vary", IGNORE_VARY},
};

static void ignored_set(struct scope *scope, const struct node *node, const struct directive *row) {
    scope->policy->proxy.ignored =
        set_read_words(scope, node, row, ignorable, sizeof ignorable / sizeof *ignorable,
                       "it must be one of the fields that change how an answer is treated");
}

/* ---- replacements ---- */

/* "~..." is a regular expression, "~*..." one without case, anything else a text with variables. */
static bool pattern_compile(struct scope *scope, const struct word *at, bool is_nocase, struct regex **regex,
                            struct template *text) {
    *regex = NULL;
    if (!str_starts(at->text, STR("~")))
        return compile_template(scope, at, at->text, text);
    struct str pattern = str_from(at->text, 1);
    if (str_starts(pattern, STR("*"))) {
        pattern = str_from(pattern, 1);
        is_nocase = true;
    }
    *regex = compile_regex(scope->reader, at, pattern, is_nocase);
    return *regex != NULL;
}

/* True when the row has two arguments, or "off" alone, which empties the list. */
static bool replacement_is_said(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    if (node->count == 3)
        return true;
    if (!str_eq(at->text, STR("off")))
        set_fail(scope, at, row, "\"off\", or what is to be found and its replacement");
    return false;
}

static struct replacement *replacement_new(struct scope *scope, struct replacement rule, void *list) {
    VEC(struct replacement) *rules = list;
    struct replacement *slot = READER_ADD(scope->reader, rules);
    if (slot)
        *slot = rule;
    return slot;
}

/* "proxy_redirect default": what stands in proxy_pass becomes what the location begins with. */
static void redirect_default(struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    const struct pass *pass = scope->route ? scope->route->pass : NULL;
    struct replacement rule = {0};
    if (!pass) {
        reader_fail(reader, &node->words[1],
                    "\"proxy_redirect default\" should be placed after the "
                    "\"proxy_pass\" directive");
        return;
    }
    if (pass->url.len == 0) {
        reader_fail(reader, &node->words[1],
                    "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables");
        return;
    }
    struct str from = pass->has_uri ? pass->url : reader_join(reader, pass->url, STR("/"));
    struct arena *arena = &reader->model->arena;
    if (!template_literal(&rule.from, from, arena) ||
        !template_literal(&rule.to, pass->has_uri ? scope->route->pattern : STR("/"), arena))
        reader_starve(reader);
    else
        replacement_new(scope, rule, &scope->policy->proxy.redirects);
}

static void redirect_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct proxy_policy *proxy = &scope->policy->proxy;
    const struct word *at = &node->words[1];
    struct replacement rule = {0};
    if (scope->is_first) {
        memset(&proxy->redirects, 0, sizeof proxy->redirects);
        proxy->redirect = REDIRECT_SAID;
    }
    if (proxy->redirect == REDIRECT_OFF)
        return;
    if (node->count == 2 && str_eq(at->text, STR("off"))) {
        memset(&proxy->redirects, 0, sizeof proxy->redirects);
        proxy->redirect = REDIRECT_OFF;
        return;
    }
    if (node->count == 2 && str_eq(at->text, STR("default"))) {
        redirect_default(scope, node);
        return;
    }
    if (node->count == 2) {
        set_fail(scope, at, row, "\"default\", \"off\", or a redirection and its replacement");
        return;
    }
    if (pattern_compile(scope, at, false, &rule.regex, &rule.from) &&
        compile_template(scope, &node->words[2], node->words[2].text, &rule.to))
        replacement_new(scope, rule, &proxy->redirects);
}

static struct word without_dot(const struct word *at) {
    struct word word = *at;
    if (str_starts(word.text, STR(".")))
        word.text = str_from(word.text, 1);
    return word;
}

static void cookie_domain_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct proxy_policy *proxy = &scope->policy->proxy;
    struct replacement rule = {0};
    if (scope->is_first)
        memset(&proxy->cookie_domains, 0, sizeof proxy->cookie_domains);
    if (!replacement_is_said(scope, node, row))
        return;
    struct word from = without_dot(&node->words[1]), to = node->words[2];
    if (!str_starts(from.text, STR("~")))
        to = without_dot(&to);
    if (pattern_compile(scope, &from, true, &rule.regex, &rule.from) &&
        compile_template(scope, &to, to.text, &rule.to))
        replacement_new(scope, rule, &proxy->cookie_domains);
}

static void cookie_path_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct proxy_policy *proxy = &scope->policy->proxy;
    struct replacement rule = {0};
    if (scope->is_first)
        memset(&proxy->cookie_paths, 0, sizeof proxy->cookie_paths);
    if (replacement_is_said(scope, node, row) &&
        pattern_compile(scope, &node->words[1], false, &rule.regex, &rule.from) &&
        compile_template(scope, &node->words[2], node->words[2].text, &rule.to))
        replacement_new(scope, rule, &proxy->cookie_paths);
}

/* ---- flags ---- */

static const struct str flags[] = {
#define FLAG(text) \
    { text, sizeof text - 1 }
    FLAG("secure"),       FLAG("nosecure"),      FLAG("httponly"),        FLAG("nohttponly"),
    FLAG("samesite=lax"), FLAG("samesite=none"), FLAG("samesite=strict"), FLAG("nosamesite"),
#undef FLAG
};
enum { FLAGS = sizeof flags / sizeof *flags };

static bool flag_is_known(struct scope *scope, const struct word *at) {
    if (compile_has_variable(at->text))
        return true;
    for (size_t i = 0; i < FLAGS; i++)
        if (str_eq_nocase(at->text, flags[i]))
            return true;
    struct str near = diagnostic_nearest(at->text, flags, FLAGS);
    struct diagnostic *said =
        reader_fail(scope->reader, at, "invalid \"proxy_cookie_flags\" flag \"%.*s\"", STR_ARG(at->text));
    if (near.len)
        diagnostic_hint(scope->reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
    return false;
}

static bool cookie_rule_read(struct scope *scope, const struct node *node, struct cookie_rule *rule) {
    *rule = (struct cookie_rule){0};
    if (!pattern_compile(scope, &node->words[1], true, &rule->regex, &rule->name))
        return false;
    for (size_t i = 2; i < node->count; i++) {
        struct template flag;
        if (!flag_is_known(scope, &node->words[i]) ||
            !compile_template(scope, &node->words[i], node->words[i].text, &flag))
            return false;
        struct template *slot = READER_ADD(scope->reader, &rule->flags);
        if (!slot)
            return false;
        *slot = flag;
    }
    return true;
}

static void cookie_flags_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct proxy_policy *proxy = &scope->policy->proxy;
    struct cookie_rule rule;
    (void)row;
    if (scope->is_first)
        memset(&proxy->cookie_rules, 0, sizeof proxy->cookie_rules);
    if (node->count == 2 && str_eq(node->words[1].text, STR("off")))
        return;
    if (!cookie_rule_read(scope, node, &rule))
        return;
    struct cookie_rule *slot = READER_ADD(scope->reader, &proxy->cookie_rules);
    if (slot)
        *slot = rule;
}

static const struct directive rows[] = {
    {"proxy_hide_header", CONTEXT_HSL, 1, 1, 0, name_add, POLICY(proxy.hidden), NULL},
    {"proxy_pass_header", CONTEXT_HSL, 1, 1, 0, name_add, POLICY(proxy.passed), NULL},
    {"proxy_ignore_headers", CONTEXT_HSL, 1, ARGUMENTS_ANY, DIRECTIVE_ONCE, ignored_set, NOTHING, NULL},
    {"proxy_redirect", CONTEXT_HSL, 1, 2, 0, redirect_add, NOTHING, NULL},
    {"proxy_cookie_domain", CONTEXT_HSL, 1, 2, 0, cookie_domain_add, NOTHING, NULL},
    {"proxy_cookie_path", CONTEXT_HSL, 1, 2, 0, cookie_path_add, NOTHING, NULL},
    {"proxy_cookie_flags", CONTEXT_HSL, 1, 4, 0, cookie_flags_add, NOTHING, NULL},
};

const struct area reply_area = {rows, sizeof rows / sizeof *rows};
