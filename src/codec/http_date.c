#include "codec/http_date.h"

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

enum { DAY_SECONDS = 86400, PIVOT = 70 };

/* Days from 1970-01-01 to the first of March of that year, for years counted from March: the leap day is then
 * the last of its year, and the months before any date have fixed lengths. */
static int64_t days_to_march(int64_t year) {
    return 365 * year + year / 4 - year / 100 + year / 400 - 719468;
}

/* Days from the first of March to the first of a month, March being 0. */
static unsigned days_to_month(unsigned month) {
    return (153 * month + 2) / 5;
}

struct date {
    int64_t year;
    unsigned month, day; /* month from 0, day from 1 */
    unsigned hour, minute, second;
};

static struct date date_of(uint64_t seconds) {
    int64_t count = (int64_t)(seconds / DAY_SECONDS);
    unsigned rest = (unsigned)(seconds % DAY_SECONDS);
    int64_t year = count / 365 + 1970; /* never too small; brought down below */
    while (days_to_march(year) > count)
        year--;
    unsigned in_year = (unsigned)(count - days_to_march(year)), month = 11;
    while (days_to_month(month) > in_year)
        month--;
    return (struct date){.year = year + (month >= 10),
                         .month = (month + 2) % 12,
                         .day = in_year - days_to_month(month) + 1,
                         .hour = rest / 3600,
                         .minute = rest / 60 % 60,
                         .second = rest % 60};
}

static void padded(struct builder *out, unsigned value, unsigned width) {
    for (unsigned scale = width == 4 ? 1000 : 10; scale; scale /= 10)
        builder_char(out, (char)('0' + value / scale % 10));
}

void http_date_build(struct builder *out, uint64_t seconds) {
    /* the last second that has a year of four digits */
    static const uint64_t last = UINT64_C(253402300799);
    seconds = seconds < last ? seconds : last;
    struct date date = date_of(seconds);
    char text[HTTP_DATE_LEN];
    struct builder whole = builder_make(text, sizeof text);
    builder_bytes(&whole, days[(seconds / DAY_SECONDS + 4) % 7], 3);
    builder_str(&whole, STR(", "));
    padded(&whole, date.day, 2);
    builder_char(&whole, ' ');
    builder_bytes(&whole, months + 3 * date.month, 3);
    builder_char(&whole, ' ');
    padded(&whole, (unsigned)date.year, 4);
    builder_char(&whole, ' ');
    padded(&whole, date.hour, 2);
    builder_char(&whole, ':');
    padded(&whole, date.minute, 2);
    builder_char(&whole, ':');
    padded(&whole, date.second, 2);
    builder_str(&whole, STR(" GMT"));
    builder_str(out, builder_view(&whole));
}

static bool take(struct str *text, struct str wanted) {
    bool is_there = str_starts(*text, wanted);
    if (is_there)
        *text = str_from(*text, wanted.len);
    return is_there;
}

/* Exactly `width` digits. */
static bool take_number(struct str *text, unsigned width, unsigned *value) {
    *value = 0;
    if (text->len < width)
        return false;
    for (unsigned i = 0; i < width; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *value = *value * 10 + (unsigned)(text->ptr[i] - '0');
    }
    *text = str_from(*text, width);
    return true;
}

static bool take_month(struct str *text, unsigned *month) {
    for (*month = 0; *month < 12; ++*month)
        if (take(text, str_make(months + 3 * *month, 3)))
            return true;
    return false;
}

static bool take_time(struct str *text, struct date *date) {
    return take_number(text, 2, &date->hour) && take(text, STR(":")) && take_number(text, 2, &date->minute) &&
           take(text, STR(":")) && take_number(text, 2, &date->second);
}

/* "06 Nov 1994 08:49:37 GMT" */
static bool take_fixed(struct str *text, struct date *date) {
    unsigned year;
    if (!take_number(text, 2, &date->day) || !take(text, STR(" ")) || !take_month(text, &date->month) ||
        !take(text, STR(" ")) || !take_number(text, 4, &year))
        return false;
    date->year = year;
    return take(text, STR(" ")) && take_time(text, date) && take(text, STR(" GMT"));
}

/* "06-Nov-94 08:49:37 GMT", RFC 850. Two digits of a year: from 1970 to 2069. */
static bool take_obsolete(struct str *text, struct date *date) {
    unsigned year;
    if (!take_number(text, 2, &date->day) || !take(text, STR("-")) || !take_month(text, &date->month) ||
        !take(text, STR("-")) || !take_number(text, 2, &year))
        return false;
    date->year = year < PIVOT ? 2000 + year : 1900 + year;
    return take(text, STR(" ")) && take_time(text, date) && take(text, STR(" GMT"));
}

/* "Nov  6 08:49:37 1994", asctime */
static bool take_asctime(struct str *text, struct date *date) {
    unsigned year;
    if (!take_month(text, &date->month) || !take(text, STR(" ")))
        return false;
    bool is_padded = take(text, STR(" "));
    if (!take_number(text, is_padded ? 1 : 2, &date->day) || !take(text, STR(" ")) || !take_time(text, date) ||
        !take(text, STR(" ")) || !take_number(text, 4, &year))
        return false;
    date->year = year;
    return true;
}

/* Is there such a day and time, not before 1970? A leap second counts as the next second. */
static bool date_seconds(const struct date *date, uint64_t *seconds) {
    static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = date->year;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1970 || date->day < 1 || date->day > lengths[date->month] ||
        (date->month == 1 && date->day == 29 && !is_leap))
        return false;
    if (date->hour > 23 || date->minute > 59 || date->second > 60)
        return false;
    int64_t count = days_to_march(date->month < 2 ? year - 1 : year) + days_to_month((date->month + 10) % 12);
    *seconds =
        (uint64_t)(count + date->day - 1) * DAY_SECONDS + date->hour * 3600 + date->minute * 60 + date->second;
    return true;
}

bool http_date_parse(struct str text, uint64_t *seconds) {
    struct date date;
    for (unsigned i = 0; i < sizeof days / sizeof days[0]; i++) {
        struct str rest = text, day = str_of(days[i]);
        if (!take(&rest, str_head(day, 3)))
            continue;
        bool is_read;
        if (take(&rest, STR(", ")))
            is_read = take_fixed(&rest, &date);
        else if (take(&rest, STR(" ")))
            is_read = take_asctime(&rest, &date);
        else
            is_read = take(&rest, str_from(day, 3)) && take(&rest, STR(", ")) && take_obsolete(&rest, &date);
        return is_read && rest.len == 0 && date_seconds(&date, seconds);
    }
    return false;
}
