#include "upstream/probe_verdict.h"

static const struct {
    const char *text;
    bool is_deadly;
} verdicts[PROBE_VERDICTS] = {
#define VERDICT(name, is_deadly, text) [PROBE_##name] = {text, is_deadly},
#include "upstream/probe_verdict.def"
#undef VERDICT
};

void probe_verdict_build(struct builder *out, enum probe_verdict verdict, unsigned status) {
    builder_str(out, str_of(verdicts[verdict].text));
    if (verdict == PROBE_STATUS)
        builder_format(out, " %u", status);
}

bool probe_verdict_is_deadly(enum probe_verdict verdict) {
    return verdicts[verdict].is_deadly;
}
