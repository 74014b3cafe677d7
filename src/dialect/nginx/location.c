#include "dialect/nginx/location.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/headers.h"
#include "dialect/nginx/pass.h"

struct pattern {
    enum route_match match;
    bool is_nocase;
    struct str text;
    const struct word *at;
};

/* What stands before a pattern, by itself or glued to it. False: it is none of these. */
static bool modifier_read(struct str text, struct pattern *pattern) {
    if (str_eq(text, STR("=")))
        pattern->match = ROUTE_EXACT;
    else if (str_eq(text, STR("^~")))
        pattern->match = ROUTE_PREFIX_FINAL;
    else if (str_eq(text, STR("~")) || str_eq(text, STR("~*")))
        pattern->match = ROUTE_REGEX;
    else
        return false;
    pattern->is_nocase = str_eq(text, STR("~*"));
    return true;
}

static bool pattern_read(struct scope *scope, const struct node *node, struct pattern *pattern) {
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[node->count - 1];
    *pattern = (struct pattern){.match = ROUTE_PREFIX, .text = at->text, .at = at};
    if (node->count == 3) {
        if (modifier_read(node->words[1].text, pattern))
            return true;
        struct diagnostic *said = reader_fail(reader, &node->words[1], "invalid location modifier \"%.*s\"",
                                              STR_ARG(node->words[1].text));
        diagnostic_hint(
            reader->diagnostics, said,
            "it must be = (this path alone), ^~ (a prefix before regular expressions), ~ (a regular "
            "expression) or ~* (one without case)");
        return false;
    }
    for (size_t len = 2; len >= 1; len--)
        if (at->text.len >= len && modifier_read(str_head(at->text, len), pattern)) {
            pattern->text = str_from(at->text, len);
            return true;
        }
    if (at->text.len && at->text.ptr[0] == '@')
        pattern->match = ROUTE_NAMED;
    return true;
}

static bool nesting_is_right(struct scope *scope, const struct pattern *pattern) {
    const struct route *outer = scope->route;
    struct reader *reader = scope->reader;
    if (!(scope->context & CONTEXT_LOCATION))
        return true;
    if (outer->match == ROUTE_EXACT || outer->match == ROUTE_NAMED) {
        reader_fail(reader, pattern->at, "location \"%.*s\" cannot be inside the %s location \"%.*s\"",
                    STR_ARG(pattern->text), outer->match == ROUTE_EXACT ? "exact" : "named",
                    STR_ARG(outer->pattern));
        return false;
    }
    if (pattern->match == ROUTE_NAMED) {
        reader_fail(reader, pattern->at, "named location \"%.*s\" can be on the server level only",
                    STR_ARG(pattern->text));
        return false;
    }
    if (pattern->match != ROUTE_REGEX && !str_starts(pattern->text, outer->pattern)) {
        struct diagnostic *said =
            reader_fail(reader, pattern->at, "location \"%.*s\" is outside location \"%.*s\"",
                        STR_ARG(pattern->text), STR_ARG(outer->pattern));
        diagnostic_hint(
            reader->diagnostics, said,
            outer->match == ROUTE_REGEX
                ? "in a location with a regular expression only further regular expressions can stand"
                : "the pattern of an inner location is written whole: it begins with the outer one's");
        return false;
    }
    return true;
}

static struct route *route_make(struct scope *scope, const struct pattern *pattern) {
    struct reader *reader = scope->reader;
    struct route *route = reader_alloc(reader, sizeof *route);
    if (!route)
        return NULL;
    *route = (struct route){.place = word_place(pattern->at),
                            .match = pattern->match,
                            .pattern = pattern->text,
                            .action = ROUTE_FILES,
                            .policy = *scope->policy};
    headers_enter(&route->policy);
    if (pattern->match == ROUTE_NAMED)
        return route;
    if (pattern->match != ROUTE_REGEX) {
        if (pattern->text.len == 0 || pattern->text.ptr[0] != '/') {
            struct diagnostic *said = reader_say(
                reader, SEVERITY_WARNING, pattern->at,
                "location \"%.*s\" never matches: every path begins with \"/\"", STR_ARG(pattern->text));
            diagnostic_hint(reader->diagnostics, said, "did you mean \"/%.*s\"?", STR_ARG(pattern->text));
        }
        return route;
    }
    route->regex = compile_regex(reader, pattern->at, pattern->text, pattern->is_nocase);
    return route->regex ? route : NULL;
}

/* A path as it stands in a URL. */
static struct str path_escape(struct reader *reader, struct str path) {
    static const char marks[] = " \"#%<>?\\^`{|}", digits[] = "0123456789ABCDEF";
    char *memory = reader_alloc(reader, path.len * 3 + 1);
    struct builder out = builder_make(memory, memory ? path.len * 3 + 1 : 0);
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c > 0x20 && c < 0x7f && !memchr(marks, c, sizeof marks - 1))
            builder_char(&out, (char)c);
        else
            builder_format(&out, "%%%c%c", digits[c >> 4], digits[c & 15]);
    }
    return builder_view(&out);
}

/* What is proxied at "/x/" answers "/x" with a redirection, as in nginx. */
static void slash_redirect(struct scope *scope, struct route_table *table, const struct route *route) {
    struct reader *reader = scope->reader;
    size_t len = route->pattern.len;
    if (!route->pass || len < 2 || route->pattern.ptr[len - 1] != '/' ||
        (route->match != ROUTE_PREFIX && route->match != ROUTE_PREFIX_FINAL))
        return;
    struct route *bare = reader_alloc(reader, sizeof *bare);
    if (!bare)
        return;
    *bare = *route;
    bare->children = (struct route_table){0};
    bare->match = ROUTE_EXACT;
    bare->pattern = str_head(route->pattern, len - 1);
    bare->action = ROUTE_FILES;
    bare->pass = NULL;
    memset(&bare->program, 0, sizeof bare->program);
    struct operation *answer = READER_ADD(reader, &bare->program.operations);
    if (!answer)
        return;
    *answer = (struct operation){.kind = OPERATION_RETURN, .answer.status = 301};
    struct word at = {.text = STR(""), .file = scope->block->words[0].file};
    struct str text = reader_join(reader, path_escape(reader, route->pattern), STR("$is_args$args"));
    if (str_find_char(route->pattern, '$') != STR_NONE || reader->is_starved ||
        !compile_template(scope, &at, text, &answer->answer.text))
        return;
    if (route_table_prefix(table, bare->pattern))
        return;
    if (route_table_add(table, bare, &reader->model->arena) == ROUTE_NO_MEMORY)
        reader_starve(reader);
}

static enum route_added route_add(struct scope *scope, struct route_table *table, struct route *route) {
    struct arena *arena = &scope->reader->model->arena;
    struct map *named = &scope->site->named;
    if (route->match != ROUTE_NAMED)
        return route_table_add(table, route, arena);
    if (!named->arena)
        map_init(named, arena, false);
    if (map_get(named, route->pattern))
        return ROUTE_IS_DUPLICATE;
    return map_put(named, route->pattern, route) ? ROUTE_ADDED : ROUTE_NO_MEMORY;
}

void location_end(struct scope *scope) {
    pass_verify(scope);
    struct route_table *table =
        scope->context & CONTEXT_LOCATION ? &scope->route->children : &scope->site->routes;
    for (size_t i = 0; i < table->prefix_count && !scope->reader->is_starved; i++)
        slash_redirect(scope, table, table->prefixes[i]);
}

/* Does the server answer by itself whatever is asked? Its locations ask one after the other. */
static bool always_returns(struct reader *reader, const struct node *server) {
    if (reader->returns_asked == server)
        return reader->always_returns;
    reader->returns_asked = server;
    reader->always_returns = false;
    for (const struct node *node = server->first; node && !reader->always_returns; node = node->next)
        reader->always_returns = str_eq(node_name(node), STR("return"));
    return reader->always_returns;
}

void location_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct pattern pattern;
    bool is_inner = (scope->context & CONTEXT_LOCATION) != 0;
    struct route_table *table = is_inner ? &scope->route->children : &scope->site->routes;
    if (!pattern_read(scope, node, &pattern) || !nesting_is_right(scope, &pattern))
        return;
    struct route *route = route_make(scope, &pattern);
    if (!route)
        return;
    route->outer = is_inner ? scope->route : NULL;
    if (!is_inner && always_returns(reader, scope->block))
        reader_say(reader, SEVERITY_WARNING, &node->words[0],
                   "this location is never reached: the server's \"return\" answers every request");
    else
        switch (route_add(scope, table, route)) {
        case ROUTE_IS_DUPLICATE:
            reader_fail(reader, pattern.at, "duplicate location \"%.*s\"", STR_ARG(pattern.text));
            return;
        case ROUTE_NO_MEMORY:
            reader_starve(reader);
            return;
        case ROUTE_ADDED:
            break;
        }
    struct scope inner = scope_inner(scope, CONTEXT_LOCATION, node);
    inner.policy = &route->policy;
    inner.route = route;
    inner.program = &route->program;
    scope_read(&inner);
    location_end(&inner);
}
