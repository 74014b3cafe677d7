#ifndef DIALECT_NGINX_READER_H
#define DIALECT_NGINX_READER_H

#include "dialect/nginx/node.h"
#include "dialect/nginx/source.h"
#include "model/model.h"

/* What is known while a configuration is read, and how to complain. */

struct listen_state {
    bool has_default; /* somebody said default_server */
    bool has_options; /* somebody said what is asked of its sockets: only one may */
};

struct reader {
    struct model *model;
    struct diagnostics *diagnostics;
    const struct nginx_source *source;
    struct arena scratch;
    struct str directory; /* of the main file, with '/' at its end, or empty */
    struct map maps;      /* name -> struct value_map * */
    struct map matches;   /* name -> struct match * */
    struct map slots;     /* name -> number of the slot + 1 */
    VEC(struct log_format *) formats;
    struct policy policy; /* of http */
    struct site site;     /* what servers begin with */
    size_t files_read;
    bool is_starved; /* memory was refused: nothing that was read may be used */
    bool has_stream;
    VEC(struct listen_state) listen_states; /* beside the model's listens */
    const struct node *returns_asked;       /* the server of which always_returns is known */
    bool always_returns;
    VEC(struct listen *) site_listens; /* of the server being read */
    VEC(struct regex *) site_regexes;  /* beside the server's names; NULL: no regular expression */
};

/* Says something of a word, with its line of source. Returns what diagnostic_hint wants. */
struct diagnostic *reader_say(struct reader *reader, enum severity severity, const struct word *at,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));
#define reader_fail(reader, at, ...) reader_say(reader, SEVERITY_ERROR, at, __VA_ARGS__)
/* Says that the word, known to nginx in `where`, is not supported, and what to do instead, unless that is NULL.
 */
void reader_refuse(struct reader *reader, const struct word *at, const char *where, const char *instead);
/* Memory was refused. Always false. */
bool reader_starve(struct reader *reader);
/* From the model's arena; NULL is noted. */
void *reader_alloc(struct reader *reader, size_t size);
/* A new, zeroed last element of a VEC in the model's arena; NULL is noted. */
#define READER_ADD(reader, vec) \
    ((__typeof__((vec)->items))reader_note((reader), VEC_ADD((vec), &(reader)->model->arena)))
/* What an arena gave; NULL is noted. */
void *reader_note(struct reader *reader, void *given);
/* The texts joined, in the model's arena; empty without memory. */
struct str reader_join(struct reader *reader, struct str a, struct str b);
/* A path of the configuration made absolute against the prefix. */
struct str reader_path(struct reader *reader, struct str path);
/* A literal in the model's arena, lower case. */
struct str reader_lower(struct reader *reader, struct str text);

#endif
