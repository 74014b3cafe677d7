#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define VERSION "0.1.0"
/* The version of nginx whose documentation says what a directive means. */
#define VERSION_NGINX "1.31.3"

#endif
