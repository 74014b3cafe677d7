#include "report.h"

#include <stdbool.h>
#include <stdio.h>

static bool first = true;

static void name_it(const char *name) {
    printf("%s\"%s\":", first ? "" : ",", name);
    first = false;
}

void report_open(void) {
    putchar('{');
}

void report_number(const char *name, double value) {
    name_it(name);
    printf("%.3f", value);
}

void report_count(const char *name, uint64_t value) {
    name_it(name);
    printf("%llu", (unsigned long long)value);
}

void report_text(const char *name, const char *value) {
    name_it(name);
    putchar('"');
    for (; *value; value++)
        putchar(*value == '"' || *value == '\\' || (unsigned char)*value < ' ' ? '\'' : *value);
    putchar('"');
}

void report_latency(const char *name, const struct histogram *latency) {
    char label[64];
    const char *joint = *name ? "_" : "";
    snprintf(label, sizeof label, "%s%sp50_us", name, joint);
    report_number(label, (double)histogram_quantile(latency, 0.5) / 1e3);
    snprintf(label, sizeof label, "%s%sp99_us", name, joint);
    report_number(label, (double)histogram_quantile(latency, 0.99) / 1e3);
    snprintf(label, sizeof label, "%s%smax_us", name, joint);
    report_number(label, (double)latency->max / 1e3);
}

void report_close(void) {
    printf("}\n");
    fflush(stdout);
}
