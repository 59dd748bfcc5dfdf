#include "loop/repeat.h"

enum { MOST_PERIOD = 64 };

static size_t things_of(Repeat repeat) {
    return repeat.period * repeat.count;
}

static bool has_form(const RepeatSearch *s, size_t first, size_t period, size_t turn) {
    size_t from = first + turn * period;
    if (from + period > s->things)
        return false;
    for (size_t i = 0; i < period; i++)
        if (s->forms[from + i] == 0 || s->forms[from + i] != s->forms[first + i])
            return false;
    return true;
}

static Repeat repeat_with(const RepeatSearch *s, size_t first, size_t period) {
    size_t turn = 0;
    while (has_form(s, first, period, turn) && (!s->follows || s->follows(s->context, first, period, turn)))
        turn++;
    return (Repeat){first, period, turn};
}

/* The one that says most, from that place on; of equal ones, the shortest. */
static Repeat longest_at(const RepeatSearch *s, size_t first) {
    Repeat best = {first, 1, 1};
    for (size_t period = 1; period <= MOST_PERIOD && first + period * LEAST_REPETITIONS <= s->things; period++) {
        Repeat repeat = repeat_with(s, first, period);
        if (repeat.count >= LEAST_REPETITIONS && things_of(repeat) > things_of(best))
            best = repeat;
    }
    return best;
}

/* Whether a longer one begins within the period: a list is not cut where it happens to look regular for a while. */
static bool comes_too_early(const RepeatSearch *s, Repeat repeat) {
    for (size_t i = repeat.first + 1; i < repeat.first + repeat.period; i++)
        if (things_of(longest_at(s, i)) > things_of(repeat))
            return true;
    return false;
}

RepeatList repeats_find(Arena *arena, const RepeatSearch *search) {
    RepeatList list = {0};
    size_t at = 0;
    while (at < search->things) {
        Repeat repeat = longest_at(search, at);
        bool found = repeat.count >= LEAST_REPETITIONS && !comes_too_early(search, repeat);
        if (found)
            vec_push(arena, &list, repeat);
        at += found ? things_of(repeat) : 1;
    }
    return list;
}
