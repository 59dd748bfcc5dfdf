#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum {
    /* Where the terminal does not tell its width. */
    USUAL_COLUMNS = 80,
    WIDEST_BAR = 30,
    NARROWEST_BAR = 5,
    LONGEST_LINE = 256,
};

static const double seconds_between_draws = 0.1;

double nnrt_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

nnrt_number nnrt_number_print(double value) {
    nnrt_number number;
    double size = fabs(value);
    /* A NaN has no sign to show. */
    const char *format = size == 0.0 || (size >= 1e-3 && size < 1e5) ? "%.4f" : "%.3e";
    snprintf(number.text, sizeof number.text, format, isnan(value) ? NAN : value);
    return number;
}

static int terminal_columns(FILE *terminal) {
    struct winsize size = {0};
    int known = ioctl(fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : USUAL_COLUMNS;
}

/* "0:12", "1:02:03" */
static void print_duration(char *text, size_t size, double seconds) {
    const double longest = 359999.0; /* 99:59:59 */
    int64_t total = (int64_t)(seconds < longest ? seconds + 0.5 : longest);
    int64_t hours = total / 3600, minutes = total / 60 % 60;
    if (hours > 0)
        snprintf(text, size, "%" PRId64 ":%02" PRId64 ":%02" PRId64, hours, minutes, total % 60);
    else
        snprintf(text, size, "%" PRId64 ":%02" PRId64, minutes, total % 60);
}

/* "[=====>    ] ": `width` marks between the brackets. */
static void print_bar(char *text, int width, double done) {
    int full = (int)(done * width);
    *text++ = '[';
    for (int i = 0; i < width; i++)
        *text++ = i < full ? '=' : i == full ? '>' : ' ';
    memcpy(text, "] ", sizeof "] ");
}

static void print_line(const nnrt_moment *moment, int columns, char line[LONGEST_LINE]) {
    char head[64], tail[128], left[32], bar[WIDEST_BAR + 4] = "";
    double done = (double)moment->step / (double)moment->steps;
    int head_length = snprintf(head, sizeof head, "epoch %" PRId64 "/%" PRId64 " ", moment->epoch, moment->epochs);
    int tail_length =
        snprintf(tail, sizeof tail, "%3.0f%%  loss %s", floor(done * 100.0), nnrt_number_print(moment->loss).text);
    if (moment->samples_per_second > 0.0) {
        print_duration(left, sizeof left, moment->seconds_left);
        tail_length += snprintf(tail + tail_length, sizeof tail - (size_t)tail_length, "  %.0f samples/s  %s left",
                                moment->samples_per_second, left);
    }
    /* Two brackets, a space, and the last column stays empty so that the line does not wrap. */
    int room = columns - head_length - tail_length - 4;
    if (room >= NARROWEST_BAR)
        print_bar(bar, room < WIDEST_BAR ? room : WIDEST_BAR, done);
    snprintf(line, LONGEST_LINE, "%s%s%s", head, bar, tail);
    if (columns > 0 && columns < LONGEST_LINE)
        line[columns - 1] = '\0';
}

void nnrt_progress_draw(nnrt_progress *progress, const nnrt_moment *moment) {
    double now = nnrt_clock();
    if (progress->terminal == NULL || now - progress->drawn < seconds_between_draws)
        return;
    char line[LONGEST_LINE];
    print_line(moment, terminal_columns(progress->terminal), line);
    /* Back to the first column, erase the line. */
    fprintf(progress->terminal, "\r\033[K%s", line);
    fflush(progress->terminal);
    progress->drawn = now;
    progress->visible = 1;
}

void nnrt_progress_clear(nnrt_progress *progress) {
    if (progress->visible) {
        fprintf(progress->terminal, "\r\033[K");
        fflush(progress->terminal);
        progress->visible = 0;
    }
}
