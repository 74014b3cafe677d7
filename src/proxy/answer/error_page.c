#include "proxy/answer/error_page.h"

#include "proxy/answer/local.h"
#include "proxy/variable/variables.h"

static const struct error_page *page_find(const struct exchange *x, unsigned status) {
    const struct policy *policy = exchange_policy(x);
    for (size_t i = 0; i < policy->error_pages.count; i++)
        if (policy->error_pages.items[i].status == status)
            return &policy->error_pages.items[i];
    return NULL;
}

bool error_page_stands_in(const struct exchange *x, unsigned status) {
    return page_find(x, status) != NULL;
}

/* A request that could not be read is answered by a page all the same: as if it were GET, without fields. */
static bool request_make(struct exchange *x) {
    if (x->request)
        return true;
    x->request = arena_zero(&x->arena, 1, sizeof *x->request);
    if (!x->request)
        return false;
    x->request->base = "";
    x->method = x->is_head_refused ? H1_HEAD : H1_GET;
    x->method_name = x->is_head_refused ? STR("HEAD") : STR("GET");
    return true;
}

static enum exchange_state path_follow(struct exchange *x, struct str target) {
    size_t at = str_find_char(target, '?');
    struct str args = at == STR_NONE ? STR("") : str_from(target, at + 1);
    if (x->method != H1_HEAD) {
        x->method = H1_GET;
        x->method_name = STR("GET");
    }
    return exchange_redirect(x, str_head(target, at), args);
}

static void url_follow(struct exchange *x, const struct error_page *page, struct str target) {
    unsigned status = local_is_redirect(page->response) && !page->keeps_status ? page->response : 302;
    if (!local_prepare_redirect(x, status, target))
        local_prepare_status(x, 500);
}

/* What every answer gets from now on: the status, and the lines that belong to what went wrong. */
static void keep(struct exchange *x, unsigned status, struct str headers) {
    x->answer_status = x->status = status;
    if (headers.len)
        x->answer_headers = headers;
}

static enum exchange_state page_follow(struct exchange *x, const struct error_page *page) {
    struct local refused = x->local;
    struct str target = template_eval_copy(x, &page->target);
    if (!target.ptr || target.len == 0 || !request_make(x)) {
        local_prepare_status(x, 500);
        return STATE_ANSWER;
    }
    x->is_body_dropped |= refused.status == 413;
    if (target.ptr[0] != '/' && target.ptr[0] != '@') {
        url_follow(x, page, target);
        return STATE_ANSWER;
    }
    keep(x, page->keeps_status ? refused.status : page->response, refused.headers);
    enum exchange_state next = target.ptr[0] == '/' ? path_follow(x, target) : exchange_redirect_to(x, target);
    if (next == STATE_ANSWER && x->why != WHY_NONE) /* a cycle */
        local_prepare_why(x);
    return next;
}

enum exchange_state error_page_apply(struct exchange *x) {
    const struct error_page *page = x->has_error_page ? NULL : page_find(x, x->local.status);
    if (exchange_policy(x)->error_pages.count && !exchange_policy(x)->is_error_recursive)
        x->has_error_page = true;
    enum exchange_state next = page ? page_follow(x, page) : STATE_ANSWER;
    if (next == STATE_ANSWER && x->local.status >= 494 && x->local.status <= 497)
        x->local.status = 400;
    return next;
}

enum exchange_state error_page_intercept(struct exchange *x, unsigned status, struct str headers) {
    exchange_release_back(x, false);
    exchange_release_member(x);
    local_prepare_status(x, status);
    x->local.headers = headers;
    return STATE_ANSWER;
}
