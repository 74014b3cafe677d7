#include "dialect/nginx/slot.h"

bool slot_find(const struct reader *reader, struct str name, unsigned *slot) {
    size_t number = reader->slots.arena ? (size_t)(uintptr_t)map_get(&reader->slots, name) : 0;
    if (number)
        *slot = (unsigned)number - 1;
    return number > 0;
}

bool slot_make(struct reader *reader, struct str name, unsigned *slot) {
    struct model *model = reader->model;
    struct str lower = reader_lower(reader, name);
    if (reader->is_starved)
        return false;
    if (slot_find(reader, lower, slot))
        return true;
    if (!reader->slots.arena)
        map_init(&reader->slots, &reader->scratch, false);
    struct slot *held = VEC_ADD(&model->slots, &model->arena);
    if (!held || !map_put(&reader->slots, lower, (void *)(uintptr_t)model->slots.count))
        return reader_starve(reader);
    held->name = lower;
    *slot = (unsigned)model->slots.count - 1;
    return true;
}

/* "(?<name>", "(?P<name>" and "(?'name'" anywhere in a word. */
static void groups_declare(struct reader *reader, struct str text) {
    unsigned slot;
    for (size_t at; (at = str_find(text, STR("(?"))) != STR_NONE;) {
        text = str_from(text, at + 2);
        if (str_starts(text, STR("P")))
            text = str_from(text, 1);
        if (text.len == 0 || (text.ptr[0] != '<' && text.ptr[0] != '\''))
            continue;
        size_t end = str_find_char(str_from(text, 1), text.ptr[0] == '<' ? '>' : '\'');
        if (end != STR_NONE && end > 0 && text.ptr[1] != '=' && text.ptr[1] != '!')
            slot_make(reader, str_head(str_from(text, 1), end), &slot);
    }
}

static void node_declare(struct reader *reader, const struct node *node) {
    struct str name = node_name(node);
    unsigned slot;
    bool sets = str_eq(name, STR("set")) || str_eq(name, STR("auth_request_set"));
    if (sets && node->count == 3 && str_starts(node->words[1].text, STR("$")) && node->words[1].text.len > 1 &&
        variable_is_free(reader_lower(reader, str_from(node->words[1].text, 1))) &&
        slot_make(reader, str_from(node->words[1].text, 1), &slot))
        reader->model->slots.items[slot].is_set |= str_eq(name, STR("set"));
    for (size_t i = 0; i < node->count; i++)
        groups_declare(reader, node->words[i].text);
}

static const struct node *node_after(const struct node *node, const struct node *top) {
    if (node->first)
        return node->first;
    while (node != top && !node->next)
        node = node->parent;
    return node == top ? NULL : node->next;
}

void slot_declare(struct scope *scope) {
    const struct node *top = scope->block;
    for (const struct node *node = top->first; node && !scope->reader->is_starved; node = node_after(node, top))
        node_declare(scope->reader, node);
}

bool slot_target(struct scope *scope, const struct word *at, struct variable *target) {
    struct reader *reader = scope->reader;
    if (at->text.len < 2 || at->text.ptr[0] != '$') {
        struct diagnostic *said = reader_fail(reader, at, "invalid variable name \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "the variable that is set begins with a \"$\"");
        return false;
    }
    struct str name = reader_lower(reader, str_from(at->text, 1));
    *target = variable_find(name);
    bool is_settable = target->id == VARIABLE_ARGS || target->id == VARIABLE_LIMIT_RATE;
    if (is_settable && !(scope->context & CONTEXT_STREAMS))
        return true;
    if (!variable_is_free(name)) {
        struct diagnostic *said = reader_fail(reader, at, "the duplicate \"%.*s\" variable", STR_ARG(name));
        diagnostic_hint(reader->diagnostics, said, "it is built in and cannot be set: choose another name");
        return false;
    }
    *target = (struct variable){.id = VARIABLE_SLOT, .name = name};
    return slot_make(reader, name, &target->index);
}
