#include "admin/table.h"

#include "admin/text.h"

struct row {
    size_t index;
    struct str upstream;
    const struct census_peer *peer;
    const char *type;
    unsigned rise, fall;
};

typedef void row_build(struct builder *out, const struct row *row);

static const char *type_of(const struct check *check) {
    static const char *const types[] = {[CHECK_TCP] = "tcp",
                                        [CHECK_HTTP] = "http",
                                        [CHECK_SSL_HELLO] = "ssl_hello",
                                        [CHECK_WEBSOCKET] = "websocket",
                                        [CHECK_SOCKETIO] = "socketio"};
    return check ? types[check->kind] : "passive";
}

static size_t rows_each(struct builder *out, const struct census *census, row_build *build) {
    size_t index = 0;
    for (size_t i = 0; i < census->upstream_count; i++) {
        const struct census_upstream *u = &census->upstreams[i];
        for (size_t j = 0; j < u->count; j++) {
            const struct census_peer *peer = &u->peers[j];
            struct row row = {.index = index++,
                              .upstream = u->upstream->name,
                              .peer = peer,
                              .type = type_of(u->upstream->check),
                              .rise = atomic_load_explicit(&peer->peer->check.rises, memory_order_relaxed),
                              .fall = atomic_load_explicit(&peer->peer->check.falls, memory_order_relaxed)};
            if (build)
                build(out, &row);
        }
    }
    return index;
}

static void html_row(struct builder *out, const struct row *row) {
    const struct census_peer *peer = row->peer;
    builder_format(out, "    <tr%s>\n      <td>%zu</td>\n      <td>", peer->is_up ? "" : " bgcolor=\"#FF0000\"",
                   row->index);
    text_build_html(out, str_of(peer->peer->name));
    builder_format(out, "</td>\n      <td>%s</td>\n      <td>%u</td>\n", peer->is_up ? "up" : "down",
                   peer->active);
    builder_format(out,
                   "      <td>%u</td>\n      <td>%u</td>\n      <td>%llu</td>\n      <td>%s</td>\n    </tr>\n",
                   row->rise, row->fall, (unsigned long long)peer->sum.requests, row->type);
}

void table_build_html(struct builder *out, const struct census *census) {
    builder_str(out, STR("<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"\n"
                         "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\n"
                         "<html xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
                         "  <title>Nginx tcp upstream check status</title>\n</head>\n<body>\n"
                         "<h1>Nginx tcp upstream check status</h1>\n"));
    builder_format(out, "<h2>Check upstream server number: %zu, shm_name: hawser</h2>\n",
                   rows_each(out, census, NULL));
    builder_str(
        out, STR("<table style=\"background-color:white\" cellspacing=\"0\" cellpadding=\"3\" border=\"1\">\n"
                 "    <tr bgcolor=\"#C0C0C0\">\n"));
    static const char *const columns[] = {"Index",       "Name",        "Status",        "Busyness",
                                          "Rise counts", "Fall counts", "Access counts", "Check type"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        builder_format(out, "      <th>%s</th>\n", columns[i]);
    builder_str(out, STR("    </tr>\n"));
    rows_each(out, census, html_row);
    builder_str(out, STR("</table>\n</body>\n</html>\n"));
}

static void csv_row(struct builder *out, const struct row *row) {
    const struct census_peer *peer = row->peer;
    builder_format(out, "%zu,", row->index);
    text_build_csv(out, row->upstream);
    builder_char(out, ',');
    text_build_csv(out, str_of(peer->peer->name));
    builder_format(out, ",%s,%u,%u,%u,%llu,%s\n", peer->is_up ? "up" : "down", peer->active, row->rise,
                   row->fall, (unsigned long long)peer->sum.requests, row->type);
}

void table_build_csv(struct builder *out, const struct census *census) {
    rows_each(out, census, csv_row);
}

static void json_row(struct builder *out, const struct row *row) {
    const struct census_peer *peer = row->peer;
    builder_format(out, "%s\n  {\"index\": %zu, \"upstream\": \"", row->index ? "," : "", row->index);
    text_build_json(out, row->upstream);
    builder_str(out, STR("\", \"name\": \""));
    text_build_json(out, str_of(peer->peer->name));
    builder_format(out, "\", \"status\": \"%s\", \"busyness\": %u, \"rise\": %u, \"fall\": %u, ",
                   peer->is_up ? "up" : "down", peer->active, row->rise, row->fall);
    builder_format(out, "\"access\": %llu, \"type\": \"%s\"}", (unsigned long long)peer->sum.requests,
                   row->type);
}

void table_build_json(struct builder *out, const struct census *census) {
    builder_format(out, "{\"servers\": {\"total\": %zu, \"server\": [", rows_each(out, census, NULL));
    rows_each(out, census, json_row);
    builder_str(out, STR("\n]}}\n"));
}
