/* The whole file, for what is its own: how an answer from the wire is read. */
#include "net/nameserver.c"

#include "fuzz.h"

/* Answers of name servers: the first byte says what was asked for, the rest is what came. */

static void check_answer(void *context, const struct nameserver_answer *answer) {
    const struct question *question = context;
    FUZZ_CHECK(answer->count <= NAMESERVER_RECORDS_MAX);
    FUZZ_CHECK((answer->code == NAMESERVER_FOUND) == (answer->count > 0));
    for (unsigned i = 0; i < answer->count; i++)
        if (question->kind == NAMESERVER_SRV)
            FUZZ_CHECK(memchr(answer->services[i].host.ptr, 0, answer->services[i].host.len) == NULL);
        else
            FUZZ_CHECK(answer->addresses[i].any.sa_family ==
                       (question->kind == NAMESERVER_A ? AF_INET : AF_INET6));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct nameserver nameserver;
    struct str input = str_make((const char *)data, size);
    struct question question = {.nameserver = &nameserver, .done = check_answer, .context = &question};
    question.kind = (enum nameserver_kind)(fuzz_byte(&input) % 3);
    memcpy(question.name, "node.example", 12);
    struct str copy = fuzz_copy(input);
    unsigned char *bytes = (unsigned char *)(uintptr_t)copy.ptr;
    if (question.kind == NAMESERVER_SRV)
        services_answer(&question, bytes, (int)copy.len);
    else if (!addresses_answer(&question, bytes, (int)copy.len))
        FUZZ_CHECK(question.aliases == 1 && question.name[0] && strlen(question.name) <= NAMESERVER_NAME_MAX);
    fuzz_drop(copy);
    return 0;
}
