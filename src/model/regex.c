#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/regex.h"

#include "base/mem.h"

#include <pcre2.h>

/* Steps after which a match is given up: some milliseconds, so that a hostile path cannot hold a loop. */
enum { MATCH_STEPS = 200000, MATCH_HEAP_KIB = 1024 };

struct regex {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_code *code;
    VEC(struct regex_binding) bindings;
};

static void *give(size_t size, void *unused) {
    (void)unused;
    return mem_alloc(size);
}

static void take(void *block, void *unused) {
    (void)unused;
    mem_free(block);
}

/* A failed allocation for the machine code leaves the interpreter, which answers the same. */
static bool regex_compile(struct regex *regex, struct str pattern, uint32_t options, int *code, size_t *at) {
    regex->memory = pcre2_general_context_create(give, take, NULL);
    regex->limits = regex->memory ? pcre2_match_context_create(regex->memory) : NULL;
    pcre2_compile_context *how = regex->limits ? pcre2_compile_context_create(regex->memory) : NULL;
    *code = PCRE2_ERROR_NOMEMORY;
    if (!how)
        return false;
    pcre2_set_match_limit(regex->limits, MATCH_STEPS);
    pcre2_set_heap_limit(regex->limits, MATCH_HEAP_KIB);
    regex->code =
        pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len, options, code, at, how);
    pcre2_compile_context_free(how);
    if (!regex->code)
        return false;
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return true;
}

struct regex *regex_new(struct str pattern, bool is_nocase, struct arena *arena, struct str *error,
                        size_t *error_at) {
    struct regex *regex = mem_zero(1, sizeof *regex);
    int code = PCRE2_ERROR_NOMEMORY;
    *error = STR("out of memory");
    *error_at = 0;
    if (regex && regex_compile(regex, pattern, is_nocase ? PCRE2_CASELESS : 0, &code, error_at))
        return regex;
    regex_free(regex);
    char text[200];
    struct str said = STR("out of memory");
    if (code != PCRE2_ERROR_NOMEMORY && code != PCRE2_ERROR_HEAP_FAILED) {
        int len = pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        said = arena_copy(arena, str_make(text, len > 0 ? (size_t)len : 0));
    }
    if (said.ptr)
        *error = said;
    return NULL;
}

void regex_free(struct regex *regex) {
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    pcre2_match_context_free(regex->limits);
    pcre2_general_context_free(regex->memory);
    mem_free(regex);
}

/* Working memory of one match: from the caller's stack first, so that threads share nothing and the usual
 * match takes nothing from the heap. */
struct stack {
    size_t used;
    _Alignas(16) char bytes[1024];
};

static void *stack_give(size_t size, void *context) {
    struct stack *stack = context;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded < size || rounded > sizeof stack->bytes - stack->used)
        return mem_alloc(size);
    void *block = stack->bytes + stack->used;
    stack->used += rounded;
    return block;
}

static void stack_take(void *block, void *context) {
    const struct stack *stack = context;
    uintptr_t at = (uintptr_t)block, start = (uintptr_t)stack->bytes;
    if (at < start || at >= start + sizeof stack->bytes)
        mem_free(block);
}

static void groups_fill(struct regex_match *match, struct str subject, pcre2_match_data *data, int found) {
    const size_t *ends = pcre2_get_ovector_pointer(data);
    match->count = found ? (unsigned)found : REGEX_GROUPS_MAX; /* 0: there were more groups than places */
    for (unsigned i = 0; i < REGEX_GROUPS_MAX; i++) {
        size_t from = i < match->count ? ends[2 * i] : PCRE2_UNSET;
        size_t to = i < match->count ? ends[2 * i + 1] : PCRE2_UNSET;
        bool is_set = from != PCRE2_UNSET && to != PCRE2_UNSET && from <= to && to <= subject.len;
        match->groups[i] = is_set ? str_make(subject.ptr + from, to - from) : STR("");
    }
}

bool regex_matches(const struct regex *regex, struct str subject, struct regex_match *match) {
    struct stack stack;
    stack.used = 0;
    if (!subject.ptr)
        subject = STR("");
    pcre2_general_context *memory = pcre2_general_context_create(stack_give, stack_take, &stack);
    pcre2_match_data *data = memory ? pcre2_match_data_create(match ? REGEX_GROUPS_MAX : 1, memory) : NULL;
    int found = PCRE2_ERROR_NOMATCH;
    if (data)
        found = pcre2_match(regex->code, (PCRE2_SPTR)subject.ptr, subject.len, 0, 0, data, regex->limits);
    if (found >= 0 && match) {
        groups_fill(match, subject, data, found);
        match->regex = regex;
    }
    pcre2_match_data_free(data);
    pcre2_general_context_free(memory);
    return found >= 0;
}

struct str regex_name(const struct regex *regex, unsigned n, unsigned *group) {
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    if (n >= count)
        return STR("");
    PCRE2_SPTR entry = table + (size_t)n * size; /* two bytes of number, the name, a NUL */
    *group = (unsigned)entry[0] << 8 | entry[1];
    return str_of((const char *)entry + 2);
}

bool regex_bind(struct regex *regex, struct regex_binding binding, struct arena *arena) {
    struct regex_binding *slot = VEC_ADD(&regex->bindings, arena);
    if (slot)
        *slot = binding;
    return slot != NULL;
}

const struct regex_binding *regex_bindings(const struct regex *regex, size_t *count) {
    *count = regex->bindings.count;
    return regex->bindings.items;
}
