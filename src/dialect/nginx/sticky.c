#include "dialect/nginx/sticky.h"

#include "dialect/nginx/compile.h"
#include "dialect/nginx/unit.h"

/* sticky sid; sticky cookie NAME [...]; sticky route $VARIABLE ...; sticky learn create= lookup= zone= [...];
 */

enum { TIMEOUT_MS = 600000, ZONE_LEAST = 8 * 4096 };

#define TEMPLATES_ADD(templates, scope, at, text) \
    template_add(READER_ADD((scope)->reader, (templates)), (scope), (at), (text))

static void template_add(struct template *slot, struct scope *scope, const struct word *at, struct str text) {
    if (slot && !compile_template(scope, at, text, slot))
        *slot = (struct template){0};
}

static void say_wrong(struct scope *scope, const struct word *at, const char *what) {
    reader_fail(scope->reader, at, "\"sticky\" directive %s", what);
}

static void say_unknown(struct scope *scope, const struct word *at) {
    struct str name = str_head(at->text, str_find_char(at->text, '='));
    static const char *const known[] = {"expires", "domain", "httponly", "secure",  "samesite", "path",
                                        "create",  "lookup", "zone",     "timeout", "header",   "sync"};
    struct str names[sizeof known / sizeof *known];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        names[i] = str_of(known[i]);
    struct diagnostic *said = reader_fail(scope->reader, at, "unknown parameter \"%.*s\"", STR_ARG(at->text));
    struct str near = diagnostic_nearest(name, names, sizeof known / sizeof *known);
    if (near.len)
        diagnostic_hint(scope->reader->diagnostics, said, "did you mean \"%.*s\"?", STR_ARG(near));
}

/* "name=value": the value; false when the word begins otherwise. */
static bool takes(const struct word *at, const char *prefix, struct str *value) {
    if (!str_starts(at->text, str_of(prefix)))
        return false;
    *value = str_from(at->text, strlen(prefix));
    return true;
}

/* ---- cookie ---- */

static void samesite_read(struct scope *scope, struct sticky *sticky, const struct word *at, struct str value) {
    struct str literal;
    if (!compile_template(scope, at, value, &sticky->samesite) ||
        !template_is_literal(&sticky->samesite, &literal))
        return;
    if (!str_eq_nocase(literal, STR("strict")) && !str_eq_nocase(literal, STR("lax")) &&
        !str_eq_nocase(literal, STR("none")))
        say_wrong(scope, at, "invalid \"samesite\" parameter value");
}

static void once(struct scope *scope, const struct word *at, bool is_there, const char *name) {
    if (is_there)
        reader_fail(scope->reader, at, "\"sticky\" directive parameter \"%s\" is duplicate", name);
}

static void cookie_parameter_read(struct scope *scope, struct sticky *sticky, const struct word *at) {
    struct str value;
    if (takes(at, "domain=", &value)) {
        once(scope, at, sticky->domain.count, "domain");
        if (!value.len)
            say_wrong(scope, at, "no value for \"domain\"");
        else
            compile_template(scope, at, value, &sticky->domain);
    } else if (takes(at, "path=", &value)) {
        once(scope, at, sticky->path.len, "path");
        if (!value.len)
            say_wrong(scope, at, "no value for \"path\"");
        sticky->path = value;
    } else if (takes(at, "expires=", &value)) {
        once(scope, at, sticky->has_expires, "expires");
        sticky->has_expires = true;
        sticky->expires_s = STICKY_EXPIRES_MAX;
        if (!str_eq(value, STR("max")) && !unit_time_s(value, &sticky->expires_s))
            say_wrong(scope, at, "invalid \"expires\" parameter value");
    } else if (str_eq(at->text, STR("httponly"))) {
        once(scope, at, sticky->is_httponly, "httponly");
        sticky->is_httponly = true;
    } else if (str_eq(at->text, STR("secure"))) {
        once(scope, at, sticky->is_secure, "secure");
        sticky->is_secure = true;
    } else if (takes(at, "samesite=", &value)) {
        once(scope, at, sticky->samesite.count, "samesite");
        samesite_read(scope, sticky, at, value);
    } else {
        say_unknown(scope, at);
    }
}

static void cookie_read(struct scope *scope, struct sticky *sticky, const struct node *node) {
    const struct word *at = &node->words[2];
    sticky->cookie = at->text;
    if (!at->text.len) {
        say_wrong(scope, at, "empty cookie name");
        return;
    }
    TEMPLATES_ADD(&sticky->lookup, scope, at, reader_join(scope->reader, STR("$cookie_"), at->text));
    for (size_t i = 3; i < node->count; i++)
        cookie_parameter_read(scope, sticky, &node->words[i]);
}

/* ---- route ---- */

static void route_read(struct scope *scope, struct sticky *sticky, const struct node *node) {
    for (size_t i = 2; i < node->count; i++) {
        const struct word *at = &node->words[i];
        if (!str_starts(at->text, STR("$")))
            reader_fail(scope->reader, at, "invalid variable name \"%.*s\"", STR_ARG(at->text));
        else
            TEMPLATES_ADD(&sticky->lookup, scope, at, at->text);
    }
}

/* ---- learn ---- */

static struct session_zone *zone_add(struct scope *scope, const struct word *at, struct str name,
                                     uint64_t bytes) {
    struct reader *reader = scope->reader;
    struct session_zone *zone = reader_alloc(reader, sizeof *zone);
    struct session_zone **slot = zone ? READER_ADD(reader, &reader->model->session_zones) : NULL;
    if (!slot)
        return NULL;
    *zone = (struct session_zone){word_place(at), name, bytes, scope->upstream,
                                  (unsigned)reader->model->session_zones.count - 1};
    *slot = zone;
    return zone;
}

static const struct session_zone *zone_find(const struct model *model, struct str name) {
    for (size_t i = 0; i < model->session_zones.count; i++)
        if (str_eq(model->session_zones.items[i]->name, name))
            return model->session_zones.items[i];
    return NULL;
}

static void zone_read(struct scope *scope, struct sticky *sticky, const struct word *at, struct str value) {
    size_t colon = str_find_char(value, ':');
    struct str name = str_head(value, colon);
    const struct session_zone *other = zone_find(scope->reader->model, name);
    uint64_t bytes;
    if (sticky->zone)
        say_wrong(scope, at, "duplicate zone");
    else if (colon == STR_NONE)
        say_wrong(scope, at, "zone size is not specified");
    else if (colon == 0)
        say_wrong(scope, at, "zone name is not specified");
    else if (!unit_size(str_from(value, colon + 1), false, &bytes))
        say_wrong(scope, at, "invalid zone size");
    else if (bytes < ZONE_LEAST)
        say_wrong(scope, at, "zone is too small");
    else if (other)
        reader_fail(scope->reader, at, "sticky zone \"%.*s\" is already used in upstream \"%.*s\"",
                    STR_ARG(name), STR_ARG(other->upstream->name));
    else
        sticky->zone = zone_add(scope, at, name, bytes);
}

static void learn_parameter_read(struct scope *scope, struct sticky *sticky, const struct word *at) {
    struct str value;
    if (takes(at, "zone=", &value)) {
        zone_read(scope, sticky, at, value);
    } else if (takes(at, "timeout=", &value)) {
        if (sticky->timeout_ms)
            say_wrong(scope, at, "duplicate timeout");
        if (!unit_time_ms(value, &sticky->timeout_ms) || !sticky->timeout_ms)
            say_wrong(scope, at, "invalid timeout");
    } else if (takes(at, "create=", &value)) {
        if (!str_starts(value, STR("$")))
            say_wrong(scope, at, "missing variable in the \"create\" parameter");
        else
            TEMPLATES_ADD(&sticky->create, scope, at, value);
    } else if (takes(at, "lookup=", &value)) {
        if (!str_starts(value, STR("$")))
            say_wrong(scope, at, "missing variable in the \"lookup\" parameter");
        else
            TEMPLATES_ADD(&sticky->lookup, scope, at, value);
    } else if (str_eq(at->text, STR("header"))) {
        sticky->learns_early = true;
    } else if (str_eq(at->text, STR("sync"))) {
        reader_say(scope->reader, SEVERITY_NOTE, at, "\"sync\" has no effect: sessions stay on this machine");
    } else {
        say_unknown(scope, at);
    }
}

static void learn_read(struct scope *scope, struct sticky *sticky, const struct node *node) {
    size_t errors = scope->reader->diagnostics->errors;
    for (size_t i = 2; i < node->count; i++)
        learn_parameter_read(scope, sticky, &node->words[i]);
    if (scope->reader->diagnostics->errors == errors) {
        if (!sticky->lookup.count)
            say_wrong(scope, &node->words[0], "\"lookup\" parameter is not specified");
        else if (!sticky->create.count)
            say_wrong(scope, &node->words[0], "\"create\" parameter is not specified");
        else if (!sticky->zone)
            say_wrong(scope, &node->words[0], "\"zone\" parameter is not specified");
    }
    if (!sticky->timeout_ms)
        sticky->timeout_ms = TIMEOUT_MS;
}

void sticky_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    static const struct {
        const char *name, *form;
        enum sticky_kind kind;
        void (*read)(struct scope *scope, struct sticky *sticky, const struct node *node);
    } kinds[] = {{"cookie", "NAME", STICKY_COOKIE, cookie_read},
                 {"route", "$VARIABLE ...", STICKY_ROUTE, route_read},
                 {"learn", "create=$VARIABLE lookup=$VARIABLE zone=NAME:SIZE", STICKY_LEARN, learn_read}};
    struct str word = node->count > 1 ? node->words[1].text : STR("");
    if (str_eq(word, STR("sid")) && node->count == 2) {
        scope->upstream->is_sticky_by_sid = true;
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_eq(word, str_of(kinds[i].name)))
            continue;
        if (node->count < 3) {
            struct diagnostic *said = reader_fail(scope->reader, &node->words[0],
                                                  "invalid number of arguments in \"sticky\" directive");
            diagnostic_hint(scope->reader->diagnostics, said, "write: sticky %s %s;", kinds[i].name,
                            kinds[i].form);
            return;
        }
        struct sticky *sticky = reader_alloc(scope->reader, sizeof *sticky);
        if (!sticky)
            return;
        *sticky = (struct sticky){.kind = kinds[i].kind};
        scope->upstream->sticky = sticky;
        kinds[i].read(scope, sticky, node);
        return;
    }
    struct diagnostic *said =
        node->count == 1
            ? reader_fail(scope->reader, &node->words[0], "invalid number of arguments in \"sticky\" directive")
            : reader_fail(scope->reader, &node->words[1], "unknown parameter \"%.*s\"", STR_ARG(word));
    diagnostic_hint(scope->reader->diagnostics, said,
                    "it is sid, cookie, route or learn; for Socket.IO write: sticky sid; (by session id, "
                    "without cookies)");
}
