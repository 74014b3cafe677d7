#include "admin/status.h"

#include "admin/api.h"
#include "admin/metrics.h"
#include "admin/panel.h"
#include "admin/table.h"
#include "codec/uri.h"
#include "proxy/answer/local.h"

enum {
    TEXT_LEAST_BYTES = 16384,
    TEXT_MOST_BYTES = 64 << 20,
    PEER_BYTES = 1024, /* is enough for most */
};

void status_tick(struct engine *engine) {
    if (engine->hold->snapshot->model->has_reports)
        history_note(engine->report_context, engine);
}

struct telling {
    const struct engine *engine;
    const struct census *census;
    struct history *history;
    bool is_first; /* of events */
};

typedef void text_tell(struct builder *out, const struct telling *t);

/* In the arena, in as much room as it takes; empty without memory. */
static struct str text_make(const struct telling *t, text_tell *tell, struct arena *arena) {
    size_t size = TEXT_LEAST_BYTES;
    for (size_t i = 0; i < t->census->upstream_count; i++)
        size += t->census->upstreams[i].count * PEER_BYTES;
    for (; size <= TEXT_MOST_BYTES; size *= 2) {
        char *memory = arena_alloc(arena, size);
        if (!memory)
            break;
        struct builder out = builder_make(memory, size);
        tell(&out, t);
        if (!out.overflow)
            return builder_view(&out);
    }
    return STR("");
}

static void html_tell(struct builder *out, const struct telling *t) {
    table_build_html(out, t->census);
}

static void csv_tell(struct builder *out, const struct telling *t) {
    table_build_csv(out, t->census);
}

static void json_tell(struct builder *out, const struct telling *t) {
    table_build_json(out, t->census);
}

static void api_tell(struct builder *out, const struct telling *t) {
    api_build(out, t->engine, t->census, t->history);
}

static void metrics_tell(struct builder *out, const struct telling *t) {
    const struct history_facts facts = history_facts(t->history);
    metrics_build(out, t->census, &facts);
}

/* ---- events ---- */

static void event_tell(struct builder *out, const struct telling *t) {
    builder_str(out, t->is_first ? STR("retry: 1000\nevent: whole\ndata: ") : STR("data: "));
    api_build(out, t->engine, t->census, t->is_first ? t->history : NULL);
    builder_char(out, '\n');
}

static struct str event_build(struct exchange *x, struct arena *arena) {
    const struct telling t = {x->engine, census_take(x->engine, x->hold, arena), x->engine->report_context,
                              x->down.bytes == 0};
    return t.census ? text_make(&t, event_tell, arena) : STR("");
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

static void answer(struct exchange *x, struct str type, text_tell *tell) {
    const struct telling t = {x->engine, census_take(x->engine, x->hold, &x->arena), x->engine->report_context,
                              false};
    x->local.status = 200;
    x->local.content_type = type;
    x->local.headers = STR("Cache-Control: no-store\r\n");
    x->local.body = t.census ? text_make(&t, tell, &x->arena) : STR("");
    bool may_be_empty = tell == csv_tell && t.census; /* there is no upstream */
    if (!x->local.body.len && !may_be_empty)
        x->why = WHY_NO_MEMORY;
}

static void page_answer(struct exchange *x) {
    x->local.status = 200;
    x->local.content_type = STR("text/html; charset=utf-8");
    x->local.body = panel_text();
    x->local.headers = STR("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                           "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
                           "script-src 'unsafe-inline'; connect-src 'self'; img-src data:\r\n");
}

static void checks_answer(struct exchange *x) {
    switch (format_of(x)) {
    case REPORT_PAGE:
        page_answer(x);
        return;
    case REPORT_HTML:
        answer(x, STR("text/html; charset=utf-8"), html_tell);
        return;
    case REPORT_CSV:
        answer(x, STR("text/plain"), csv_tell);
        return;
    case REPORT_JSON:
        answer(x, STR("application/json"), json_tell);
        return;
    case REPORT_EVENTS:
        x->local.status = 200;
        x->local.content_type = STR("text/event-stream");
        x->local.headers = STR("Cache-Control: no-store\r\n");
        x->local.feed = event_build;
        return;
    }
}

void status_serve(struct exchange *x) {
    if (x->method != H1_GET && x->method != H1_HEAD) {
        local_prepare_status(x, 405);
        return;
    }
    switch (x->route->report.kind) {
    case REPORT_CHECKS:
        checks_answer(x);
        return;
    case REPORT_METRICS:
        answer(x, STR("text/plain; version=0.0.4; charset=utf-8"), metrics_tell);
        return;
    case REPORT_API:
        answer(x, STR("application/json"), api_tell);
        return;
    }
}
