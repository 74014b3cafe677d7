#include "dialect/nginx/compile.h"
#include "dialect/nginx/map.h"

/* split_clients SOURCE $VARIABLE { SHARE% VALUE; ... * VALUE; } */

enum { WHOLE = 10000 }; /* hundredths of a percent */

/* "12", "0.5%" without its sign: hundredths, at most two digits behind the point. */
static bool share_parse(struct str text, uint64_t *share) {
    size_t point = str_find_char(text, '.');
    struct str part = point == STR_NONE ? STR("") : str_from(text, point + 1);
    uint64_t whole = 0, rest = 0;
    if (part.len > 2 || (part.len && !str_to_u64(part, &rest)) ||
        (point != 0 && !str_to_u64(str_head(text, point), &whole)) || (point == 0 && !part.len) ||
        whole > WHOLE)
        return false;
    *share = whole * 100 + (part.len == 1 ? rest * 10 : rest);
    return *share > 0;
}

static bool share_read(struct reader *reader, const struct word *at, uint64_t *share) {
    struct str text = at->text;
    *share = 0;
    if (str_eq(text, STR("*")))
        return true;
    if (str_ends(text, STR("%")) && share_parse(str_head(text, text.len - 1), share))
        return true;
    struct diagnostic *said = reader_fail(reader, at, "invalid percent value \"%.*s\"", STR_ARG(text));
    diagnostic_hint(reader->diagnostics, said, "write 10%%, 0.5%% or, for all that are left, *");
    return false;
}

static void share_add(struct scope *scope, struct value_map *map, const struct node *node, uint64_t *sum) {
    struct reader *reader = scope->reader;
    uint64_t share;
    if (node->count != 2 || node->is_block) {
        reader_fail(reader, &node->words[0], "invalid number of the split_clients parameters");
        return;
    }
    if (!share_read(reader, &node->words[0], &share))
        return;
    *sum = share ? *sum + share : WHOLE;
    if (*sum > WHOLE) {
        reader_fail(reader, &node->words[0], "percent total is greater than 100%%");
        return;
    }
    struct value_map_share *slot = VEC_ADD(&map->shares, &reader->model->arena);
    if (!slot || !template_literal(&slot->value, node->words[1].text, &reader->model->arena)) {
        reader_starve(reader);
        return;
    }
    uint32_t before = 0;
    for (size_t i = 0; i + 1 < map->shares.count; i++)
        before = map->shares.items[i].end ? map->shares.items[i].end : before;
    slot->end = share ? before + (uint32_t)(share * UINT32_MAX / WHOLE) : 0;
}

void split_read(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct value_map *map = map_begin(scope, node, VALUE_MAP_SHARES);
    uint64_t sum = 0;
    if (!map || !compile_template(scope, &node->words[1], node->words[1].text, &map->source))
        return;
    for (const struct node *at = node->first; at && !scope->reader->is_starved; at = at->next)
        share_add(scope, map, at, &sum);
}
