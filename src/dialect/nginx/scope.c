#include "dialect/nginx/scope.h"

#include "base/check.h"
#include "dialect/nginx/mend.h"
#include "dialect/nginx/refusal.h"

/* ---- rows ---- */

static const struct area *const areas[] = {
#define AREA(name) &name##_area,
#include "dialect/nginx/area.def"
#undef AREA
};
enum { AREAS = sizeof areas / sizeof *areas };

const struct directive *directive_at(size_t number) {
    for (size_t i = 0; i < AREAS; i++) {
        if (number < areas[i]->count)
            return &areas[i]->rows[number];
        number -= areas[i]->count;
    }
    return NULL;
}

const struct directive *directive_find(struct str name, unsigned contexts) {
    for (size_t i = 0; i < AREAS; i++)
        for (const struct directive *row = areas[i]->rows, *end = row + areas[i]->count; row < end; row++)
            if ((row->contexts & contexts) && str_eq(str_of(row->name), name))
                return row;
    return NULL;
}

static size_t row_number(const struct directive *row) {
    size_t number = 0;
    for (size_t i = 0; i < AREAS; number += areas[i]->count, i++)
        for (size_t j = 0; j < areas[i]->count; j++)
            if (&areas[i]->rows[j] == row)
                return number + j;
    return DIRECTIVES_MAX - 1;
}

static const char *context_name(unsigned context) {
    static const char *const names[] = {
        "the top of the file", "events",         "http",   "upstream",         "server",      "location",
        "if in server",        "if in location", "stream", "server in stream", "limit_except"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (context & (1u << i))
            return names[i];
    return "this block";
}

/* ---- levels ---- */

struct scope scope_inner(struct scope *outer, unsigned context, const struct node *block) {
    return (struct scope){.reader = outer->reader,
                          .outer = outer,
                          .context = context,
                          .block = block,
                          .policy = outer->policy,
                          .site = outer->site,
                          .program = outer->program};
}

void *scope_member(const struct scope *scope, const struct directive *row, size_t bytes) {
    void *object = row->object == OBJECT_MODEL      ? (void *)scope->reader->model
                   : row->object == OBJECT_POLICY   ? (void *)scope->policy
                   : row->object == OBJECT_SITE     ? (void *)scope->site
                   : row->object == OBJECT_UPSTREAM ? (void *)scope->upstream
                                                    : NULL;
    CHECK(object, "%s in context %u has nothing to set", row->name, scope->context);
    CHECK(row->bytes == bytes, "%s sets %zu bytes of a member of %zu", row->name, bytes, row->bytes);
    return (char *)object + row->offset;
}

/* ---- verifying ---- */

static bool form_fits(const struct node *node, const struct directive *row) {
    return (row->flags & DIRECTIVE_EITHER) || node->is_block == ((row->flags & DIRECTIVE_BLOCK) != 0);
}

/* Names of what may stand in one of the contexts, and as this one does. */
static size_t names_gather(const struct node *node, unsigned contexts, struct str *names) {
    const struct directive *row;
    size_t count = 0;
    for (size_t i = 0; (row = directive_at(i)) && count < DIRECTIVES_MAX; i++) {
        bool fits_count =
            node->count - 1 >= row->min && (node->count - 1 <= row->max || row->max == ARGUMENTS_ANY);
        if (form_fits(node, row) && fits_count && (row->contexts & contexts) && row->contexts != CONTEXT_ANY)
            names[count++] = str_of(row->name);
    }
    return count;
}

/* The nearest word among the directives that could stand here as this one does; one that could stand elsewhere
 * when that is nearer; else among all. */
static struct str directive_nearest(const struct scope *scope, const struct node *node) {
    struct str names[DIRECTIVES_MAX], word = node_name(node);
    const struct directive *row;
    /* at the top of a file with an http block somebody may have forgotten to be in it */
    unsigned contexts = scope->context & CONTEXT_MAIN ? scope->context | CONTEXT_HTTP : scope->context;
    struct str here = diagnostic_nearest(word, names, names_gather(node, contexts, names));
    struct str there = diagnostic_nearest(word, names, names_gather(node, CONTEXT_ANY, names));
    if (here.len && (there.len == 0 || str_distance(word, here) <= str_distance(word, there)))
        return here;
    if (there.len)
        return there;
    size_t count = 0;
    for (; (row = directive_at(count)) && count < DIRECTIVES_MAX; count++)
        names[count] = str_of(row->name);
    return diagnostic_nearest(word, names, count);
}

static void fail_unknown(const struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    const char *instead = refusal_hint(node_name(node));
    if (instead) {
        struct diagnostic *refused =
            reader_fail(reader, &node->words[0], "\"%.*s\" is not supported", STR_ARG(node_name(node)));
        if (*instead)
            diagnostic_hint(reader->diagnostics, refused, "%s", instead);
        return;
    }
    bool is_kept = reader->diagnostics->list.count < DIAGNOSTICS_MAX;
    struct str near = is_kept ? directive_nearest(scope, node) : STR("");
    struct diagnostic *said =
        reader_fail(reader, &node->words[0], "unknown directive \"%.*s\"", STR_ARG(node_name(node)));
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
    else if (node->words[0].is_quoted)
        diagnostic_hint(reader->diagnostics, said, "a directive's name stands first and without quotes");
}

static const char raw[] = "\"proxy_pass\" without http:// is raw TCP, which stands in a block of its own";
static const char web[] =
    "for HTTP and WebSocket write in a server of http { }: location / { proxy_pass http://NAME; }";

/* tcp { } and stream { } are often left out where they are written about. */
static void hint_stream(struct reader *reader, struct diagnostic *said, const struct node *node) {
    char text[700];
    struct builder mended = builder_make(text, sizeof text);
    const struct node *server = str_eq(node_name(node), STR("server")) ? node : node->parent;
    if (server->count && str_eq(node_name(server), STR("server")) && mend_is_stream_form(server))
        mend_build_stream(&mended, server);
    if (mended.len == 0 || mended.overflow)
        diagnostic_hint(reader->diagnostics, said,
                        "%s, stream { upstream NAME { ... } server { ... } } (or tcp { ... });\n%s", raw, web);
    else
        diagnostic_hint(reader->diagnostics, said,
                        "%s, stream { ... } (or tcp { ... }), whose opening line is missing; write:\n%.*s\n%s",
                        raw, STR_ARG(builder_view(&mended)), web);
}

static void fail_place(const struct scope *scope, const struct node *node) {
    struct reader *reader = scope->reader;
    const struct directive *row = directive_find(node_name(node), CONTEXT_ANY);
    struct diagnostic *said;
    if (scope->context & CONTEXT_MAIN)
        said = reader_fail(reader, &node->words[0], "\"%s\" is not allowed at the top of the file", row->name);
    else
        said = reader_fail(reader, &node->words[0], "\"%s\" is not allowed in \"%s\"", row->name,
                           context_name(scope->context));
    if (mend_is_stream_form(node)) {
        hint_stream(reader, said, node);
        return;
    }
    char text[200];
    struct builder list = builder_make(text, sizeof text);
    unsigned contexts = 0;
    for (size_t i = 0; (row = directive_at(i)); i++)
        if (str_eq(str_of(row->name), node_name(node)) && form_fits(node, row))
            contexts |= row->contexts;
    for (unsigned bit = 1; bit < CONTEXT_ANY; bit <<= 1)
        if (contexts & bit)
            builder_format(&list, bit == CONTEXT_MAIN ? "%s%s" : "%s\"%s\"", list.len ? ", " : "",
                           context_name(bit));
    diagnostic_hint(reader->diagnostics, said, "it belongs in: %.*s", STR_ARG(builder_view(&list)));
}

static bool count_is_right(const struct scope *scope, const struct node *node, const struct directive *row) {
    size_t given = node->count - 1;
    if (given >= row->min && (row->max == ARGUMENTS_ANY || given <= row->max))
        return true;
    char text[60];
    struct builder wanted = builder_make(text, sizeof text);
    if (row->max == ARGUMENTS_ANY)
        builder_format(&wanted, "%u or more arguments", row->min);
    else if (row->min != row->max)
        builder_format(&wanted, "%u to %u arguments", row->min, row->max);
    else if (row->max == 0)
        builder_format(&wanted, "no argument");
    else
        builder_format(&wanted, "%u argument%s", row->max, row->max == 1 ? "" : "s");
    reader_fail(scope->reader, &node->words[given > row->max ? row->max + 1u : 0],
                "invalid number of arguments in \"%s\": it takes %.*s, not %zu", row->name,
                STR_ARG(builder_view(&wanted)), given);
    return false;
}

/* A line without its ';' or '{' swallows the next one: then a directive's name stands among the arguments at
 * the beginning of a line. True when so: what is left is the line alone. */
static bool pass_swallowed(const struct scope *scope, struct node *node, const struct directive *row) {
    for (size_t i = 1; i < node->count; i++) {
        const struct word *word = &node->words[i], *before = &node->words[i - 1];
        if (word->is_quoted || word->line == before->line || !directive_find(word->text, scope->context))
            continue;
        struct diagnostic *said = reader_fail(scope->reader, before, "\"%s\" is missing after \"%.*s\"",
                                              row->flags & DIRECTIVE_BLOCK ? "{" : ";", STR_ARG(before->text));
        diagnostic_hint(scope->reader->diagnostics, said, "so that \"%.*s\" on line %u is read as an argument",
                        STR_ARG(word->text), word->line);
        node->count = i;
        node->is_block = false;
        return true;
    }
    return false;
}

static bool form_is_right(const struct scope *scope, const struct node *node, const struct directive *row) {
    if (form_fits(node, row))
        return true;
    if (row->flags & DIRECTIVE_BLOCK)
        reader_fail(scope->reader, &node->words[0], "directive \"%s\" has no opening \"{\"", row->name);
    else
        reader_fail(scope->reader, &node->words[0], "directive \"%s\" is not terminated by \";\"", row->name);
    return false;
}

static const struct node *earlier(const struct node *node, const struct directive *row) {
    for (const struct node *at = node->parent->first; at && at != node; at = at->next)
        if (at->row == row)
            return at;
    return NULL;
}

static void node_verify(const struct scope *scope, struct node *node) {
    struct reader *reader = scope->reader;
    const struct directive *row = directive_find(node_name(node), scope->context);
    if (!row && (scope->context & CONTEXT_UPSTREAM) && mend_server(reader, node))
        row = directive_find(node_name(node), scope->context);
    if (!row) {
        if (directive_find(node_name(node), CONTEXT_ANY))
            fail_place(scope, node);
        else
            fail_unknown(scope, node);
        return;
    }
    bool is_cut = pass_swallowed(scope, node, row);
    if (is_cut && (row->flags & DIRECTIVE_BLOCK))
        return;
    if (!form_is_right(scope, node, row) || !count_is_right(scope, node, row))
        return;
    const struct node *first = row->flags & DIRECTIVE_ONCE ? earlier(node, row) : NULL;
    if (first) {
        struct diagnostic *said =
            reader_fail(reader, &node->words[0], "\"%s\" directive is duplicate", row->name);
        diagnostic_hint(reader->diagnostics, said, "the first one of this block is on line %u",
                        first->words[0].line);
        return;
    }
    node->row = row;
}

static void node_handle(struct scope *scope, const struct node *node) {
    size_t number = row_number(node->row);
    uint64_t bit = (uint64_t)1 << number % 64;
    scope->is_first = !(scope->seen[number / 64] & bit);
    scope->seen[number / 64] |= bit;
    node->row->handler(scope, node, node->row);
}

/* What is defined comes before what names it, and what is inherited before what inherits: the order in the file
 * does not matter. */
void scope_read(struct scope *scope) {
    static const unsigned phases[] = {DIRECTIVE_FIRST, 0, DIRECTIVE_LAST};
    for (struct node *node = scope->block->first; node; node = node->next)
        node_verify(scope, node);
    for (unsigned i = 0; i < sizeof phases / sizeof *phases; i++)
        for (struct node *node = scope->block->first; node && !scope->reader->is_starved; node = node->next)
            if (node->row && (node->row->flags & (DIRECTIVE_FIRST | DIRECTIVE_LAST)) == phases[i])
                node_handle(scope, node);
}
