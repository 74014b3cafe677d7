#ifndef FUZZ_REFERENCE_HEAD_H
#define FUZZ_REFERENCE_HEAD_H

#include "codec/h1_head.h"
#include "fuzz.h"

/* A head read the slow, obvious way: cut into lines, lines cut into parts, each part looked at byte by byte. It
 * only knows whole heads. What it takes, the parser must take, with the same parts; what it refuses, the parser
 * must. */

struct reference_field {
    struct str name, value;
};

struct reference_head {
    struct str start, rest; /* the first line, and the bytes behind the head */
    struct reference_field fields[H1_FIELDS_MAX + 1];
    unsigned count;
    unsigned minor;
};

static inline bool reference_is_token(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.len > 0;
}

static inline bool reference_is_text(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    return true;
}

/* Cuts a line with its CR LF off the front, or with its LF where those end lines. NULL: there is no whole one.
 */
static inline struct str reference_line(struct str *text, bool is_lf) {
    size_t end = is_lf ? str_find_char(*text, '\n') : str_find(*text, STR("\r\n"));
    if (end == STR_NONE)
        return str_make(NULL, 0);
    struct str line = str_head(*text, end);
    *text = str_from(*text, end + (is_lf ? 1 : 2));
    return is_lf && str_ends(line, STR("\r")) ? str_head(line, end - 1) : line;
}

/* Is there a whole head? Then its lines; *is_right: may all of them be fields? */
static inline bool reference_lines(struct reference_head *head, struct str text, bool *is_right) {
    bool is_lf = !str_ends(str_head(text, str_find_char(text, '\n')), STR("\r"));
    struct str line = head->start = reference_line(&text, is_lf);
    head->count = 0;
    *is_right = line.ptr && reference_is_text(line);
    while ((line = reference_line(&text, is_lf)).len) {
        if (!*is_right)
            continue;
        size_t colon = str_find_char(line, ':');
        struct str name = str_head(line, colon),
                   value = str_trim(str_from(line, colon == STR_NONE ? line.len : colon + 1));
        *is_right = colon != STR_NONE && reference_is_token(name) && reference_is_text(line) &&
                    head->count < H1_FIELDS_MAX;
        head->fields[head->count++] = (struct reference_field){name, value};
    }
    head->rest = text;
    return line.ptr != NULL;
}

static inline unsigned reference_count(const struct reference_head *head, struct str name) {
    unsigned count = 0;
    for (unsigned i = 0; i < head->count; i++)
        count += str_eq_nocase(head->fields[i].name, name);
    return count;
}

static inline struct str reference_value(const struct reference_head *head, struct str name) {
    for (unsigned i = 0; i < head->count; i++)
        if (str_eq_nocase(head->fields[i].name, name))
            return head->fields[i].value;
    return STR("");
}

/* Is the token in a list of some field of that name? Reads the list a byte at a time. */
static inline bool reference_lists(const struct reference_head *head, struct str name, struct str token) {
    for (unsigned i = 0; i < head->count; i++) {
        struct str value = head->fields[i].value;
        bool is_quoted = false, is_escaped = false;
        if (!str_eq_nocase(head->fields[i].name, name))
            continue;
        for (size_t at = 0, start = 0; at <= value.len; at++) {
            if (at == value.len || (value.ptr[at] == ',' && !is_quoted)) {
                if (str_eq_nocase(str_trim(str_make(value.ptr + start, at - start)), token))
                    return true;
                start = at + 1;
            } else if (is_escaped) {
                is_escaped = false;
            } else if (value.ptr[at] == '\\' && is_quoted) {
                is_escaped = true;
            } else if (value.ptr[at] == '"') {
                is_quoted = !is_quoted;
            }
        }
    }
    return false;
}

/* Are length and coding such that the end of the body is beyond doubt? */
static inline bool reference_framing(const struct reference_head *head, enum h1_framing *framing,
                                     uint64_t *length) {
    unsigned lengths = reference_count(head, STR("content-length"));
    unsigned codings = reference_count(head, STR("transfer-encoding"));
    *framing = H1_NO_BODY;
    *length = 0;
    if (lengths + codings > 1)
        return false;
    if (lengths) {
        struct str value = reference_value(head, STR("content-length"));
        *framing = H1_LENGTH;
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] < '0' || value.ptr[i] > '9')
                return false;
            unsigned __int128 next = (unsigned __int128)*length * 10 + (unsigned)(value.ptr[i] - '0');
            if (next > INT64_MAX)
                return false;
            *length = (uint64_t)next;
        }
        return value.len > 0;
    }
    if (codings)
        *framing = H1_CHUNKED;
    return !codings ||
           (head->minor == 1 && str_eq_nocase(reference_value(head, STR("transfer-encoding")), STR("chunked")));
}

/* The parser's fields and flags against these. */
static inline void reference_compare(const struct reference_head *reference, const struct h1_head *head) {
    bool keeps = reference->minor == 1 || reference_lists(reference, STR("connection"), STR("keep-alive"));
    bool closes = reference_lists(reference, STR("connection"), STR("close"));
    bool upgrades = reference_lists(reference, STR("connection"), STR("upgrade"));
    FUZZ_CHECK(head->minor == reference->minor && head->field_count == reference->count);
    FUZZ_CHECK(!head->is_keepalive || (keeps && !closes));
    FUZZ_CHECK(head->is_upgrade ==
               (upgrades && head->minor == 1 && reference_count(reference, STR("upgrade"))));
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct h1_field *field = &head->fields[i];
        const struct reference_field *wanted = &reference->fields[i];
        FUZZ_CHECK(str_eq(h1_field_name(head, field), wanted->name));
        FUZZ_CHECK(str_eq(h1_field_value(head, field), wanted->value));
        FUZZ_CHECK(field->id == h1_field_find(wanted->name));
        const struct h1_field *first = h1_head_find(head, wanted->name);
        FUZZ_CHECK(first && first <= field &&
                   str_eq(h1_field_value(head, first), reference_value(reference, wanted->name)));
        if (field->id == H1_OTHER)
            continue;
        unsigned steps = 0;
        FUZZ_CHECK(h1_head_has(head, field->id));
        for (unsigned number = head->first[field->id]; number; number = head->fields[number - 1].next)
            steps += head->fields[number - 1].id == field->id;
        FUZZ_CHECK(steps == reference_count(reference, wanted->name));
    }
}

#endif
