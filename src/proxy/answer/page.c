#include "proxy/answer/page.h"

#include "base/version.h"

/* One page a status: PAGE(status, title) and, for nginx's own kinds of 400, PAGE_400(status, title). */
#define PAGES                                                      \
    PAGE(301, "301 Moved Permanently")                             \
    PAGE(302, "302 Found")                                         \
    PAGE(303, "303 See Other")                                     \
    PAGE(307, "307 Temporary Redirect")                            \
    PAGE(308, "308 Permanent Redirect")                            \
    PAGE(400, "400 Bad Request")                                   \
    PAGE(401, "401 Authorization Required")                        \
    PAGE(402, "402 Payment Required")                              \
    PAGE(403, "403 Forbidden")                                     \
    PAGE(404, "404 Not Found")                                     \
    PAGE(405, "405 Not Allowed")                                   \
    PAGE(406, "406 Not Acceptable")                                \
    PAGE(408, "408 Request Time-out")                              \
    PAGE(409, "409 Conflict")                                      \
    PAGE(410, "410 Gone")                                          \
    PAGE(411, "411 Length Required")                               \
    PAGE(412, "412 Precondition Failed")                           \
    PAGE(413, "413 Request Entity Too Large")                      \
    PAGE(414, "414 Request-URI Too Large")                         \
    PAGE(415, "415 Unsupported Media Type")                        \
    PAGE(416, "416 Requested Range Not Satisfiable")               \
    PAGE(421, "421 Misdirected Request")                           \
    PAGE(429, "429 Too Many Requests")                             \
    PAGE_400(494, "Request Header Or Cookie Too Large")            \
    PAGE_400(495, "The SSL certificate error")                     \
    PAGE_400(496, "No required SSL certificate was sent")          \
    PAGE_400(497, "The plain HTTP request was sent to HTTPS port") \
    PAGE(498, "404 Not Found")                                     \
    PAGE(500, "500 Internal Server Error")                         \
    PAGE(501, "501 Not Implemented")                               \
    PAGE(502, "502 Bad Gateway")                                   \
    PAGE(503, "503 Service Temporarily Unavailable")               \
    PAGE(504, "504 Gateway Time-out")                              \
    PAGE(505, "505 HTTP Version Not Supported")                    \
    PAGE(507, "507 Insufficient Storage")

#define BEGIN(title, heading, rest)                                                     \
    "<html>\r\n<head><title>" title "</title></head>\r\n<body>\r\n<center><h1>" heading \
    "</h1></center>\r\n" rest "<hr><center>"
#define END "</center>\r\n</body>\r\n</html>\r\n"
#define CASE(status, text)                                                                                   \
    case status:                                                                                             \
        return tokens == SERVER_TOKENS_ON || tokens == SERVER_TOKENS_BUILD ? STR(text "hawser/" VERSION END) \
                                                                           : STR(text "hawser" END);

struct str page_text(unsigned status, enum server_tokens tokens) {
    switch (status) {
#define PAGE(status, title) CASE(status, BEGIN(title, title, ""))
#define PAGE_400(status, title) \
    CASE(status, BEGIN("400 " title, "400 Bad Request", "<center>" title "</center>\r\n"))
        PAGES
#undef PAGE
#undef PAGE_400
    default:
        return STR("");
    }
}
