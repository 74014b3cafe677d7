#ifndef CODEC_EIO_H
#define CODEC_EIO_H

#include "base/str.h"
#include "codec/result.h"

/* Engine.IO, protocols 3 and 4, as far as a proxy must read it: the query, the open packet, close packets. */

enum { EIO_SID_MAX = 128 };

enum eio_transport { EIO_NO_TRANSPORT, EIO_POLLING, EIO_WEBSOCKET, EIO_OTHER_TRANSPORT };

struct eio_query {
    bool is_engine;    /* the query has `transport`, and EIO or sid: an Engine.IO request (socket.io.js has
                          neither) */
    uint8_t version;   /* 4 when EIO=4, else 3, as the server reads it */
    uint8_t transport; /* enum eio_transport */
    struct str
        sid; /* empty: a handshake. A view into the query, or into sid_bytes when it was percent-encoded */
    char sid_bytes[EIO_SID_MAX];
};

/* Reads the query behind '?'. The first of several equal parameters counts for EIO and transport; several
 * different sids, or one above EIO_SID_MAX, give is_engine false. Only the parameter named exactly "sid" is
 * one. */
void eio_query_parse(struct eio_query *query, struct str text);

struct eio_open {
    char sid[EIO_SID_MAX];
    size_t sid_len;
    uint64_t ping_interval_ms, ping_timeout_ms; /* 0: not said */
};

/* Reads the open packet from the beginning of a polling handshake's body: `0{json}` (EIO=4, packets parted by
 * 0x1e),
 * `<characters>:0{json}...` (EIO=3), binary EIO=3, `<n>:b4...` base64, or JSONP around EIO=3 or 4. The JSON may
 * have its keys in any order. `is_complete`: no more bytes will come. MORE is only said when not complete. */
enum codec_result eio_open_parse(struct eio_open *open, struct str body, bool is_complete);

/* Does this whole polling payload hold a close packet ("1")? For EIO=4 payloads parted by 0x1e and EIO=3
 * length-prefixed text and binary ones. */
bool eio_has_close(struct str body, unsigned version);

#endif
