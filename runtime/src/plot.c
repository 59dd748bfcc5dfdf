/* The curves of a training as an SVG that needs nothing else: light or dark as the reader's screen is. */
#include <inttypes.h>
#include <math.h>
#include "history.h"

enum {
    WIDTH = 800,
    HEIGHT = 480,
    LEFT = 78,
    RIGHT = 24,
    TOP = 56,
    BOTTOM = 56,
    /* Ticks that an axis should have, about. */
    TICKS = 6,
    /* Epochs drawn; of longer trainings every k-th. */
    POINTS = 800,
};

/* Losses over a wider range than this are drawn on a logarithmic axis. */
static const double widest_linear = 30.0;

/* An axis from `low` to `high`; of logarithms to base 10 if `logarithmic`. */
typedef struct Axis {
    double low, high;
    bool logarithmic;
    double from, to; /* where the two ends are drawn */
} Axis;

typedef struct Plot {
    const nnrt_history *history;
    nnrt_text *svg;
    Axis x, y;
} Plot;

static double place(const Axis *axis, double value) {
    double position = axis->logarithmic ? log10(value) : value;
    return axis->from + (position - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

/* --- Axes --- */

/* 1, 2 or 5 times a power of ten, so that about TICKS steps make the range. */
static double tick_step(double range) {
    double power = pow(10.0, floor(log10(range / TICKS)));
    double ratio = range / TICKS / power;
    return power * (ratio < 1.5 ? 1.0 : ratio < 3.5 ? 2.0 : ratio < 7.5 ? 5.0 : 10.0);
}

/* Losses near the end of the range of reals are left out like those that are not finite: sums with them would overflow. */
static bool is_drawable(double value) {
    return fabs(value) < 1e300;
}

static bool can_draw(const Axis *axis, double value) {
    return is_drawable(value) && (!axis->logarithmic || value > 0.0);
}

/* The smallest and largest loss. */
static void find_range(const nnrt_history *history, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < history->count; i++) {
        const double *row = nnrt_history_row(history, i);
        for (int curve = NNRT_HISTORY_TRAIN; curve <= NNRT_HISTORY_VALIDATION; curve++) {
            if (is_drawable(row[curve])) {
                *low = fmin(*low, row[curve]);
                *high = fmax(*high, row[curve]);
            }
        }
    }
}

static Axis loss_axis(const nnrt_history *history) {
    Axis axis = {.from = HEIGHT - BOTTOM, .to = TOP};
    double low, high;
    find_range(history, &low, &high);
    if (low > high)
        low = high = 0.0;
    axis.logarithmic = low > 0.0 && high / low > widest_linear;
    axis.low = axis.logarithmic ? floor(log10(low)) : fmin(low, 0.0);
    axis.high = axis.logarithmic ? ceil(log10(high)) : high;
    /* A constant loss: some height all the same. */
    double size = fmax(fabs(axis.low), fabs(axis.high));
    if (axis.high - axis.low < fmax(size * 1e-9, 1e-290))
        axis.high = axis.low + (size > 1e-290 ? size * 0.1 : 1.0);
    if (!axis.logarithmic) {
        double step = tick_step(axis.high - axis.low);
        axis.low = floor(axis.low / step) * step;
        axis.high = ceil(axis.high / step) * step;
    }
    return axis;
}

static Axis epoch_axis(const nnrt_history *history) {
    Axis axis = {.from = LEFT, .to = WIDTH - RIGHT, .low = 0.0, .high = 1.0};
    if (history->count > 0) {
        axis.low = nnrt_history_row(history, 0)[NNRT_HISTORY_EPOCH];
        axis.high = nnrt_history_row(history, history->count - 1)[NNRT_HISTORY_EPOCH];
    }
    if (!(axis.high > axis.low)) {
        axis.low -= 1.0;
        axis.high = axis.low + 2.0;
    }
    return axis;
}

static void print_loss_tick(const Plot *plot, double value) {
    double y = place(&plot->y, value);
    nnrt_text_printf(plot->svg,
                     "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                     "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>\n",
                     LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4.0, value);
}

static void print_loss_ticks(const Plot *plot) {
    if (plot->y.logarithmic) {
        double stride = fmax(1.0, ceil((plot->y.high - plot->y.low) / (2 * TICKS)));
        for (double power = plot->y.low; power <= plot->y.high; power += stride)
            print_loss_tick(plot, pow(10.0, power));
        return;
    }
    double step = tick_step(plot->y.high - plot->y.low);
    int count = (int)floor((plot->y.high - plot->y.low) / step + 0.5);
    for (int i = 0; i <= count; i++) {
        /* The nearest to 0 is 0 itself, not the rounding error. */
        double value = plot->y.low + step * i;
        print_loss_tick(plot, fabs(value) < step * 1e-6 ? 0.0 : value);
    }
}

static void print_epoch_ticks(const Plot *plot) {
    double step = fmax(1.0, tick_step(plot->x.high - plot->x.low));
    for (double value = ceil(plot->x.low / step) * step; value <= plot->x.high; value += step) {
        double x = place(&plot->x, value);
        nnrt_text_printf(plot->svg,
                         "<path class=\"grid\" d=\"M%.1f %dV%d\"/>"
                         "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
                         x, TOP, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 20, value);
    }
}

/* --- Curves --- */

/* The rows that are drawn: every stride-th and the last. */
static size_t next_row(const nnrt_history *history, size_t i) {
    size_t stride = history->count / POINTS + 1;
    size_t last = history->count - 1;
    return i < last && i + stride > last ? last : i + stride;
}

/* A line through the finite losses, and a dot where a loss has no neighbour. */
static void print_curve(const Plot *plot, int curve, const char *style) {
    const nnrt_history *history = plot->history;
    bool drawing = false;
    nnrt_text_printf(plot->svg, "<path class=\"curve %s\" d=\"", style);
    for (size_t i = 0; i < history->count; i = next_row(history, i)) {
        const double *row = nnrt_history_row(history, i);
        bool visible = can_draw(&plot->y, row[curve]);
        if (visible) {
            double x = place(&plot->x, row[NNRT_HISTORY_EPOCH]), y = place(&plot->y, row[curve]);
            /* A line of length 0 has round ends: it is the dot. */
            nnrt_text_printf(plot->svg, drawing ? "L%.1f %.1f" : "M%.1f %.1fh0", x, y);
        }
        drawing = visible;
    }
    nnrt_text_printf(plot->svg, "\"/>\n");
}

static void print_best(const Plot *plot, int64_t best_epoch) {
    const nnrt_history *history = plot->history;
    for (size_t i = 0; i < history->count; i++) {
        double loss = nnrt_history_decisive(history, i);
        double epoch = nnrt_history_row(history, i)[NNRT_HISTORY_EPOCH];
        if (epoch == (double)best_epoch && can_draw(&plot->y, loss)) {
            double x = place(&plot->x, epoch), y = place(&plot->y, loss);
            nnrt_text_printf(plot->svg,
                             "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n"
                             "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">best %.4g</text>\n",
                             history->validated ? "validation" : "train", x, y, x, y - 12.0,
                             x > (LEFT + WIDTH - RIGHT) / 2.0 ? "end" : "start", loss);
        }
    }
}

static void print_legend(const Plot *plot) {
    static const char *const styles[] = {"train", "validation"};
    int curves = plot->history->validated ? 2 : 1;
    for (int i = 0; i < curves; i++) {
        int x = WIDTH - RIGHT - 110 * (curves - i);
        nnrt_text_printf(plot->svg,
                         "<path class=\"curve %s\" d=\"M%d %dh24\"/>"
                         "<text x=\"%d\" y=\"%d\">%s</text>\n",
                         styles[i], x, TOP - 18, x + 32, TOP - 14, styles[i]);
    }
}

/* --- The file --- */

static const char style_sheet[] =
    "<style>\n"
    "svg { background: #ffffff; font: 13px system-ui, sans-serif; }\n"
    "text { fill: #444444; }\n"
    ".title { font-size: 16px; font-weight: 600; fill: #111111; }\n"
    ".grid { stroke: #e4e4e4; fill: none; }\n"
    ".frame { stroke: #999999; fill: none; }\n"
    ".curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }\n"
    ".train { stroke: #2f6fb7; }\n"
    ".validation { stroke: #d9722a; }\n"
    "circle { fill: #ffffff; stroke-width: 2.2; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "svg { background: #16181c; } text { fill: #b8bcc4; } .title { fill: #f2f2f2; }\n"
    ".grid { stroke: #2a2e35; } .frame { stroke: #5a606b; } circle { fill: #16181c; }\n"
    ".train { stroke: #6aa9ef; } .validation { stroke: #f0a060; }\n"
    "}\n"
    "</style>\n";

static void print_text(nnrt_text *svg, const char *text) {
    for (; *text != '\0'; text++)
        if (*text == '<')
            nnrt_text_printf(svg, "&lt;");
        else if (*text == '&')
            nnrt_text_printf(svg, "&amp;");
        else
            nnrt_text_add(svg, text, 1);
}

static void print_frame(const Plot *plot, const char *title) {
    nnrt_text *svg = plot->svg;
    nnrt_text_printf(svg,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "width=\"%d\" height=\"%d\" role=\"img\">\n<title>",
                     WIDTH, HEIGHT, WIDTH, HEIGHT);
    print_text(svg, title);
    nnrt_text_printf(svg, ": loss</title>\n%s<text class=\"title\" x=\"%d\" y=\"30\">", style_sheet, LEFT);
    print_text(svg, title);
    nnrt_text_printf(svg, "</text>\n");
    print_loss_ticks(plot);
    print_epoch_ticks(plot);
    nnrt_text_printf(svg, "<path class=\"frame\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    nnrt_text_printf(svg, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n", (LEFT + WIDTH - RIGHT) / 2,
                     HEIGHT - 12);
    nnrt_text_printf(svg,
                     "<text transform=\"translate(20 %d) rotate(-90)\" "
                     "text-anchor=\"middle\">loss%s</text>\n",
                     (TOP + HEIGHT - BOTTOM) / 2, plot->y.logarithmic ? " (logarithmic)" : "");
}

void nnrt_plot_print(const nnrt_history *history, const char *title, int64_t best_epoch, nnrt_text *svg) {
    const Plot plot = {.history = history, .svg = svg, .x = epoch_axis(history), .y = loss_axis(history)};
    print_frame(&plot, title);
    print_curve(&plot, NNRT_HISTORY_TRAIN, "train");
    if (history->validated)
        print_curve(&plot, NNRT_HISTORY_VALIDATION, "validation");
    print_best(&plot, best_epoch);
    print_legend(&plot);
    nnrt_text_printf(svg, "</svg>\n");
}
