#ifndef DIALECT_NGINX_SET_H
#define DIALECT_NGINX_SET_H

#include "dialect/nginx/scope.h"

/* Handlers that several areas' rows share. Each sets the member that the row's object and offset name. */

typedef void set_function(struct scope *scope, const struct node *node, const struct directive *row);

set_function set_flag;        /* on|off -> bool */
set_function set_number;      /* -> uint64_t */
set_function set_tries;       /* -> unsigned */
set_function set_size;        /* k m -> size_t */
set_function set_size_unused; /* the same of what is looked at and bounds nothing, and says so */
set_function set_rate;        /* bytes a second, with variables -> struct template; 0: empty */
set_function set_temp_path;   /* PATH [LEVEL [LEVEL [LEVEL]]] -> struct temp_path */
set_function set_bytes;       /* k m g -> uint64_t */
set_function set_time_ms;     /* -> uint64_t; 0 is allowed */
set_function set_wait_ms;     /* as set_time_ms, but 0 is an error: a wait of no time can only fail */
set_function set_text;        /* -> struct str */
set_function set_path;        /* -> struct str, absolute against the prefix */

/* What changes nothing here: said in a note, with the row's helper as the reason. */
set_function set_nothing;
/* on|off, where it is on in any case: "off" is said in a note, with the row's helper as the reason. */
set_function set_on;
/* What is not done and can be seen from outside: said in a warning, with the row's helper as what happens. */
set_function set_nothing_visible;
/* Known to nginx and not supported: an error; the helper, if any, says what to do instead. */
set_function set_unsupported;
/* Only the value that the helper names (what is done anyway) is taken, with a note; others are not supported.
 */
set_function set_only;

/* Says that the word is no value for the row, and what is. */
void set_fail(struct scope *scope, const struct word *at, const struct directive *row, const char *wanted);
/* The argument, on or off; said when it is neither. */
bool set_read_flag(struct scope *scope, const struct node *node, const struct directive *row, bool *is_on);
/* The argument's place among the `count` names, in any letter case. When it is none that is said, with what is
 * wanted. */
bool set_read_choice(struct scope *scope, const struct node *node, const struct directive *row,
                     const char *const *names, size_t count, const char *wanted, unsigned *choice);
/* A word that stands for bits. */
struct set_word {
    const char *name;
    unsigned bits;
};
enum { SET_WORDS_MAX = 16 };
/* The bits of all of the directive's words, in any letter case. One that is none of the `count` is said, with
 * the nearest or else the hint, unless that is NULL. */
unsigned set_read_words(struct scope *scope, const struct node *node, const struct directive *row,
                        const struct set_word *words, size_t count, const char *hint);
/* The argument's digits; said when it is none. */
bool set_read_number(struct scope *scope, const struct word *at, const char *name, uint64_t max,
                     uint64_t *value);

#endif
