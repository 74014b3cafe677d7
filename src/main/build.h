#ifndef MAIN_BUILD_H
#define MAIN_BUILD_H

/* -V to the standard error: the version and what is built in, in nginx's form, since tools read its first line
 * and the words of its last. */
void build_print(void);

#endif
