#include "admin/status.h"

#include "admin/api.h"
#include "admin/metrics.h"
#include "admin/panel.h"
#include "admin/table.h"
#include "codec/uri.h"
#include "proxy/local.h"

enum { TEXT_LEAST_BYTES = 65536, PEER_BYTES = 6144, UPSTREAM_BYTES = 4096 };

void status_tick(struct engine *engine) {
    if (engine->hold->snapshot->model->has_reports)
        history_note(engine->report_context, engine);
}

/* Room for all that can be said of the census. */
static struct builder builder_for(const struct census *census, struct arena *arena) {
    size_t size = TEXT_LEAST_BYTES + census->upstream_count * UPSTREAM_BYTES + census->listener_count * 1024;
    for (size_t i = 0; i < census->upstream_count; i++)
        size += census->upstreams[i].count * PEER_BYTES;
    char *memory = arena_alloc(arena, size);
    return builder_make(memory, memory ? size : 0);
}

/* ---- events ---- */

static struct str event_build(struct exchange *x, struct arena *arena) {
    const struct census *census = census_take(x->engine, x->hold, arena);
    if (!census)
        return STR("");
    struct builder out = builder_for(census, arena);
    bool is_first = x->down.bytes == 0;
    builder_str(&out, is_first ? STR("retry: 1000\nevent: whole\ndata: ") : STR("data: "));
    size_t begin = out.len;
    struct builder body = builder_make(out.ptr ? out.ptr + begin : NULL, out.capacity - begin);
    api_build(&body, x->engine, census, is_first ? x->engine->report_context : NULL);
    out.len += body.len;
    builder_char(&out, '\n');
    return out.overflow || body.overflow ? STR("") : builder_view(&out);
}

/* ---- formats ---- */

static enum report_format format_of(const struct exchange *x) {
    static const struct {
        struct str name;
        enum report_format format;
    } formats[] = {{{"html", 4}, REPORT_HTML},
                   {{"csv", 3}, REPORT_CSV},
                   {{"json", 4}, REPORT_JSON},
                   {{"events", 6}, REPORT_EVENTS}};
    struct str asked = uri_arg(x->args, STR("format"));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_eq(formats[i].name, asked))
            return formats[i].format;
    return x->route->report.format;
}

static void answer(struct exchange *x, struct str type, const struct builder *out) {
    x->local.status = 200;
    x->local.content_type = type;
    x->local.body = builder_view(out);
    if (out->overflow)
        x->why = WHY_NO_MEMORY;
}

static void checks_answer(struct exchange *x, const struct census *census, struct builder *out) {
    switch (format_of(x)) {
    case REPORT_PAGE:
        x->local.status = 200;
        x->local.content_type = STR("text/html; charset=utf-8");
        x->local.body = panel_text();
        x->local.headers = STR("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                               "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                               "script-src 'unsafe-inline'; connect-src 'self'; img-src data:\r\n");
        return;
    case REPORT_HTML:
        table_build_html(out, census);
        answer(x, STR("text/html; charset=utf-8"), out);
        return;
    case REPORT_CSV:
        table_build_csv(out, census);
        answer(x, STR("text/plain"), out);
        return;
    case REPORT_JSON:
        table_build_json(out, census);
        answer(x, STR("application/json"), out);
        return;
    case REPORT_EVENTS:
        x->local.status = 200;
        x->local.content_type = STR("text/event-stream");
        x->local.feed = event_build;
        return;
    }
}

void status_serve(struct exchange *x) {
    if (x->method != H1_GET && x->method != H1_HEAD) {
        local_prepare_status(x, 405);
        return;
    }
    x->local.headers = STR("Cache-Control: no-store\r\n");
    const struct census *census = census_take(x->engine, x->hold, &x->arena);
    if (!census) {
        x->why = WHY_NO_MEMORY;
        return;
    }
    struct builder out = builder_for(census, &x->arena);
    switch (x->route->report.kind) {
    case REPORT_CHECKS:
        checks_answer(x, census, &out);
        return;
    case REPORT_METRICS:
        const struct history_facts facts = history_facts(x->engine->report_context);
        metrics_build(&out, census, &facts);
        answer(x, STR("text/plain; version=0.0.4; charset=utf-8"), &out);
        return;
    case REPORT_API:
        api_build(&out, x->engine, census, x->engine->report_context);
        answer(x, STR("application/json"), &out);
        return;
    }
}
