#ifndef MODEL_STATUS_REPORT_H
#define MODEL_STATUS_REPORT_H

/* What a location tells of the program itself, and how when the request does not say. */

enum report_kind {
    REPORT_CHECKS,  /* check_status: a page for people; ?format= html, csv, json: the module's table */
    REPORT_METRICS, /* metrics: Prometheus */
    REPORT_API,     /* status_api: all of it as JSON */
};

enum report_format { REPORT_PAGE, REPORT_HTML, REPORT_CSV, REPORT_JSON, REPORT_EVENTS };

struct status_report {
    enum report_kind kind;
    enum report_format format;
};

#endif
