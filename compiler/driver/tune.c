#include "driver/tune.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/output.h"
#include "driver/artifacts.h"
#include "driver/bench.h"
#include "driver/tuning_file.h"

enum {
    MOST_CHOICES = 10, /* of a stage, tiles or orders */
    FEWEST_RUNS = 3,   /* of every program */
    MOST_RUNS = 15,
    CONFIRMING_RUNS = 7
};

/* A candidate is taken when it needs less than this part of the time. */
static const double clearly = 0.97;

/* A stage that has found better loops. */
typedef struct Gain {
    const char *title;
    double before, now; /* seconds in one prediction and one training step */
} Gain;

typedef struct Tune {
    Arena *arena;
    const Options *options;
    Diag *diag;
    Bench bench;
    const char *path;
    Tuning *file;   /* as it was read; NULL: there was none */
    Tuning *best;   /* what was found to be better than the cost model's choice */
    TextMap *gains; /* stage to Gain */
    Survey *tiles;
    double start;
    Trial first, last; /* the cost model's loops, and the best */
} Tune;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The moment when this part of the allowed time is over. */
static double moment(const Tune *t, double part) {
    return t->start + part * (double)t->options->tune_seconds;
}

/* ---- one round of measuring: tiles, or orders ---- */

typedef struct Round {
    Tune *tune;
    const char *what; /* "tiles" */
    Survey *survey;
    VEC(Trial) trials;      /* trial j has choice j of every stage that has one */
    VEC(int) active;        /* stages that take time and have a choice */
    double built, measured; /* when both should be done */
} Round;

static const SurveyStage *stage_at(const Round *r, size_t i) {
    return r->survey->stages.at[i];
}

static void copy_entries(Tuning *to, const Tuning *from) {
    for (size_t i = 0; from && i < from->entries.count; i++) {
        const TuningEntry *entry = from->entries.at[i];
        tuning_put(to, entry->stage, entry->remarks, &entry->choice);
    }
}

/* The best so far, and choice j of the active stages. */
static Tuning *trial_tuning(const Round *r, size_t j) {
    Tuning *tuning = tuning_new(r->tune->arena);
    copy_entries(tuning, r->tune->best);
    for (size_t i = 0; i < r->active.count; i++) {
        const SurveyStage *stage = stage_at(r, (size_t)r->active.at[i]);
        if (j < stage->choices.count)
            tuning_put(tuning, stage->stage, "", &stage->choices.at[j]);
    }
    return tuning;
}

static bool build_trial(Round *r, Tuning *tuning) {
    Trial trial;
    if (!bench_build(&r->tune->bench, tuning, survey_new(r->tune->arena, 1, false), &trial))
        return false;
    vec_push(r->tune->arena, &r->trials, trial);
    return true;
}

/* What takes less than a hundredth of the time is not worth a program. */
static void find_active(Round *r) {
    const Trial *base = &r->trials.at[0];
    for (size_t i = 0; i < r->survey->stages.count; i++) {
        double share = trial_seconds(base, stage_at(r, i)->mark) / trial_total(base);
        if (share >= 0.01 && stage_at(r, i)->choices.count > 1)
            vec_push(r->tune->arena, &r->active, (int)i);
    }
}

static size_t most_choices(const Round *r) {
    size_t most = 1;
    for (size_t i = 0; i < r->active.count; i++) {
        size_t count = stage_at(r, (size_t)r->active.at[i])->choices.count;
        most = count > most ? count : most;
    }
    return most;
}

/* A line that is overwritten on a terminal, and left out elsewhere. */
static void show_progress(const Round *r, size_t program, size_t programs) {
    FILE *out = r->tune->diag->out;
    if (isatty(fileno(out))) {
        fprintf(out, "\rnnc: measuring %s, stages: %zu, building program %zu of %zu \033[K", r->what, r->active.count,
                program, programs);
        fflush(out);
    }
}

/* Closes that line. */
static void show_round(const Round *r) {
    FILE *out = r->tune->diag->out;
    fprintf(out, "%snnc: measuring %s, stages: %zu, programs: %zu\n", isatty(fileno(out)) ? "\r\033[K" : "", r->what,
            r->active.count, r->trials.count);
}

static bool build_trials(Round *r) {
    Trial base;
    if (!bench_build(&r->tune->bench, r->tune->best, r->survey, &base))
        return false;
    vec_push(r->tune->arena, &r->trials, base);
    if (!bench_run(&r->tune->bench, &r->trials.at[0], 0.2))
        return false;
    find_active(r);
    size_t most = most_choices(r);
    for (size_t j = 1; j < most && (j < 2 || now() < r->built); j++) {
        show_progress(r, j + 1, most);
        if (!build_trial(r, trial_tuning(r, j)))
            return false;
    }
    show_round(r);
    return true;
}

/* All in turns, so that what else happens on the machine disturbs all alike. */
static bool run_in_turns(Tune *t, Trial *trials, size_t count, double until, int fewest) {
    double slice = (until - now()) / (double)(count * 6);
    slice = slice < 0.05 ? 0.05 : slice > 1 ? 1 : slice;
    for (int run = 0; run < fewest || (run < MOST_RUNS && now() < until); run++) {
        for (size_t i = 0; i < count; i++)
            if (!bench_run(&t->bench, &trials[i], slice))
                return false;
    }
    return true;
}

/* 0: the present loops stay. */
static size_t best_choice(const Round *r, const SurveyStage *stage) {
    size_t best = 0;
    double seconds = clearly * trial_seconds(&r->trials.at[0], stage->mark);
    for (size_t j = 1; j < stage->choices.count && j < r->trials.count; j++) {
        double found = trial_seconds(&r->trials.at[j], stage->mark);
        if (found < seconds) {
            best = j;
            seconds = found;
        }
    }
    return best;
}

/* ---- the winners ---- */

static Tuning *winners(const Round *r) {
    Tuning *tuning = tuning_new(r->tune->arena);
    for (size_t i = 0; i < r->active.count; i++) {
        const SurveyStage *stage = stage_at(r, (size_t)r->active.at[i]);
        size_t best = best_choice(r, stage);
        if (best > 0)
            tuning_put(tuning, stage->stage, "", &stage->choices.at[best]);
    }
    return tuning;
}

static void keep_winner(Tune *t, const SurveyStage *stage, const TuningEntry *winner, double before, double after) {
    Gain *gain = text_map_get(t->gains, stage->stage);
    if (!gain) {
        gain = arena_one(t->arena, Gain);
        *gain = (Gain){.title = stage->title, .before = before};
        text_map_put(t->gains, stage->stage, gain);
    }
    gain->now = after;
    tuning_put(t->best, stage->stage, "", &winner->choice);
}

/* Measures them together, beside what was there before. */
static bool confirm(Round *r, const Tuning *found) {
    Tune *t = r->tune;
    Tuning *together = tuning_new(t->arena);
    copy_entries(together, t->best);
    copy_entries(together, found);
    Trial pair[2] = {r->trials.at[0]};
    pair[0].runs.count = 0;
    if (!bench_build(&t->bench, together, survey_new(t->arena, 1, false), &pair[1]) ||
        !run_in_turns(t, pair, 2, r->measured, CONFIRMING_RUNS))
        return false;
    for (size_t i = 0; i < r->survey->stages.count; i++) {
        const SurveyStage *stage = stage_at(r, i);
        const TuningEntry *winner = tuning_find(found, stage->stage);
        double before = trial_seconds(&pair[0], stage->mark), after = trial_seconds(&pair[1], stage->mark);
        if (winner && after < clearly * before)
            keep_winner(t, stage, winner, before, after);
    }
    return true;
}

/* For --report: all that was measured. */
static void report_round(const Round *r) {
    Text *text = text_new(r->tune->arena);
    for (size_t i = 0; i < r->active.count; i++) {
        const SurveyStage *stage = stage_at(r, (size_t)r->active.at[i]);
        text_printf(text, "%s\n%s", stage->title, stage->stage);
        for (size_t j = 0; j < stage->choices.count && j < r->trials.count; j++) {
            text_printf(text, "%10.2f us  ", 1e6 * trial_seconds(&r->trials.at[j], stage->mark));
            loop_choice_print(&stage->choices.at[j], text);
            text_add(text, "\n");
        }
        text_add(text, "\n");
    }
    fputs(text_get(text), r->tune->diag->out);
}

/* The round has the time from now until this part of all is over. */
static bool run_round(Tune *t, bool orders, double part) {
    Round r = {.tune = t, .what = orders ? "orders" : "tiles"};
    double begin = now(), whole = moment(t, part) - begin;
    r.survey = survey_new(t->arena, MOST_CHOICES, orders);
    r.built = begin + 0.5 * whole;
    r.measured = begin + 0.8 * whole;
    if (!build_trials(&r))
        return false;
    if (!orders) {
        t->tiles = r.survey;
        t->first = r.trials.at[0];
    }
    if (r.trials.count > 1 && !run_in_turns(t, r.trials.at, r.trials.count, r.measured, FEWEST_RUNS))
        return false;
    Tuning *found = winners(&r);
    if (t->options->report)
        report_round(&r);
    r.measured = begin + whole;
    return found->entries.count == 0 || confirm(&r, found);
}

/* ---- the file ---- */

static bool load_old(Tune *t) {
    Compilation old = {.arena = t->arena, .options = t->options, .diag = t->diag};
    bool is_there = access(t->path, F_OK) == 0; /* --tuning need not be there yet */
    if (is_there && !tuning_file_load(&old))
        return false;
    t->file = old.tuning;
    return true;
}

/* Better now than after a minute. */
static bool is_writable(const Tune *t) {
    const char *message = NULL;
    Output *output = output_open(t->arena, t->path, &message);
    if (!output) {
        diag_error(t->diag, NO_PLACE, "%s", message);
        diag_help(t->diag, "name a file for the tuning elsewhere, as in --tuning model.tuning");
        return false;
    }
    output_abandon(output);
    return true;
}

static const char *processor_name(Arena *arena) {
    char line[256];
    const char *name = "unknown";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) == 0 && colon) {
            name = arena_copy_text(arena, colon + 2, strcspn(colon + 2, "\n"));
            break;
        }
    }
    if (file)
        fclose(file);
    return name;
}

static const char *head_of_file(const Tune *t) {
    char date[32] = "";
    time_t seconds = time(NULL);
    struct tm parts;
    if (gmtime_r(&seconds, &parts))
        strftime(date, sizeof date, "%Y-%m-%d", &parts);
    Text *head = text_new(t->arena);
    text_add(head, "# Loops that `nnc --tune` measured for the stages of a model: nnc reads them when it compiles the "
                   "model.\n# What does not fit is ignored; the file may be edited, and removed at any time.\n");
    text_printf(head, "# nnc %s, %s, processor: %s, one thread, compiler:", NNC_VERSION, date,
                processor_name(t->arena));
    for (size_t i = 0; i < t->bench.command.count; i++)
        text_printf(head, " %s", t->bench.command.at[i]);
    text_printf(head, "\n# A prediction and a training step: %.2f us, before %.2f us\n", 1e6 * trial_total(&t->last),
                1e6 * trial_total(&t->first));
    return text_get(head);
}

/* What the old file says of other sizes and targets stays; stages that were measured now have new entries or none. */
static Tuning *new_file(const Tune *t) {
    Tuning *tuning = tuning_new(t->arena);
    for (size_t i = 0; t->file && i < t->file->entries.count; i++) {
        const TuningEntry *entry = t->file->entries.at[i];
        if (!text_map_get(t->tiles->by_stage, entry->stage))
            tuning_put(tuning, entry->stage, entry->remarks, &entry->choice);
    }
    for (size_t i = 0; i < t->best->entries.count; i++) {
        const TuningEntry *entry = t->best->entries.at[i];
        const Gain *gain = text_map_get(t->gains, entry->stage);
        const char *remark =
            arena_printf(t->arena, "# %s: %.2f us, before %.2f us\n", gain->title, 1e6 * gain->now, 1e6 * gain->before);
        tuning_put(tuning, entry->stage, remark, &entry->choice);
    }
    return tuning;
}

static bool write_file(const Tune *t) {
    Text *text = text_new(t->arena);
    tuning_print(new_file(t), head_of_file(t), text);
    return artifact_write(t->arena, t->diag, t->path, text_get(text), text_length(text));
}

/* ---- the whole ---- */

/* The cost model's loops beside the best: together they have to be faster too. */
static bool compare(Tune *t) {
    Trial pair[2] = {t->first};
    pair[0].runs.count = 0;
    if (!bench_build(&t->bench, t->best, survey_new(t->arena, 1, false), &pair[1]) ||
        !run_in_turns(t, pair, 2, moment(t, 1), CONFIRMING_RUNS))
        return false;
    t->first = pair[0];
    t->last = pair[1];
    double before = trial_total(&t->first), after = trial_total(&t->last);
    if (after >= before) {
        t->best = tuning_new(t->arena);
        t->last = t->first;
    }
    fprintf(t->diag->out,
            "nnc: stages with faster loops: %zu; a prediction and a training step: %.2f us, before %.2f us\n",
            t->best->entries.count, 1e6 * trial_total(&t->last), 1e6 * before);
    return true;
}

bool tune_model(Arena *arena, const Options *options, Diag *diag) {
    Tune t = {.arena = arena, .options = options, .diag = diag, .start = now()};
    t.bench = (Bench){.arena = arena, .options = options, .diag = diag};
    t.path = tuning_file_path(arena, options);
    t.best = tuning_new(arena);
    t.gains = text_map_new(arena);
    if (!load_old(&t) || !is_writable(&t) || !bench_open(&t.bench))
        return false;
    bool ok = run_round(&t, false, 0.6) && run_round(&t, true, 0.85) && compare(&t) && write_file(&t);
    bench_close(&t.bench);
    return ok;
}
