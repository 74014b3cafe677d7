#include "net.h"

#include "base/mem.h"
#include "net/nameserver.h"

/* The world's name servers: "appNN" is 10.1.0.NN, "two" is two of them; nothing else has a name. An answer
 * takes its time. */

struct nameserver {
    struct loop *loop;
    struct list questions;
};

struct question {
    struct list node;
    struct timer timer;
    nameserver_done *done;
    void *context;
    struct nameserver_answer answer;
    struct address addresses[2];
};

struct nameserver *nameserver_new(struct loop *loop, struct str list) {
    struct nameserver *nameserver = list.len ? mem_zero(1, sizeof *nameserver) : NULL;
    if (!nameserver)
        return NULL;
    nameserver->loop = loop;
    list_init(&nameserver->questions);
    return nameserver;
}

static void question_end(struct question *question) {
    list_remove(&question->node);
    timer_disarm(&question->timer);
    mem_free(question);
}

void nameserver_free(struct nameserver *nameserver) {
    if (!nameserver)
        return;
    LIST_EACH (&nameserver->questions, node)
        question_end(LIST_OF(node, struct question, node));
    mem_free(nameserver);
}

static void reply(struct timer *timer) {
    struct question *question = LIST_OF(timer, struct question, timer);
    question->answer.addresses = question->addresses;
    question->done(question->context, &question->answer);
    question_end(question);
}

static void look_up(struct question *question, struct str name) {
    struct nameserver_answer *answer = &question->answer;
    uint64_t number;
    *answer = (struct nameserver_answer){.code = NAMESERVER_NOT_FOUND, .ttl_s = 5};
    if (str_starts(name, STR("app")) && str_to_u64(str_from(name, 3), &number) && number < 256)
        question->addresses[answer->count++] = net_address(10, 1, 0, (unsigned)number, 0);
    for (unsigned i = 0; i < 2 && str_eq(name, STR("two")); i++)
        question->addresses[answer->count++] = net_address(10, 1, 0, 1 + i, 0);
    if (answer->count)
        answer->code = NAMESERVER_FOUND;
}

void nameserver_ask(struct nameserver *nameserver, struct str name, enum nameserver_kind kind,
                    nameserver_done *done, void *context) {
    struct question *question = mem_zero(1, sizeof *question);
    if (!question) {
        done(context, &(struct nameserver_answer){.code = NAMESERVER_FAILURE});
        return;
    }
    question->done = done;
    question->context = context;
    timer_init(&question->timer, reply);
    list_append(&nameserver->questions, &question->node);
    look_up(question, kind == NAMESERVER_A ? name : STR(""));
    loop_arm(nameserver->loop, &question->timer, dice_between(&world.fate, 1, 50));
}
