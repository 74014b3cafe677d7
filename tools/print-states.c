#include <stdio.h>

/* The exchange's states as a table for people, from the table that the engine runs by. */

struct state {
    const char *name, *does, *bound;
    unsigned may_go;
};

enum {
#define STATE(name, step, does, bound, may_go) STATE_##name,
#include "proxy/states.def"
#undef STATE
    STATE_COUNT
};

#define TO(name) (1u << STATE_##name)
static const struct state states[] = {
#define STATE(name, step, does, bound, may_go) {#name, does, bound, may_go},
#include "proxy/states.def"
#undef STATE
};

static void lower_print(const char *text) {
    for (; *text; text++)
        putchar(*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text);
}

int main(void) {
    puts("| state | what it does | what bounds its stay | goes to |\n|---|---|---|---|");
    for (size_t i = 0; i < STATE_COUNT; i++) {
        const char *between = "";
        printf("| ");
        lower_print(states[i].name);
        printf(" | %s | %s | ", states[i].does, states[i].bound);
        for (size_t k = 0; k < STATE_COUNT; k++) {
            if (!(states[i].may_go >> k & 1))
                continue;
            fputs(between, stdout);
            lower_print(states[k].name);
            between = ", ";
        }
        puts(" |");
    }
    return 0;
}
