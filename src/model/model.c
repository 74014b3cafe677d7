#include "model/model.h"

#include "base/mem.h"

/* No honest configuration comes near; a hostile one ends with a message and not with the machine. */
enum { MODEL_MAX_BYTES = 256 * 1024 * 1024 };

struct model *model_new(void) {
    struct model *model = mem_zero(1, sizeof *model);
    if (!model)
        return NULL;
    arena_pool_init(&model->pool, 0, MODEL_MAX_BYTES);
    arena_init(&model->arena, &model->pool);
    model->loops = 1;
    model->pid_path = STR("");
    return model;
}

void model_free(struct model *model) {
    if (!model)
        return;
    for (size_t i = 0; i < model->regexes.count; i++)
        regex_free(model->regexes.items[i]);
    arena_fini(&model->arena);
    arena_pool_fini(&model->pool);
    mem_free(model);
}

struct upstream *model_find_upstream(const struct model *model, struct str name, bool is_stream) {
    for (size_t i = 0; i < model->upstreams.count; i++) {
        struct upstream *upstream = model->upstreams.items[i];
        if (upstream->is_stream == is_stream && !upstream->is_implicit && str_eq_nocase(upstream->name, name))
            return upstream;
    }
    return NULL;
}

void policy_init(struct policy *policy) {
    *policy = (struct policy){
        .default_type = STR("text/plain"),
        .connect_timeout_ms = 60000,
        .read_timeout_ms = 60000,
        .send_timeout_ms = 60000,
        .handshake_timeout_ms = 3000,
        .client_body_timeout_ms = 60000,
        .client_send_timeout_ms = 60000,
        .keepalive_timeout_ms = 75000,
        .keepalive_requests = 1000,
        .client_max_body_bytes = 1024 * 1024,
        .keepalive_time_ms = 3600000,
        .keepalive_disable = DISABLE_MSIE6,
        .lingering_time_ms = 30000,
        .lingering_timeout_ms = 5000,
        .next_upstream = NEXT_ERROR | NEXT_TIMEOUT,
        .resolver_timeout_ms = 30000,
        .body = {.buffer_bytes = 16384, .path = {.directory = STR("/var/tmp")}},
        .proxy = {.http_minor = 1,
                  .passes_request_headers = true,
                  .passes_request_body = true,
                  .is_request_buffered = true,
                  .is_buffered = true,
                  .head_bytes = 4096,
                  .buffers = 8,
                  .buffer_bytes = 4096,
                  .temp_max_bytes = 1 << 30,
                  .temp_path = {.directory = STR("/var/tmp")}},
        .max_ranges = UINT64_MAX,
        .has_etag = true,
        .is_not_found_logged = true,
        .is_redirect_absolute = true,
        .is_redirect_with_port = true,
        .warns_uninitialized = true,
    };
    tls_pass_init(&policy->tls);
}

void site_init(struct site *site) {
    *site = (struct site){.client_header_timeout_ms = 60000,
                          .proxy_protocol_timeout_ms = 30000,
                          .client_header_buffer_bytes = 1024,
                          .large_buffer_bytes = 8192,
                          .large_buffer_count = 4,
                          .max_headers = 128,
                          .merges_slashes = true,
                          .drops_odd_headers = true};
    tls_site_init(&site->tls);
}
