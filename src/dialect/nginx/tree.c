#include "dialect/nginx/tree.h"

/* One file being put into the tree: the include that named it, and that one's file, and so on. */
struct frame {
    const struct frame *outer;
    const struct source_file *file;
    struct node *root; /* the block its directives go into */
    unsigned depth;    /* of root */
    unsigned includes;
};

static bool file_build(struct reader *reader, const struct frame *frame);

static struct node *node_append(struct reader *reader, struct node *parent) {
    struct node *node = arena_zero(&reader->scratch, 1, sizeof *node);
    if (!node) {
        reader_starve(reader);
        return NULL;
    }
    node->parent = parent;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

/* A file of the configuration, kept with the model; read once however often it is included. */
static const struct source_file *file_load(struct reader *reader, struct str path, const char **reason) {
    struct model *model = reader->model;
    struct source_file *file = arena_zero(&reader->scratch, 1, sizeof *file);
    *reason = NULL;
    if (!file) {
        reader_starve(reader);
        return NULL;
    }
    for (size_t i = 0; i < model->files.count; i++)
        if (str_eq(model->files.items[i], path)) {
            *file = (struct source_file){model->files.items[i], model->file_contents.items[i]};
            return file;
        }
    file->path = arena_copy(&model->arena, path);
    if (!file->path.ptr ||
        !reader->source->read(reader->source->context, &model->arena, file->path, &file->text, reason)) {
        if (!*reason)
            reader_starve(reader);
        return NULL;
    }
    struct str *path_slot = READER_ADD(reader, &model->files);
    struct str *text_slot = path_slot ? READER_ADD(reader, &model->file_contents) : NULL;
    if (!text_slot)
        return NULL;
    *path_slot = file->path;
    *text_slot = file->text;
    return file;
}

static bool include_file(struct reader *reader, const struct frame *from, const struct word *at,
                         struct str path, struct node *into, unsigned depth) {
    for (const struct frame *frame = from; frame; frame = frame->outer)
        if (str_eq(frame->file->path, path)) {
            reader_fail(reader, at, "\"%.*s\" includes itself", STR_ARG(path));
            return true;
        }
    if (from->includes >= TREE_INCLUDES_MAX || ++reader->files_read > TREE_FILES_MAX) {
        reader_fail(reader, at, "too many files are included");
        return true;
    }
    const char *reason;
    const struct source_file *file = file_load(reader, path, &reason);
    if (!file) {
        if (reason)
            reader_fail(reader, at, "open() \"%.*s\" failed (%s)", STR_ARG(path), reason);
        return !reader->is_starved;
    }
    struct frame frame = {from, file, into, depth, from->includes + 1};
    return file_build(reader, &frame);
}

/* include FILE|PATTERN, beneath the main file's directory, as nginx has it; a pattern may match nothing. */
static bool include_expand(struct reader *reader, const struct frame *from, const struct node *node,
                           struct node *into, unsigned depth) {
    const struct word *at = &node->words[node->count - 1];
    if (node->count != 2 || node->is_block) {
        struct diagnostic *said =
            reader_fail(reader, &node->words[0], "\"include\" takes one file name or pattern");
        diagnostic_hint(reader->diagnostics, said, "write: include conf.d/*.conf;");
        return true;
    }
    struct str path = at->text;
    if (path.len == 0 || path.ptr[0] != '/')
        path = reader_join(reader, reader->directory, path);
    if (str_find_char(path, '*') == STR_NONE && str_find_char(path, '?') == STR_NONE &&
        str_find_char(path, '[') == STR_NONE)
        return !reader->is_starved && include_file(reader, from, at, path, into, depth);
    struct str *paths = NULL;
    size_t count = 0;
    if (reader->is_starved ||
        !reader->source->glob(reader->source->context, &reader->scratch, path, &paths, &count))
        return reader_starve(reader);
    for (size_t i = 0; i < count; i++)
        if (!include_file(reader, from, at, paths[i], into, depth))
            return false;
    return true;
}

/* The directive that is being gathered. */
struct gather {
    VEC(struct word) words;
    /* the first "}" that closes another block than its indentation says: where a "}" may be missing */
    const struct node *misfit;
    unsigned misfit_line;
    bool is_broken; /* something in it was no word, and said to be: a mere line is then not read further */
};

static void fail_unexpected(struct reader *reader, const struct word *at) {
    struct diagnostic *said = reader_fail(reader, at, "unexpected \"%.*s\"", STR_ARG(at->text));
    if (str_eq(at->text, STR("}")))
        diagnostic_hint(
            reader->diagnostics, said,
            "there is one \"}\" more than \"{\": either this one is too many, or the line that opens "
            "its block is missing");
}

/* "..." stands in documentation for what is left out there; with or without its ';'. */
static bool is_ellipsis(const struct gather *gather, const struct word *word) {
    return gather->words.count == 0 && !word->is_quoted &&
           (str_eq(word->text, STR("...")) || str_eq(word->text, STR("\xe2\x80\xa6")));
}

static void pass_ellipsis(struct reader *reader, struct lexer *lexer, const struct word *word) {
    struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, word,
                                         "\"%.*s\" is passed over: it stands in documentation for "
                                         "directives that are left out",
                                         STR_ARG(word->text));
    diagnostic_hint(reader->diagnostics, said, "remove it, or write your own directives in its place");
    struct lexer ahead = *lexer;
    struct word next;
    if (lexer_next(&ahead, &reader->scratch, &next) == TOKEN_SEMICOLON)
        *lexer = ahead;
}

/* The gathered words become a directive of `into`; *block is set when one is opened. */
static bool directive_end(struct reader *reader, const struct frame *frame, struct gather *gather,
                          struct node *into, unsigned depth, struct node **block) {
    bool is_include = !block && str_eq(gather->words.items[0].text, STR("include"));
    bool is_kept = !is_include && (block || !gather->is_broken);
    struct node apart = {0};
    struct node *node = is_kept ? node_append(reader, into) : &apart;
    if (!node)
        return false;
    node->words = gather->words.items;
    node->count = gather->words.count;
    node->is_block = block != NULL;
    gather->words.items = NULL;
    gather->words.count = gather->words.room = 0;
    gather->is_broken = false;
    if (block)
        *block = node;
    return !is_include || include_expand(reader, frame, node, into, depth);
}

static void file_end(struct reader *reader, const struct frame *frame, const struct gather *gather,
                     const struct node *at, const struct word *end) {
    if (gather->words.count) {
        const struct word *last = &gather->words.items[gather->words.count - 1];
        struct diagnostic *said = reader_fail(reader, last, "the file ends where \";\" or \"{\" is expected");
        diagnostic_hint(reader->diagnostics, said, "write \";\" after \"%.*s\"", STR_ARG(last->text));
    }
    for (; at != frame->root; at = at->parent) {
        struct diagnostic *said = reader_fail(reader, &at->words[0], "this block is never closed");
        if (gather->misfit)
            diagnostic_hint(
                reader->diagnostics, said,
                "a \"}\" is missing; by its indentation \"%.*s\" on line %u should be closed before line "
                "%u",
                STR_ARG(node_name(gather->misfit)), gather->misfit->words[0].line, gather->misfit_line);
        else
            diagnostic_hint(reader->diagnostics, said, "a \"}\" is missing before line %u, the end of the file",
                            end->line);
    }
}

/* What is wrong with a token that is none. False: the file cannot be read on. */
static bool token_fail(struct reader *reader, enum token token, const struct word *word) {
    if (token == TOKEN_NO_MEMORY)
        return reader_starve(reader);
    if (token == TOKEN_UNCLOSED) {
        char quote = word->file->text.ptr[word->offset];
        struct diagnostic *said = reader_fail(reader, word, "this quoted text is never closed");
        diagnostic_hint(reader->diagnostics, said, "a second %c is missing", quote);
        return false;
    }
    struct diagnostic *said =
        reader_fail(reader, word, "unexpected \"%.*s\" right behind a quoted word", STR_ARG(word->text));
    if (str_eq(word->text, STR("}")))
        diagnostic_hint(reader->diagnostics, said, "a \";\" is missing before it");
    else
        diagnostic_hint(reader->diagnostics, said, "put a blank or \";\" between them, or quote the whole");
    return true;
}

/* What web pages and word processors put in a blank's or a quote's place looks the same, and is a letter here.
 */
static void letters_note(struct reader *reader, const struct word *word) {
    static const struct {
        const char *letter, *what, *instead;
    } known[] = {
        {"\xc2\xa0", "a no-break space", "a plain blank"},
        {"\xe2\x80\x8b", "a blank of no width", "nothing, or a plain blank"},
        {"\xe2\x80\x9c", "a typographic quote", "\" or \'"},
        {"\xe2\x80\x9d", "a typographic quote", "\" or \'"},
        {"\xe2\x80\x98", "a typographic quote", "\" or \'"},
        {"\xe2\x80\x99", "a typographic quote", "\" or \'"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known && !word->is_quoted; i++) {
        if (str_find(word->text, str_of(known[i].letter)) == STR_NONE)
            continue;
        struct diagnostic *said = reader_say(reader, SEVERITY_WARNING, word,
                                             "\"%.*s\" has %s in it, which is a letter like any other",
                                             STR_ARG(word->text), known[i].what);
        diagnostic_hint(reader->diagnostics, said, "write %s in its place", known[i].instead);
        return;
    }
}

static void misfit_note(struct gather *gather, const struct node *block, const struct word *close) {
    const struct word *open = &block->words[0];
    bool is_first_in_line = str_trim(str_head(word_source(close), close->column - 1)).len == 0;
    if (!gather->misfit && is_first_in_line && close->line != open->line && close->column < open->column) {
        gather->misfit = block;
        gather->misfit_line = close->line;
    }
}

/* One token into the tree. False: stop. */
static bool token_take(struct reader *reader, const struct frame *frame, struct lexer *lexer,
                       struct gather *gather, enum token token, const struct word *word, struct node **at,
                       unsigned *depth) {
    struct word *slot;
    struct node *block;
    switch (token) {
    case TOKEN_WORD:
        if (is_ellipsis(gather, word)) {
            pass_ellipsis(reader, lexer, word);
            return true;
        }
        slot = VEC_ADD(&gather->words, &reader->scratch);
        if (!slot)
            return reader_starve(reader);
        letters_note(reader, word);
        *slot = *word;
        return true;
    case TOKEN_SEMICOLON:
        if (gather->words.count == 0) {
            fail_unexpected(reader, word);
            return true;
        }
        return directive_end(reader, frame, gather, *at, *depth, NULL);
    case TOKEN_OPEN:
        if (gather->words.count == 0 || *depth >= TREE_DEPTH_MAX) {
            if (gather->words.count == 0)
                fail_unexpected(reader, word);
            else
                reader_fail(reader, word, "blocks are nested too deeply");
            return false;
        }
        if (!directive_end(reader, frame, gather, *at, *depth, &block))
            return false;
        *at = block;
        ++*depth;
        return true;
    case TOKEN_CLOSE:
        if (gather->words.count) {
            const struct word *last = &gather->words.items[gather->words.count - 1];
            struct diagnostic *said = reader_fail(reader, word, "unexpected \"}\"");
            diagnostic_hint(reader->diagnostics, said, "a \";\" is missing after \"%.*s\"",
                            STR_ARG(last->text));
            if (!directive_end(reader, frame, gather, *at, *depth, NULL))
                return false;
        }
        if (*at == frame->root) {
            fail_unexpected(reader, word);
            return true;
        }
        misfit_note(gather, *at, word);
        *at = (*at)->parent;
        --*depth;
        return true;
    default:
        gather->is_broken = true;
        return token_fail(reader, token, word);
    }
}

static bool file_build(struct reader *reader, const struct frame *frame) {
    struct lexer lexer;
    struct gather gather = {0};
    struct node *at = frame->root;
    unsigned depth = frame->depth;
    if (str_starts(frame->file->text, STR("\xff\xfe")) || str_starts(frame->file->text, STR("\xfe\xff"))) {
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, (struct place){frame->file->path, 0, 0},
                        "this file is written in UTF-16: save it as UTF-8");
        return true;
    }
    lexer_init(&lexer, frame->file);
    for (;;) {
        struct word word;
        enum token token = lexer_next(&lexer, &reader->model->arena, &word);
        if (token == TOKEN_END) {
            file_end(reader, frame, &gather, at, &word);
            return true;
        }
        if (!token_take(reader, frame, &lexer, &gather, token, &word, &at, &depth))
            return !reader->is_starved;
    }
}

struct node *tree_read(struct reader *reader) {
    struct node *root = arena_zero(&reader->scratch, 1, sizeof *root);
    if (!root) {
        reader_starve(reader);
        return NULL;
    }
    root->is_block = true;
    struct source_file globals = {PLACE_COMMAND_LINE, reader->source->globals};
    struct source_file *kept = arena_alloc(&reader->scratch, sizeof *kept);
    if (!kept) {
        reader_starve(reader);
        return NULL;
    }
    *kept = globals;
    struct frame before = {NULL, kept, root, 0, 0};
    if (globals.text.len && !file_build(reader, &before))
        return NULL;
    const char *reason;
    const struct source_file *file = file_load(reader, reader->source->path, &reason);
    if (!file) {
        if (reason)
            diagnostics_add(reader->diagnostics, SEVERITY_ERROR, (struct place){.line = 0},
                            "open() \"%.*s\" failed (%s)", STR_ARG(reader->source->path), reason);
        return reader->is_starved ? NULL : root;
    }
    struct frame frame = {NULL, file, root, 0, 0};
    return file_build(reader, &frame) ? root : NULL;
}
