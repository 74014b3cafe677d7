#ifndef DIALECT_NGINX_LEXER_H
#define DIALECT_NGINX_LEXER_H

#include "base/arena.h"
#include "model/diagnostic.h"

/* nginx's words: what stands between blanks, ';', '{' and '}', with its rules for quotes, escapes and "${". */

struct source_file {
    struct str path, text;
};

struct word {
    struct str text; /* quotes and escapes removed; a view of the file where nothing was */
    const struct source_file *file;
    size_t offset; /* in the file's text, of the first byte, the quote included */
    unsigned line, column;
    bool is_quoted;
};

enum token {
    TOKEN_WORD,
    TOKEN_SEMICOLON,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_END,
    TOKEN_BAD,      /* the word is where; one byte was passed over */
    TOKEN_UNCLOSED, /* a quoted word without its closing quote: the word is where it begins; the file ends */
    TOKEN_NO_MEMORY
};

struct lexer {
    const struct source_file *file; /* outlives every word */
    size_t at, line_start;
    unsigned line;
    bool after_quote; /* the last token was a quoted word: only a blank, ';', '{' or ')' may follow */
};

void lexer_init(struct lexer *lexer, const struct source_file *file);
/* The next token; *word says where in any case. Texts that had to be changed are in the arena. */
enum token lexer_next(struct lexer *lexer, struct arena *arena, struct word *word);

struct place word_place(const struct word *word);
/* The whole line of the file that the word begins in. */
struct str word_source(const struct word *word);

#endif
