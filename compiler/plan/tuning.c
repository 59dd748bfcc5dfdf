#include "plan/tuning.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- in memory ---- */

Tuning *tuning_new(Arena *arena) {
    Tuning *tuning = arena_one(arena, Tuning);
    tuning->arena = arena;
    tuning->by_stage = text_map_new(arena);
    return tuning;
}

TuningEntry *tuning_find(const Tuning *tuning, const char *stage) {
    return text_map_get(tuning->by_stage, stage);
}

static TuningEntry *add_entry(Tuning *tuning, const char *stage) {
    TuningEntry *entry = arena_one(tuning->arena, TuningEntry);
    entry->stage = arena_copy_text(tuning->arena, stage, strlen(stage));
    vec_push(tuning->arena, &tuning->entries, entry);
    text_map_put(tuning->by_stage, stage, entry);
    return entry;
}

void tuning_put(Tuning *tuning, const char *stage, const char *remarks, const LoopChoice *choice) {
    TuningEntry *entry = tuning_find(tuning, stage);
    if (!entry)
        entry = add_entry(tuning, stage);
    entry->remarks = arena_copy_text(tuning->arena, remarks, strlen(remarks));
    entry->choice = loop_choice_copy(tuning->arena, choice);
}

Survey *survey_new(Arena *arena, int most_choices, bool orders) {
    Survey *survey = arena_one(arena, Survey);
    *survey = (Survey){.arena = arena, .most_choices = most_choices, .orders = orders};
    survey->by_stage = text_map_new(arena);
    return survey;
}

static bool same_name(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool loop_choice_equal(const LoopChoice *a, const LoopChoice *b) {
    bool same = a->loop_count == b->loop_count && a->rows == b->rows && a->columns == b->columns &&
                same_name(a->lanes, b->lanes) && same_name(a->row_slot, b->row_slot) &&
                same_name(a->column_slot, b->column_slot);
    for (int i = 0; same && i < a->loop_count; i++)
        same = same_name(a->loops[i], b->loops[i]);
    return same;
}

static const char *copy_name(Arena *arena, const char *name) {
    return name ? arena_copy_text(arena, name, strlen(name)) : NULL;
}

LoopChoice loop_choice_copy(Arena *arena, const LoopChoice *choice) {
    LoopChoice copy = *choice;
    for (int i = 0; i < choice->loop_count; i++)
        copy.loops[i] = copy_name(arena, choice->loops[i]);
    copy.lanes = copy_name(arena, choice->lanes);
    copy.row_slot = copy_name(arena, choice->row_slot);
    copy.column_slot = copy_name(arena, choice->column_slot);
    return copy;
}

/* ---- reading ---- */

enum { VERSION = 1, MOST_COUNT = 64 };

typedef struct TuningReader {
    Arena *arena;
    const Source *source;
    Diag *diag;
    Tuning *tuning;
    Place line;      /* without the blanks around it */
    Text *remarks;   /* lines that wait for their stage */
    Text *stage;     /* the key of the stage that is being read; NULL: none */
    Place stage_at;  /* its first line */
    bool has_header; /* the line with the version was read */
} TuningReader;

static const char *place_text(const TuningReader *r, Place place) {
    return arena_copy_text(r->arena, r->source->text + place.start, place.end - place.start);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

/* The place without the blanks at its ends. */
static Place trimmed(Place place) {
    const char *text = place.source->text;
    while (place.start < place.end && is_blank(text[place.start]))
        place.start++;
    while (place.end > place.start && is_blank(text[place.end - 1]))
        place.end--;
    return place;
}

/* Takes what stands before the next `end` (a blank: any blank) away from the place, and gives it. */
static Place take_until(Place *place, char end) {
    const char *text = place->source->text;
    Place taken = *place;
    size_t at = place->start;
    while (at < place->end && !(text[at] == end || (end == ' ' && is_blank(text[at]))))
        at++;
    taken.end = at;
    place->start = at < place->end ? at + 1 : at;
    *place = trimmed(*place);
    return trimmed(taken);
}

static bool place_is(Place place, const char *word) {
    size_t length = place.end - place.start;
    return length == strlen(word) && strncmp(place.source->text + place.start, word, length) == 0;
}

static bool fail(const TuningReader *r, Place place, const char *what) {
    diag_error(r->diag, place, "%s", what);
    diag_help(r->diag, "`nnc --tune` writes the file anew once it is removed");
    return false;
}

/* "i x 4": a slot and a number. */
static bool read_count(const TuningReader *r, Place clause, const char **slot, int *count) {
    Place name = take_until(&clause, ' '), times = take_until(&clause, ' ');
    const char *digits = place_text(r, clause);
    char *end = NULL;
    long value = strtol(digits, &end, 10);
    if (name.start == name.end || !place_is(times, "x") || end == digits || *end != '\0')
        return fail(r, clause, "rows and columns are a loop and a number, as in `rows j x 4`");
    if (value < 1 || value > MOST_COUNT)
        return fail(r, clause, "the number of rows or columns is from 1 to 64");
    *slot = value > 1 ? place_text(r, name) : NULL;
    *count = (int)value;
    return true;
}

static bool read_loops(const TuningReader *r, Place clause, LoopChoice *choice) {
    while (clause.start < clause.end) {
        if (choice->loop_count == MAX_STAGE_SLOTS)
            return fail(r, clause, "a stage has 32 loops at most");
        choice->loops[choice->loop_count++] = place_text(r, take_until(&clause, ' '));
    }
    return true;
}

static bool read_clause(const TuningReader *r, Place clause, LoopChoice *choice) {
    Place rest = clause, word = take_until(&rest, ' ');
    if (place_is(word, "rows"))
        return read_count(r, rest, &choice->row_slot, &choice->rows);
    if (place_is(word, "columns"))
        return read_count(r, rest, &choice->column_slot, &choice->columns);
    if (place_is(word, "lanes") && rest.start < rest.end) {
        choice->lanes = place_text(r, rest);
        return true;
    }
    return fail(r, clause, "behind the loops stand `lanes`, `rows` and `columns`, with semicolons between them");
}

/* "loops o i j u v; lanes b; rows o x 6; columns i x 4": the stage is complete. */
static bool read_choice(TuningReader *r, Place rest) {
    if (!r->stage)
        return fail(r, r->line, "these loops belong to no stage");
    LoopChoice choice = {.rows = 1, .columns = 1};
    if (!read_loops(r, take_until(&rest, ';'), &choice))
        return false;
    while (rest.start < rest.end)
        if (!read_clause(r, take_until(&rest, ';'), &choice))
            return false;
    const char *stage = text_get(r->stage);
    if (tuning_find(r->tuning, stage))
        return fail(r, r->stage_at, "this stage stands in the file twice");
    tuning_put(r->tuning, stage, text_get(r->remarks), &choice);
    r->stage = NULL;
    r->remarks = text_new(r->arena);
    return true;
}

static bool read_stage(TuningReader *r) {
    if (r->stage)
        return fail(r, r->stage_at, "this stage has no loops");
    r->stage = text_new(r->arena);
    r->stage_at = r->line;
    text_printf(r->stage, "%s\n", place_text(r, r->line));
    return true;
}

static bool read_equation(TuningReader *r) {
    if (!r->stage)
        return fail(r, r->line, "this equation belongs to no stage");
    text_printf(r->stage, "  %s\n", place_text(r, r->line));
    return true;
}

static bool read_header(TuningReader *r, Place word, Place rest) {
    if (!place_is(word, "tuning"))
        return fail(r, r->line, "this is no tuning file: it starts with `tuning 1`");
    if (!place_is(rest, "1"))
        return fail(r, r->line, "this nnc reads tuning files of version 1");
    r->has_header = true;
    r->remarks = text_new(r->arena); /* the head of the file is written anew */
    return true;
}

static bool read_line(TuningReader *r) {
    if (r->line.start == r->line.end)
        return true;
    if (r->source->text[r->line.start] == '#') {
        text_printf(r->remarks, "%s\n", place_text(r, r->line));
        return true;
    }
    Place rest = r->line, word = take_until(&rest, ' ');
    if (!r->has_header)
        return read_header(r, word, rest);
    if (place_is(word, "stage"))
        return read_stage(r);
    if (place_is(word, "equation"))
        return read_equation(r);
    if (place_is(word, "loops"))
        return read_choice(r, rest);
    return fail(r, r->line, "a line starts with `stage`, `equation`, `loops` or `#`");
}

Tuning *tuning_read(Arena *arena, const Source *source, Diag *diag) {
    TuningReader r = {.arena = arena, .source = source, .diag = diag, .tuning = tuning_new(arena)};
    r.remarks = text_new(arena);
    for (int line = 0; line < source->line_count; line++) {
        size_t end = line + 1 < source->line_count ? source->line_starts[line + 1] - 1 : source->length;
        r.line = trimmed((Place){source, source->line_starts[line], end});
        if (!read_line(&r))
            return NULL;
    }
    bool whole = r.has_header && !r.stage;
    if (!whole)
        fail(&r, r.stage ? r.stage_at : r.line,
             r.stage ? "this stage has no loops" : "this is no tuning file: it starts with `tuning 1`");
    return whole ? r.tuning : NULL;
}

/* ---- writing ---- */

void loop_choice_print(const LoopChoice *choice, Text *out) {
    text_add(out, "loops");
    for (int i = 0; i < choice->loop_count; i++)
        text_printf(out, " %s", choice->loops[i]);
    if (choice->lanes)
        text_printf(out, "; lanes %s", choice->lanes);
    if (choice->rows > 1)
        text_printf(out, "; rows %s x %d", choice->row_slot, choice->rows);
    if (choice->columns > 1)
        text_printf(out, "; columns %s x %d", choice->column_slot, choice->columns);
}

void tuning_print(const Tuning *tuning, const char *head, Text *out) {
    text_printf(out, "%stuning %d\n", head, VERSION);
    for (size_t i = 0; i < tuning->entries.count; i++) {
        const TuningEntry *entry = tuning->entries.at[i];
        text_printf(out, "\n%s%s  ", entry->remarks, entry->stage);
        loop_choice_print(&entry->choice, out);
        text_add(out, "\n");
    }
}
