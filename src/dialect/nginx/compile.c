#include "dialect/nginx/compile.h"

#include "dialect/nginx/slot.h"

/* Variables of nginx's that nothing here gives a value. */
static const char *const unsupported[] = {"ancient_browser",
                                          "date_gmt",
                                          "date_local",
                                          "fastcgi_path_info",
                                          "fastcgi_script_name",
                                          "geoip_city",
                                          "geoip_country_code",
                                          "gzip_ratio",
                                          "invalid_referer",
                                          "modern_browser",
                                          "msie",
                                          "secure_link",
                                          "secure_link_expires",
                                          "uid_got",
                                          "uid_reset",
                                          "uid_set",
                                          "upstream_cache_status"};

struct compiling {
    struct scope *scope;
    const struct word *at;
    bool is_log;
    VEC(struct template_part) parts;
};

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool compile_has_variable(struct str text) {
    return str_find_char(text, '$') != STR_NONE;
}

static bool part_add(struct compiling *c, struct template_part part) {
    struct template_part *slot = READER_ADD(c->scope->reader, &c->parts);
    if (!slot)
        return false;
    *slot = part;
    return true;
}

static bool is_unsupported(struct str name) {
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (str_eq(str_of(unsupported[i]), name))
            return true;
    return false;
}

static bool is_of_stream(const struct compiling *c) {
    const struct upstream *upstream = c->scope->upstream;
    return upstream ? upstream->is_stream : (c->scope->context & CONTEXT_STREAMS) != 0;
}

/* http's name in stream, or the other way. */
static bool fail_elsewhere(struct compiling *c, struct str name) {
    struct diagnostic *said = reader_fail(c->scope->reader, c->at, "unknown \"%.*s\" variable", STR_ARG(name));
    diagnostic_hint(c->scope->reader->diagnostics, said, "there is a variable of that name in %s alone",
                    is_of_stream(c) ? "http" : "stream");
    return false;
}

static bool fail_unknown(struct compiling *c, struct str name) {
    struct reader *reader = c->scope->reader;
    if (is_unsupported(name)) {
        if (!c->is_log) {
            struct diagnostic *refused =
                reader_fail(reader, c->at, "the variable \"$%.*s\" is not supported", STR_ARG(name));
            diagnostic_hint(reader->diagnostics, refused, "a \"map\" block may define it");
            return false;
        }
        reader_say(reader, SEVERITY_WARNING, c->at, "the variable \"$%.*s\" is not supported: \"-\" is logged",
                   STR_ARG(name));
        return part_add(c, (struct template_part){.text = STR("-")});
    }
    size_t count;
    const struct str *names = variable_names(&count);
    struct str near = diagnostic_nearest(name, names, count);
    for (size_t i = 0; i < reader->model->maps.count && !near.len; i++)
        near = diagnostic_nearest(name, &reader->model->maps.items[i]->name, 1);
    struct diagnostic *said = reader_fail(reader, c->at, "unknown \"%.*s\" variable", STR_ARG(name));
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "did you mean \"$%.*s\"?", STR_ARG(near));
    else
        diagnostic_hint(reader->diagnostics, said,
                        "define it with a \"map\" block, or write \"%.*s\" without the $", STR_ARG(name));
    return false;
}

static bool variable_add(struct compiling *c, struct str written) {
    struct reader *reader = c->scope->reader;
    struct str name = reader_lower(reader, written);
    if (reader->is_starved)
        return false;
    struct value_map *map = map_get(&reader->maps, name);
    struct variable variable = variable_find(name);
    unsigned slot;
    if (map)
        variable = (struct variable){.id = VARIABLE_MAP, .name = name, .map = map};
    else if (slot_find(reader, name, &slot))
        variable = (struct variable){.id = VARIABLE_SLOT, .index = slot, .name = name};
    else if (variable.id == VARIABLE_NONE)
        return fail_unknown(c, name);
    else if (!variable_is_of(&variable, is_of_stream(c)))
        return fail_elsewhere(c, name);
    reader->model->names_body_files |= variable.id == VARIABLE_REQUEST_BODY_FILE;
    reader->model->keeps_sent_heads |= variable.id == VARIABLE_SENT_HTTP;
    return part_add(c, (struct template_part){.text = STR(""), .variable = variable});
}

static bool capture_add(struct compiling *c, char digit) {
    struct reader *reader = c->scope->reader;
    struct variable variable = {.id = VARIABLE_CAPTURE, .index = (unsigned)(digit - '0')};
    variable.name = reader_join(reader, str_make(&digit, 1), STR(""));
    return !reader->is_starved && part_add(c, (struct template_part){.text = STR(""), .variable = variable});
}

/* What stands behind a '$' at the head of *rest. */
static bool dollar_take(struct compiling *c, struct str *rest) {
    struct reader *reader = c->scope->reader;
    bool in_braces = rest->len && rest->ptr[0] == '{';
    if (in_braces)
        *rest = str_from(*rest, 1);
    if (!in_braces && rest->len && rest->ptr[0] >= '1' && rest->ptr[0] <= '9') {
        char digit = rest->ptr[0];
        *rest = str_from(*rest, 1);
        return capture_add(c, digit);
    }
    size_t len = 0;
    while (len < rest->len && is_name_char(rest->ptr[len]))
        len++;
    struct str name = str_head(*rest, len);
    *rest = str_from(*rest, len);
    if (in_braces && (rest->len == 0 || rest->ptr[0] != '}')) {
        reader_fail(reader, c->at, "the closing bracket in \"${%.*s\" is missing", STR_ARG(name));
        return false;
    }
    if (in_braces)
        *rest = str_from(*rest, 1);
    if (len == 0) {
        reader_fail(reader, c->at, "a \"$\" without the name of a variable");
        return false;
    }
    if (in_braces && len == 1 && name.ptr[0] >= '1' && name.ptr[0] <= '9')
        return capture_add(c, name.ptr[0]);
    return variable_add(c, name);
}

static bool text_compile(struct compiling *c, struct str text, struct template *out) {
    struct str rest = text;
    while (rest.len) {
        size_t at = str_find_char(rest, '$');
        size_t len = at == STR_NONE ? rest.len : at;
        if (len && !part_add(c, (struct template_part){.text = str_head(rest, len)}))
            return false;
        rest = str_from(rest, len);
        if (rest.len == 0)
            break;
        rest = str_from(rest, 1);
        if (!dollar_take(c, &rest))
            return false;
    }
    *out = (struct template){c->parts.items, c->parts.count};
    return true;
}

bool compile_template(struct scope *scope, const struct word *at, struct str text, struct template *out) {
    struct compiling c = {.scope = scope, .at = at};
    return text_compile(&c, text, out);
}

bool compile_log_template(struct scope *scope, const struct word *at, struct str text, struct template *out) {
    struct compiling c = {.scope = scope, .at = at, .is_log = true};
    return text_compile(&c, text, out);
}

static bool names_bind(struct reader *reader, const struct word *at, struct regex *regex) {
    struct regex_binding binding;
    for (unsigned n = 0;; n++) {
        struct str name = regex_name(regex, n, &binding.group);
        if (name.len == 0)
            return true;
        if (!variable_is_free(reader_lower(reader, name))) {
            reader_fail(reader, at, "the duplicate \"%.*s\" variable: the name of a group is built in",
                        STR_ARG(name));
            continue;
        }
        if (!slot_make(reader, name, &binding.slot) || !regex_bind(regex, binding, &reader->model->arena))
            return reader_starve(reader);
    }
}

struct regex *compile_regex(struct reader *reader, const struct word *at, struct str pattern, bool is_nocase) {
    struct str error;
    size_t error_at;
    struct regex **slot = READER_ADD(reader, &reader->model->regexes);
    if (!slot)
        return NULL;
    *slot = regex_new(pattern, is_nocase, &reader->scratch, &error, &error_at);
    struct regex *regex = *slot;
    if (regex)
        return names_bind(reader, at, regex) ? regex : NULL;
    reader->model->regexes.count--;
    if (str_eq(error, STR("out of memory")))
        reader_starve(reader);
    else
        reader_fail(reader, at, "the regular expression \"%.*s\" is wrong at its character %zu: %.*s",
                    STR_ARG(pattern), error_at + 1, STR_ARG(error));
    return NULL;
}
