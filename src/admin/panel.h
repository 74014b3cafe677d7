#ifndef ADMIN_PANEL_H
#define ADMIN_PANEL_H

#include "base/str.h"

/* The status page for people, panel.html, as it stands beside this file. */
struct str panel_text(void);

#endif
