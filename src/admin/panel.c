#include "admin/panel.h"

/* The assembler takes the file in as it is; the Makefile says that this depends on it. */
__asm__(".pushsection .rodata\n"
        ".global panel_html, panel_html_end\n"
        ".hidden panel_html, panel_html_end\n"
        "panel_html: .incbin \"src/admin/panel.html\"\n"
        "panel_html_end:\n"
        ".popsection\n");

extern const char panel_html[], panel_html_end[];

struct str panel_text(void) {
    return str_make(panel_html, (size_t)(panel_html_end - panel_html));
}
