#include "dialect/nginx/lexer.h"

void lexer_init(struct lexer *lexer, const struct source_file *file) {
    *lexer = (struct lexer){.file = file, .line = 1};
    if (str_starts(file->text, STR("\xef\xbb\xbf"))) /* a byte order mark, as some editors leave */
        lexer->at = lexer->line_start = 3;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void pass(struct lexer *lexer) {
    if (lexer->file->text.ptr[lexer->at++] == '\n') {
        lexer->line++;
        lexer->line_start = lexer->at;
    }
}

static bool is_at_end(const struct lexer *lexer) {
    return lexer->at >= lexer->file->text.len;
}

static char look(const struct lexer *lexer) {
    return lexer->file->text.ptr[lexer->at];
}

static void pass_blanks(struct lexer *lexer) {
    bool in_comment = false;
    while (!is_at_end(lexer)) {
        char c = look(lexer);
        if (c == '#')
            in_comment = true;
        else if (c == '\n')
            in_comment = false;
        else if (!in_comment && !is_blank(c))
            return;
        lexer->after_quote = false;
        pass(lexer);
    }
}

/* nginx's escapes: \" \' \\ \t \r \n; a backslash before anything else stays. */
static bool word_unescape(struct word *word, struct str raw, struct arena *arena) {
    word->text = raw;
    if (str_find_char(raw, '\\') == STR_NONE)
        return true;
    char *text = arena_alloc(arena, raw.len);
    if (!text)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i], next = i + 1 < raw.len ? raw.ptr[i + 1] : '\0';
        if (c == '\\' &&
            (next == '"' || next == '\'' || next == '\\' || next == 't' || next == 'r' || next == 'n')) {
            c = (char)(next == 't' ? '\t' : next == 'r' ? '\r' : next == 'n' ? '\n' : next);
            i++;
        }
        text[len++] = c;
    }
    word->text = str_make(text, len);
    return true;
}

static enum token word_quoted(struct lexer *lexer, struct arena *arena, struct word *word) {
    char quote = look(lexer);
    pass(lexer);
    size_t start = lexer->at;
    word->is_quoted = true;
    for (; !is_at_end(lexer); pass(lexer)) {
        if (look(lexer) == quote) {
            struct str raw = str_make(lexer->file->text.ptr + start, lexer->at - start);
            pass(lexer);
            lexer->after_quote = true;
            return word_unescape(word, raw, arena) ? TOKEN_WORD : TOKEN_NO_MEMORY;
        }
        if (look(lexer) == '\\') {
            pass(lexer);
            if (is_at_end(lexer))
                break;
        }
    }
    return TOKEN_UNCLOSED;
}

static enum token word_plain(struct lexer *lexer, struct arena *arena, struct word *word) {
    size_t start = lexer->at;
    bool after_dollar = false; /* "${" begins a variable and no block */
    for (; !is_at_end(lexer); pass(lexer)) {
        char c = look(lexer);
        if (c == '{' && after_dollar)
            continue;
        if (is_blank(c) || c == ';' || c == '{')
            break;
        after_dollar = c == '$';
        if (c == '\\') {
            pass(lexer);
            if (is_at_end(lexer))
                break;
        }
    }
    struct str raw = str_make(lexer->file->text.ptr + start, lexer->at - start);
    return word_unescape(word, raw, arena) ? TOKEN_WORD : TOKEN_NO_MEMORY;
}

enum token lexer_next(struct lexer *lexer, struct arena *arena, struct word *word) {
    bool after_quote = lexer->after_quote;
    if (after_quote && !is_at_end(lexer) && look(lexer) == '#') {
        lexer->after_quote = false; /* no comment right behind a quote */
    } else {
        pass_blanks(lexer);
        after_quote = lexer->after_quote;
        lexer->after_quote = false;
    }
    *word = (struct word){.text = STR(""),
                          .file = lexer->file,
                          .offset = lexer->at,
                          .line = lexer->line,
                          .column = (unsigned)(lexer->at - lexer->line_start + 1)};
    if (is_at_end(lexer))
        return TOKEN_END;
    char c = look(lexer);
    word->text = str_make(lexer->file->text.ptr + lexer->at, 1);
    if (c == ';' || c == '{' || (c == '}' && !after_quote)) {
        pass(lexer);
        return c == ';' ? TOKEN_SEMICOLON : c == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
    }
    if (after_quote && c != ')') {
        /* A brace is read again by itself: what was forgotten is the ';' before it. */
        if (c != '}')
            pass(lexer);
        return TOKEN_BAD;
    }
    return c == '"' || c == '\'' ? word_quoted(lexer, arena, word) : word_plain(lexer, arena, word);
}

struct place word_place(const struct word *word) {
    return (struct place){word->file->path, word->line, word->column};
}

struct str word_source(const struct word *word) {
    struct str text = word->file->text;
    size_t start = word->offset - (word->column - 1), end = word->offset;
    while (end < text.len && text.ptr[end] != '\n')
        end++;
    return str_make(text.ptr + start, end - start);
}
