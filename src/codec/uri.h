#ifndef CODEC_URI_H
#define CODEC_URI_H

#include "base/builder.h"

/* Paths and queries, RFC 3986, read as nginx reads them. */

/* Writes the canonical path that locations are matched against: percent-decoded once, "." and ".." resolved,
 * runs of '/' merged when asked. False when it leaves the root by "..", holds %00 or a broken escape, or does
 * not fit. */
bool uri_normalise(struct builder *out, struct str path, bool merges_slashes);
/* Is the path already in that form, so that nothing needs to be written? */
bool uri_is_normal(struct str path);
/* nginx's $arg_NAME: the value of the first parameter of that name in any letter case, undecoded. */
struct str uri_arg(struct str query, struct str name);
/* Percent-encodes what may not stand in a path, as nginx does when it makes a request line from a decoded path.
 */
void uri_encode_path(struct builder *out, struct str path);
/* The same for text that is put into a query. */
void uri_encode_arg(struct builder *out, struct str text);
/* The same for a target that was put together of texts: what would end it or its line, controls, blanks, DEL
 * and '#', is encoded, and the rest stays as it is written. */
void uri_encode_target(struct builder *out, struct str target);
/* What nginx makes of the target of a `rewrite` that redirects, where it has encoded the groups: up to the '?',
 * visible characters above '%' are decoded, and a '%' that begins no escape is left out. Never longer than the
 * text. */
void uri_unescape_redirect(struct builder *out, struct str text);

#endif
