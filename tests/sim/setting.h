#ifndef SIM_SETTING_H
#define SIM_SETTING_H

#include "crowd.h"

/* All that is drawn once for a world: its weather, its people, its configuration, its incidents. */

enum { SETTING_TEXT = 8192 };

struct setting {
    struct weather weather;
    struct profile profile;
    char text[SETTING_TEXT]; /* the configuration */
    size_t text_len;
    unsigned incidents;   /* how many */
    uint64_t heal_ms;     /* when all is healed at the latest */
    uint64_t patience_ms; /* within which everything must have ended after that */
    bool drains;          /* asks the engine to drain at the end */
};

/* From the world's seed. */
void setting_draw(struct setting *setting);
/* Another configuration of the same kind, for a reload. */
void setting_redraw(struct setting *setting);

/* One that a test wants: calm, whole, wide. */
void setting_plain(struct setting *setting);

#endif
