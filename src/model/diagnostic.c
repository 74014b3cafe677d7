#include "model/diagnostic.h"

#include <stdio.h>

enum { TEXT_MAX = 1000, SOURCE_MAX = 160 };

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena) {
    *diagnostics = (struct diagnostics){.arena = arena};
}

static struct str text_keep(struct arena *arena, const char *format, va_list list)
    __attribute__((format(printf, 2, 0)));

static struct str text_keep(struct arena *arena, const char *format, va_list list) {
    char text[TEXT_MAX];
    int len = vsnprintf(text, sizeof text, format, list);
    if (len < 0)
        return STR("");
    struct str kept =
        arena_copy(arena, str_make(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1));
    return kept.ptr ? kept : STR("out of memory");
}

struct diagnostic *diagnostics_add_list(struct diagnostics *diagnostics, enum severity severity,
                                        struct place place, const char *format, va_list list) {
    diagnostics->errors += severity == SEVERITY_ERROR;
    diagnostics->warnings += severity == SEVERITY_WARNING;
    struct diagnostic *diagnostic = NULL;
    if (diagnostics->list.count < DIAGNOSTICS_MAX)
        diagnostic = VEC_ADD(&diagnostics->list, diagnostics->arena);
    if (!diagnostic) {
        diagnostics->spare = (struct diagnostic){.severity = severity, .text = STR("out of memory")};
        return &diagnostics->spare;
    }
    struct str file = arena_copy(diagnostics->arena, place.file);
    diagnostic->severity = severity;
    diagnostic->place = (struct place){file.ptr ? file : STR(""), place.line, place.column};
    diagnostic->text = text_keep(diagnostics->arena, format, list);
    diagnostic->hint = diagnostic->source = STR("");
    return diagnostic;
}

struct diagnostic *diagnostics_add(struct diagnostics *diagnostics, enum severity severity, struct place place,
                                   const char *format, ...) {
    va_list list;
    va_start(list, format);
    struct diagnostic *diagnostic = diagnostics_add_list(diagnostics, severity, place, format, list);
    va_end(list);
    return diagnostic;
}

void diagnostic_hint(struct diagnostics *diagnostics, struct diagnostic *diagnostic, const char *format, ...) {
    if (diagnostic == &diagnostics->spare)
        return;
    va_list list;
    va_start(list, format);
    diagnostic->hint = text_keep(diagnostics->arena, format, list);
    va_end(list);
}

/* For a terminal: text in UTF-8 goes through, what could steer the terminal does not. */
static void put_shown(struct builder *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            builder_format(out, "\\x%02x", c);
        else
            builder_char(out, (char)c);
    }
}

static void put_colour(struct builder *out, bool in_colour, const char *code) {
    if (in_colour)
        builder_str(out, str_of(code));
}

/* The source line without its indentation, and a caret under its column. */
static void put_source(struct builder *out, const struct diagnostic *diagnostic, bool in_colour) {
    struct str line = diagnostic->source;
    size_t at = diagnostic->place.column ? diagnostic->place.column - 1 : 0;
    while (line.len && at && (line.ptr[0] == ' ' || line.ptr[0] == '\t')) {
        line = str_from(line, 1);
        at--;
    }
    if (at >= SOURCE_MAX) {
        line = str_from(line, at);
        at = 0;
    }
    line = str_head(line, SOURCE_MAX);
    while (line.len && strchr(" \t\r\n", line.ptr[line.len - 1]))
        line.len--;
    if (line.len == 0)
        return;
    builder_str(out, STR("    "));
    put_shown(out, line);
    builder_str(out, STR("\n    "));
    for (size_t i = 0; i < at && i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if (c == '\t')
            builder_char(out, '\t');
        else if ((c & 0xc0) != 0x80) /* a character's further bytes take no column of their own */
            builder_str(out, c < 0x20 || c == 0x7f ? STR("    ") : STR(" "));
    }
    put_colour(out, in_colour, "\033[1;32m");
    builder_char(out, '^');
    put_colour(out, in_colour, "\033[0m");
    builder_char(out, '\n');
}

static void put_place(struct builder *out, const struct place *place) {
    put_shown(out, place->file);
    if (place->line)
        builder_format(out, ":%u:%u", place->line, place->column);
}

static void put_hint(struct builder *out, const struct diagnostic *diagnostic) {
    if (diagnostic->hint.len == 0)
        return;
    for (struct str rest = diagnostic->hint, line; str_split(&rest, '\n', &line);) {
        builder_str(out, STR("  "));
        put_shown(out, line);
        builder_char(out, '\n');
    }
}

void diagnostic_print(struct builder *out, const struct diagnostic *diagnostic, bool in_colour) {
    static const char *const names[] = {"note", "warning", "error"};
    static const char *const colours[] = {"\033[1;36m", "\033[1;35m", "\033[1;31m"};
    if (diagnostic->place.file.len) {
        put_colour(out, in_colour, "\033[1m");
        put_place(out, &diagnostic->place);
        builder_str(out, STR(": "));
        put_colour(out, in_colour, "\033[0m");
    }
    put_colour(out, in_colour, colours[diagnostic->severity]);
    builder_format(out, "%s: ", names[diagnostic->severity]);
    put_colour(out, in_colour, "\033[0m");
    put_shown(out, diagnostic->text);
    builder_char(out, '\n');
    put_source(out, diagnostic, in_colour);
    put_hint(out, diagnostic);
}

void diagnostic_print_line(struct builder *out, const struct diagnostic *diagnostic) {
    const struct place *place = &diagnostic->place;
    put_shown(out, diagnostic->text);
    if (place->file.len == 0)
        return;
    builder_str(out, STR(" in "));
    put_shown(out, place->file);
    if (place->line && !str_eq(place->file, PLACE_COMMAND_LINE))
        builder_format(out, ":%u", place->line);
}

void diagnostic_print_picture(struct builder *out, const struct diagnostic *diagnostic, bool in_colour) {
    if (diagnostic->place.file.len && diagnostic->source.len) {
        builder_str(out, STR("  "));
        put_colour(out, in_colour, "\033[1m");
        put_place(out, &diagnostic->place);
        put_colour(out, in_colour, "\033[0m");
        builder_char(out, '\n');
        put_source(out, diagnostic, in_colour);
    }
    put_hint(out, diagnostic);
}

/* "tream" for "upstream": cut off, but most of it is there. */
static bool is_cut(struct str word, struct str whole) {
    return word.len >= 4 && word.len < whole.len && word.len * 2 >= whole.len &&
           (str_ends(whole, word) || str_starts(whole, word));
}

struct str diagnostic_nearest(struct str word, const struct str *candidates, size_t count) {
    struct str best = STR("");
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t longer = word.len > candidates[i].len ? word.len : candidates[i].len;
        unsigned allowed = longer / 3 ? (unsigned)(longer / 3) : 1;
        size_t shorter = word.len < candidates[i].len ? word.len : candidates[i].len;
        /* as many letters apart as their lengths are, at least */
        unsigned distance = longer - shorter <= allowed ? str_distance(word, candidates[i]) : allowed + 1;
        if (distance > allowed && is_cut(word, candidates[i]))
            distance = allowed;
        /* A word of which nothing is left is no misspelling. */
        if (distance <= allowed && distance < longer && distance < least) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}
