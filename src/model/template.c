#include "model/template.h"

bool template_is_literal(const struct template *t, struct str *text) {
    if (t->count > 1 || (t->count == 1 && t->parts[0].variable.id != VARIABLE_NONE))
        return false;
    *text = t->count ? t->parts[0].text : STR("");
    return true;
}

bool template_literal(struct template *t, struct str text, struct arena *arena) {
    *t = (struct template){0};
    if (text.len == 0)
        return true;
    t->parts = arena_zero(arena, 1, sizeof *t->parts);
    if (!t->parts)
        return false;
    t->parts[0].text = text;
    t->count = 1;
    return true;
}
