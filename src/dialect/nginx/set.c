#include "dialect/nginx/set.h"

#include "base/check.h"
#include "dialect/nginx/compile.h"
#include "dialect/nginx/refusal.h"
#include "dialect/nginx/unit.h"

void set_fail(struct scope *scope, const struct word *at, const struct directive *row, const char *wanted) {
    struct diagnostic *said = reader_fail(scope->reader, at, "invalid value \"%.*s\" in \"%s\" directive",
                                          STR_ARG(at->text), row->name);
    diagnostic_hint(scope->reader->diagnostics, said, "it must be %s", wanted);
}

bool set_read_choice(struct scope *scope, const struct node *node, const struct directive *row,
                     const char *const *names, size_t count, const char *wanted, unsigned *choice) {
    for (*choice = 0; *choice < count; ++*choice)
        if (str_eq_nocase(node->words[1].text, str_of(names[*choice])))
            return true;
    set_fail(scope, &node->words[1], row, wanted);
    return false;
}

bool set_read_flag(struct scope *scope, const struct node *node, const struct directive *row, bool *is_on) {
    static const char *const names[] = {"off", "on"};
    unsigned choice;
    if (!set_read_choice(scope, node, row, names, 2, "\"on\" or \"off\"", &choice))
        return false;
    *is_on = choice == 1;
    return true;
}

void set_flag(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_on;
    if (set_read_flag(scope, node, row, &is_on))
        *(bool *)scope_member(scope, row, sizeof(bool)) = is_on;
}

static void fail_word(struct scope *scope, const struct word *at, const struct directive *row,
                      const struct set_word *words, size_t count, const char *hint) {
    struct str names[SET_WORDS_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = str_of(words[i].name);
    struct str near = diagnostic_nearest(at->text, names, count);
    struct diagnostic *said =
        reader_fail(scope->reader, at, "invalid value \"%.*s\" in \"%s\"", STR_ARG(at->text), row->name);
    if (near.len)
        diagnostic_hint(scope->reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
    else if (hint)
        diagnostic_hint(scope->reader->diagnostics, said, "%s", hint);
}

unsigned set_read_words(struct scope *scope, const struct node *node, const struct directive *row,
                        const struct set_word *words, size_t count, const char *hint) {
    unsigned bits = 0;
    CHECK(count <= SET_WORDS_MAX, "%zu words", count);
    for (size_t i = 1; i < node->count; i++) {
        size_t found = 0;
        while (found < count && !str_eq_nocase(node->words[i].text, str_of(words[found].name)))
            found++;
        if (found < count)
            bits |= words[found].bits;
        else
            fail_word(scope, &node->words[i], row, words, count, hint);
    }
    return bits;
}

bool set_read_number(struct scope *scope, const struct word *at, const char *name, uint64_t max,
                     uint64_t *value) {
    if (str_to_u64(at->text, value) && *value <= max)
        return true;
    struct diagnostic *said =
        reader_fail(scope->reader, at, "invalid number \"%.*s\" in \"%s\"", STR_ARG(at->text), name);
    if (max == INT64_MAX)
        diagnostic_hint(scope->reader->diagnostics, said, "it must be a whole number, 0 or more");
    else
        diagnostic_hint(scope->reader->diagnostics, said, "it must be a whole number from 0 to %llu",
                        (unsigned long long)max);
    return false;
}

void set_number(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t value;
    if (set_read_number(scope, &node->words[1], row->name, INT64_MAX, &value))
        *(uint64_t *)scope_member(scope, row, sizeof(uint64_t)) = value;
}

void set_tries(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t tries;
    if (set_read_number(scope, &node->words[1], row->name, 1000000, &tries))
        *(unsigned *)scope_member(scope, row, sizeof(unsigned)) = (unsigned)tries;
}

void set_size(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t bytes;
    if (unit_size(node->words[1].text, false, &bytes))
        *(size_t *)scope_member(scope, row, sizeof(size_t)) = (size_t)bytes;
    else
        set_fail(scope, &node->words[1], row, "a size in bytes, as 512, 8k or 1m");
}

void set_size_unused(struct scope *scope, const struct node *node, const struct directive *row) {
    set_size(scope, node, row);
    set_nothing(scope, node, row);
}

void set_rate(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    struct template *rate = scope_member(scope, row, sizeof *rate);
    uint64_t bytes = 1;
    if (!compile_has_variable(at->text) && !unit_size(at->text, false, &bytes))
        set_fail(scope, at, row, "bytes a second, as 500, 100k or 1m; 0 is no limit");
    else if (bytes == 0)
        *rate = (struct template){0};
    else
        compile_template(scope, at, at->text, rate);
}

void set_temp_path(struct scope *scope, const struct node *node, const struct directive *row) {
    struct temp_path *path = scope_member(scope, row, sizeof *path);
    struct temp_path said = {.directory = reader_path(scope->reader, node->words[1].text)};
    for (size_t i = 2; i < node->count; i++) {
        uint64_t level;
        if (!str_to_u64(node->words[i].text, &level) || level < 1 || level > 3) {
            set_fail(scope, &node->words[i], row, "a number of digits from 1 to 3, for a level of directories");
            return;
        }
        said.levels[i - 2] = (unsigned char)level;
    }
    struct str *kept = READER_ADD(scope->reader, &scope->reader->model->temp_directories);
    if (!kept)
        return;
    *kept = said.directory;
    *path = said;
}

void set_bytes(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t bytes;
    if (unit_size(node->words[1].text, true, &bytes))
        *(uint64_t *)scope_member(scope, row, sizeof(uint64_t)) = bytes;
    else
        set_fail(scope, &node->words[1], row, "a size in bytes, as 512k, 10m or 1g");
}

static const char time_wanted[] = "a time, as 60, 60s, 500ms, 1h30m";

void set_time_ms(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t ms;
    if (unit_time_ms(node->words[1].text, &ms))
        *(uint64_t *)scope_member(scope, row, sizeof(uint64_t)) = ms;
    else
        set_fail(scope, &node->words[1], row, time_wanted);
}

void set_wait_ms(struct scope *scope, const struct node *node, const struct directive *row) {
    uint64_t ms;
    if (!unit_time_ms(node->words[1].text, &ms))
        set_fail(scope, &node->words[1], row, time_wanted);
    else if (ms == 0)
        set_fail(scope, &node->words[1], row,
                 "more than 0, as nothing can succeed in no time; for a very long one write 1d");
    else
        *(uint64_t *)scope_member(scope, row, sizeof(uint64_t)) = ms;
}

void set_text(struct scope *scope, const struct node *node, const struct directive *row) {
    *(struct str *)scope_member(scope, row, sizeof(struct str)) = node->words[1].text;
}

void set_path(struct scope *scope, const struct node *node, const struct directive *row) {
    *(struct str *)scope_member(scope, row, sizeof(struct str)) =
        reader_path(scope->reader, node->words[1].text);
}

void set_nothing(struct scope *scope, const struct node *node, const struct directive *row) {
    const char *reason = row->helper ? row->helper : "there is nothing here that it could change";
    reader_say(scope->reader, SEVERITY_NOTE, &node->words[0], "\"%s\" has no effect: %s", row->name, reason);
}

void set_on(struct scope *scope, const struct node *node, const struct directive *row) {
    const char *reason = row->helper;
    bool is_on;
    if (set_read_flag(scope, node, row, &is_on) && !is_on)
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0], "\"%s off\" has no effect: %s", row->name,
                   reason);
}

void set_nothing_visible(struct scope *scope, const struct node *node, const struct directive *row) {
    const char *reason = row->helper;
    if (node->count == 2 && str_eq_nocase(node->words[1].text, STR("off")))
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0], "\"%s off\" is how it is in any case",
                   row->name);
    else
        reader_say(scope->reader, SEVERITY_WARNING, &node->words[0], "\"%s\" is not supported: %s", row->name,
                   reason);
}

void set_unsupported(struct scope *scope, const struct node *node, const struct directive *row) {
    const char *instead = row->helper ? row->helper : refusal_hint(str_of(row->name));
    struct diagnostic *said = reader_fail(scope->reader, &node->words[0], "\"%s\" is not supported", row->name);
    if (instead && *instead)
        diagnostic_hint(scope->reader->diagnostics, said, "%s", instead);
}

void set_only(struct scope *scope, const struct node *node, const struct directive *row) {
    const char *only = row->helper;
    if (node->count == 2 && str_eq_nocase(node->words[1].text, str_of(only))) {
        reader_say(scope->reader, SEVERITY_NOTE, &node->words[0], "\"%s %s\" is how it is in any case",
                   row->name, only);
        return;
    }
    const struct word *at = &node->words[node->count > 1 ? 1 : 0];
    struct diagnostic *said = reader_fail(scope->reader, at, "\"%s\" is not supported", row->name);
    diagnostic_hint(scope->reader->diagnostics, said, "only \"%s %s;\" is taken, which is how it works here",
                    row->name, only);
}
