#include "dialect/nginx/set.h"

/* What tells of the program itself: check_status and its alias, metrics, status_api. */

static void report_set(struct scope *scope, const struct node *node, enum report_kind kind,
                       enum report_format format) {
    if (scope->route->action == ROUTE_REPORT && scope->route->report.kind != kind)
        reader_say(scope->reader, SEVERITY_ERROR, &node->words[0],
                   "this location tells something else already: give \"%.*s\" a location of its own",
                   STR_ARG(node_name(node)));
    scope->route->action = ROUTE_REPORT;
    scope->route->report = (struct status_report){kind, format};
    scope->reader->model->has_reports = true;
}

/* check_status [html|csv|json] */
static void check_status_set(struct scope *scope, const struct node *node, const struct directive *row) {
    struct str format = node->count == 2 ? node->words[1].text : STR("");
    if (format.len == 0)
        report_set(scope, node, REPORT_CHECKS, REPORT_PAGE);
    else if (str_eq(format, STR("html")))
        report_set(scope, node, REPORT_CHECKS, REPORT_HTML);
    else if (str_eq(format, STR("csv")))
        report_set(scope, node, REPORT_CHECKS, REPORT_CSV);
    else if (str_eq(format, STR("json")))
        report_set(scope, node, REPORT_CHECKS, REPORT_JSON);
    else
        set_fail(scope, &node->words[1], row, "html, csv or json; without it a page for people is served");
}

static void metrics_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    report_set(scope, node, REPORT_METRICS, REPORT_PAGE);
}

static void api_set(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    report_set(scope, node, REPORT_API, REPORT_JSON);
}

static const struct directive rows[] = {
    {"check_status", CONTEXT_LOCATION, 0, 1, DIRECTIVE_ONCE, check_status_set, NOTHING, NULL},
    {"tcp_check_status", CONTEXT_LOCATION, 0, 1, DIRECTIVE_ONCE, check_status_set, NOTHING, NULL},
    {"metrics", CONTEXT_LOCATION, 0, 0, DIRECTIVE_ONCE, metrics_set, NOTHING, NULL},
    {"status_api", CONTEXT_LOCATION, 0, 0, DIRECTIVE_ONCE, api_set, NOTHING, NULL},
};

const struct area status_area = {rows, sizeof rows / sizeof *rows};
