#include "net/password_helper.h"

#include "net/password.h"

#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct password_job *first, **end; /* that wait */
    unsigned count;
    bool is_running;
} helper = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER, .end = &helper.first};

static struct password_job *job_take(void) {
    pthread_mutex_lock(&helper.lock);
    while (!helper.first)
        pthread_cond_wait(&helper.filled, &helper.lock);
    struct password_job *job = helper.first;
    helper.first = job->next;
    if (!helper.first)
        helper.end = &helper.first;
    helper.count--;
    pthread_mutex_unlock(&helper.lock);
    return job;
}

static void job_open(struct letter *letter) {
    struct password_job *job = LIST_OF(letter, struct password_job, letter);
    job->done(job);
}

static void *run(void *nothing) {
    (void)nothing;
    for (;;) {
        struct password_job *job = job_take();
        job->is_right = password_is_right(job->stored, job->given);
        pthread_mutex_lock(&helper.lock); /* see password_settle */
        loop_post(job->loop, &job->letter);
        pthread_mutex_unlock(&helper.lock);
    }
    return NULL;
}

/* At the first question: most configurations never have one. */
static bool helper_start(void) {
    pthread_t thread;
    if (helper.is_running)
        return true;
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        return false;
    pthread_detach(thread);
    return helper.is_running = true;
}

void password_settle(void) {
    pthread_mutex_lock(&helper.lock);
    pthread_mutex_unlock(&helper.lock);
}

bool password_ask(struct password_job *job) {
    job->letter.open = job_open;
    job->next = NULL;
    pthread_mutex_lock(&helper.lock);
    bool is_taken = helper.count < PASSWORD_JOBS_MAX && helper_start();
    if (is_taken) {
        *helper.end = job;
        helper.end = &job->next;
        helper.count++;
        pthread_cond_signal(&helper.filled);
    }
    pthread_mutex_unlock(&helper.lock);
    return is_taken;
}
