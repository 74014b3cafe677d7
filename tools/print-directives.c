#include "dialect/nginx/refusal.h"
#include "dialect/nginx/set.h"

#include <stdio.h>
#include <stdlib.h>

/* print-directives LIST: what hawser makes of each of nginx's directives, as tables for people, from the tables
 * that it reads configurations by. */

enum { LINE_MAX_BYTES = 400 };

struct group {
    const char *name, *title;
    unsigned contexts; /* where its directives may stand here */
};

static const struct group groups[] = {
    {"main", "At the top, and in `events`", CONTEXT_ANY},
    {"http", "In `http`", CONTEXT_ANY & ~(unsigned)(CONTEXT_MAIN | CONTEXT_EVENTS | CONTEXT_STREAMS)},
    {"stream", "In `stream`", CONTEXT_STREAMS | CONTEXT_UPSTREAM},
    {"mail", "In `mail`", 0},
};
enum { GROUPS = sizeof groups / sizeof *groups };

/* From the best answer to the worst: a name may have several rows. */
enum verdict { YES, ONLY, NO_EFFECT, WARNED, NO };

static enum verdict verdict_of(const struct directive *row) {
    if (row->handler == set_unsupported)
        return NO;
    if (row->handler == set_nothing_visible)
        return WARNED;
    if (row->handler == set_nothing || row->handler == set_size_unused)
        return NO_EFFECT;
    return row->handler == set_only ? ONLY : YES;
}

/* What stands for the block itself has its row at the top. */
static bool is_of(const struct directive *row, const struct group *group) {
    return (row->contexts & group->contexts) ||
           (group->contexts && strcmp(row->name, group->name) == 0 && row->contexts == CONTEXT_MAIN);
}

static const struct directive *best_row(const char *name, const struct group *group) {
    const struct directive *best = NULL, *row;
    for (size_t i = 0; (row = directive_at(i)); i++)
        if (strcmp(row->name, name) == 0 && is_of(row, group) && (!best || verdict_of(row) < verdict_of(best)))
            best = row;
    return best;
}

static void row_print(const char *name, const struct directive *row, unsigned contexts,
                      unsigned counts[NO + 1]) {
    enum verdict verdict = row ? verdict_of(row) : NO;
    const char *helper = row && verdict != YES ? row->helper : NULL;
    if (verdict == NO && !helper && contexts)
        helper = refusal_hint(str_of(name));
    counts[verdict]++;
    printf("| `%s` | ", name);
    switch (verdict) {
    case YES:
        printf("yes |  |\n");
        return;
    case ONLY:
        printf("in part | `%s %s;`, which is how it is in any case |\n", name, helper);
        return;
    case NO_EFFECT:
        printf("accepted without effect | %s |\n", helper ? helper : "");
        return;
    case WARNED:
        printf("accepted with a warning | %s |\n", helper);
        return;
    case NO:
        printf("no | %s |\n", helper ? helper : "");
        return;
    }
}

static const struct group *group_find(const char *line) {
    for (size_t i = 0; i < GROUPS; i++)
        if (strncmp(line + 1, groups[i].name, strlen(groups[i].name)) == 0)
            return &groups[i];
    fprintf(stderr, "no such group: %s", line);
    exit(EXIT_FAILURE);
}

static void head_print(void) {
    puts("# nginx's directives\n\n"
         "What hawser makes of each directive of nginx 1.31, printed from the tables that it reads "
         "configurations by.\n"
         "\"yes\": it does what nginx's documentation says. What is accepted without effect changes nothing "
         "that can be\n"
         "seen here; `hawser -t` says so. What is not there is refused by name, so that nothing is left out "
         "unseen.\n"
         "hawser's own directives are in [configuration.md](configuration.md).");
}

int main(int count, char **words) {
    char line[LINE_MAX_BYTES];
    unsigned counts[NO + 1] = {0};
    const struct group *group = NULL;
    FILE *list = count == 2 ? fopen(words[1], "r") : NULL;
    if (!list) {
        fprintf(stderr, "usage: print-directives LIST\n");
        return EXIT_FAILURE;
    }
    head_print();
    while (fgets(line, sizeof line, list)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (line[0] == '[') {
            group = group_find(line);
            printf("\n## %s\n\n| directive | here |  |\n|---|---|---|\n", group->title);
            continue;
        }
        for (char *rest = line, *name; group && (name = strtok_r(rest, " \n", &rest));)
            row_print(name, best_row(name, group), group->contexts, counts);
    }
    fclose(list);
    printf("\n%u yes, %u in part, %u accepted without effect, %u accepted with a warning, %u no.\n",
           counts[YES], counts[ONLY], counts[NO_EFFECT], counts[WARNED], counts[NO]);
    return EXIT_SUCCESS;
}
