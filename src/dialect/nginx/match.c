#include "dialect/nginx/check.h"
#include "dialect/nginx/compile.h"

/* match NAME { status 200-399; header Content-Type ~ json; body ~ "ok"; } and, for TCP, { send "x"; expect ~
 * "y"; } */

struct lines {
    struct reader *reader;
    struct match *match;
};

static bool span_read(struct str text, struct status_span *span) {
    size_t dash = str_find_char(text, '-');
    uint64_t from, to;
    struct str first = dash == STR_NONE ? text : str_head(text, dash);
    struct str last = dash == STR_NONE ? text : str_from(text, dash + 1);
    if (!str_to_u64(first, &from) || !str_to_u64(last, &to) || from < 100 || to > 599 || from > to)
        return false;
    *span = (struct status_span){(unsigned)from, (unsigned)to};
    return true;
}

/* status [!] 200 300-399 ... */
static void status_read(struct lines *l, const struct node *node) {
    size_t i = 1;
    if (node->count > 2 && str_eq(node->words[1].text, STR("!"))) {
        l->match->is_status_negated = true;
        i = 2;
    }
    for (; i < node->count; i++) {
        struct status_span *span = READER_ADD(l->reader, &l->match->statuses);
        if (!span)
            return;
        if (!span_read(node->words[i].text, span))
            reader_fail(l->reader, &node->words[i], "invalid status \"%.*s\": write 200, 200-399 or ! 500",
                        STR_ARG(node->words[i].text));
    }
}

/* A word that tests: = != ~ !~, and ~* !~* without case. */
static bool test_read(struct str text, enum field_test *test, bool *is_nocase) {
    static const struct {
        struct str word;
        enum field_test test;
        bool is_nocase;
    } tests[] = {{{"=", 1}, FIELD_EQUAL, false}, {{"!=", 2}, FIELD_UNEQUAL, false},
                 {{"~", 1}, FIELD_LIKE, false},  {{"!~", 2}, FIELD_UNLIKE, false},
                 {{"~*", 2}, FIELD_LIKE, true},  {{"!~*", 3}, FIELD_UNLIKE, true}};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (str_eq(tests[i].word, text)) {
            *test = tests[i].test;
            *is_nocase = tests[i].is_nocase;
            return true;
        }
    return false;
}

static void fail_line(struct lines *l, const struct node *node, const char *form) {
    struct diagnostic *said =
        reader_fail(l->reader, &node->words[0], "invalid \"%.*s\" in a match", STR_ARG(node_name(node)));
    diagnostic_hint(l->reader->diagnostics, said, "write: %s", form);
}

/* header NAME; header ! NAME; header NAME = TEXT; header NAME ~ REGEX */
static void field_read(struct lines *l, const struct node *node) {
    struct match_field *field = READER_ADD(l->reader, &l->match->fields);
    bool is_nocase = false;
    if (!field)
        return;
    if (node->count == 2) {
        *field = (struct match_field){.name = node->words[1].text, .test = FIELD_PRESENT};
    } else if (node->count == 3 && str_eq(node->words[1].text, STR("!"))) {
        *field = (struct match_field){.name = node->words[2].text, .test = FIELD_ABSENT};
    } else if (node->count == 4 && test_read(node->words[2].text, &field->test, &is_nocase)) {
        field->name = node->words[1].text;
        field->text = node->words[3].text;
        if (field->test == FIELD_LIKE || field->test == FIELD_UNLIKE)
            field->regex = compile_regex(l->reader, &node->words[3], field->text, is_nocase);
    } else {
        fail_line(l, node, "header NAME; header ! NAME; header NAME = TEXT; header NAME ~ REGEX;");
    }
}

/* body ~ REGEX; body !~ REGEX */
static void body_read(struct lines *l, const struct node *node) {
    enum field_test test;
    bool is_nocase;
    if (node->count != 3 || !test_read(node->words[1].text, &test, &is_nocase) || test == FIELD_EQUAL ||
        test == FIELD_UNEQUAL) {
        fail_line(l, node, "body ~ REGEX; or body !~ REGEX;");
        return;
    }
    l->match->body = compile_regex(l->reader, &node->words[2], node->words[2].text, is_nocase);
    l->match->is_body_negated = test == FIELD_UNLIKE;
}

/* expect TEXT; expect ~ REGEX */
static void expect_read(struct lines *l, const struct node *node) {
    enum field_test test;
    bool is_nocase;
    if (node->count == 2)
        l->match->expect = node->words[1].text;
    else if (node->count == 3 && test_read(node->words[1].text, &test, &is_nocase) && test == FIELD_LIKE)
        l->match->expect_regex = compile_regex(l->reader, &node->words[2], node->words[2].text, is_nocase);
    else
        fail_line(l, node, "expect TEXT; or expect ~ REGEX;");
}

static void send_read(struct lines *l, const struct node *node) {
    if (node->count == 2)
        l->match->send = node->words[1].text;
    else
        fail_line(l, node, "send TEXT;");
}

static const struct {
    struct str name;
    void (*read)(struct lines *l, const struct node *node);
} lines[] = {
    {{"status", 6}, status_read}, {{"header", 6}, field_read},  {{"body", 4}, body_read},
    {{"send", 4}, send_read},     {{"expect", 6}, expect_read},
};
enum { LINES = sizeof lines / sizeof *lines };

static void line_read(struct lines *l, const struct node *node) {
    struct str names[LINES];
    for (size_t i = 0; i < LINES; i++) {
        names[i] = lines[i].name;
        if (!str_eq(lines[i].name, node_name(node)) || node->is_block)
            continue;
        if (node->count < 2)
            fail_line(l, node, "a test behind it");
        else
            lines[i].read(l, node);
        return;
    }
    if (str_eq(node_name(node), STR("require"))) {
        reader_refuse(l->reader, &node->words[0], "match", "test status, header and body");
        return;
    }
    struct diagnostic *said =
        reader_fail(l->reader, &node->words[0], "unknown \"%.*s\" in a match", STR_ARG(node_name(node)));
    struct str near = diagnostic_nearest(node_name(node), names, LINES);
    if (near.len)
        diagnostic_hint(l->reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
}

void match_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    struct str name = node->words[1].text;
    struct match *match = reader_alloc(reader, sizeof *match);
    if (!match)
        return;
    *match = (struct match){.place = word_place(&node->words[0]), .name = name};
    if (!reader->matches.arena)
        map_init(&reader->matches, &reader->scratch, false);
    if (map_get(&reader->matches, name)) {
        reader_fail(reader, &node->words[1], "duplicate match \"%.*s\"", STR_ARG(name));
        return;
    }
    if (!map_put(&reader->matches, name, match)) {
        reader_starve(reader);
        return;
    }
    struct lines l = {.reader = reader, .match = match};
    for (const struct node *at = node->first; at && !reader->is_starved; at = at->next)
        line_read(&l, at);
}
