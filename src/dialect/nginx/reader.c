#include "dialect/nginx/reader.h"

struct diagnostic *reader_say(struct reader *reader, enum severity severity, const struct word *at,
                              const char *format, ...) {
    va_list list;
    va_start(list, format);
    struct diagnostics *all = reader->diagnostics;
    struct diagnostic *said = diagnostics_add_list(all, severity, word_place(at), format, list);
    va_end(list);
    struct str source = arena_copy(all->arena, str_head(word_source(at), 1000));
    if (said != &all->spare && source.ptr)
        said->source = source;
    return said;
}

void reader_refuse(struct reader *reader, const struct word *at, const char *where, const char *instead) {
    struct diagnostic *said =
        reader_fail(reader, at, "\"%.*s\" in \"%s\" is not supported", STR_ARG(at->text), where);
    if (instead)
        diagnostic_hint(reader->diagnostics, said, "%s", instead);
}

bool reader_starve(struct reader *reader) {
    reader->is_starved = true;
    return false;
}

void *reader_note(struct reader *reader, void *given) {
    if (!given)
        reader_starve(reader);
    return given;
}

void *reader_alloc(struct reader *reader, size_t size) {
    return reader_note(reader, arena_zero(&reader->model->arena, 1, size));
}

struct str reader_join(struct reader *reader, struct str a, struct str b) {
    char *text = reader_alloc(reader, a.len + b.len + 1);
    if (!text)
        return STR("");
    struct builder builder = builder_make(text, a.len + b.len);
    builder_str(&builder, a);
    builder_str(&builder, b);
    return builder_view(&builder);
}

struct str reader_path(struct reader *reader, struct str path) {
    struct str prefix = reader->source->prefix;
    if (prefix.len == 0 || (path.len && path.ptr[0] == '/'))
        return path;
    bool has_slash = prefix.ptr[prefix.len - 1] == '/';
    return reader_join(reader, has_slash ? prefix : reader_join(reader, prefix, STR("/")), path);
}

struct str reader_lower(struct reader *reader, struct str text) {
    char *lower = reader_alloc(reader, text.len + 1);
    if (!lower)
        return STR("");
    for (size_t i = 0; i < text.len; i++)
        lower[i] = str_lower_char(text.ptr[i]);
    return str_make(lower, text.len);
}
