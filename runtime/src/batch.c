/* Batches, prepared ahead.
 *
 * Two slots hold a batch each, batch k in slot k % 2. A thread fills one while the caller works on the other. The lock guards
 * `filled`, `released` and `stop`; a slot belongs to the thread from its release until it is filled, else to the caller.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include "data.h"
#include "error.h"
#include "memory.h"
#include "random.h"

enum {
    SLOTS = 2,
    /* Batches with fewer bytes are filled by the caller itself: handing them over would take longer. */
    BYTES_WORTH_A_THREAD = 1 << 15,
};

typedef struct Slot {
    void **fields; /* memory of each input and target */
    nnrt_batch batch;
} Slot;

struct nnrt_batches {
    const nnrt_data *data;
    const nnrt_rows *rows;
    nnrt_batch_plan plan;
    int64_t count;  /* batches in a pass */
    int64_t *order; /* the rows of this pass; NULL: as they are */
    Slot slots[SLOTS];
    bool threaded; /* whether a thread is worth while */
    bool running;  /* whether it exists */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop;
    int64_t filled, given, released; /* the number of the next batch to fill, to hand out, to give back */
};

static int field_count(const nnrt_data *data) {
    return data->input_count + data->target_count;
}

static size_t column_bytes(const nnrt_column *column, int batch) {
    return column->width * nnrt_type_size(column->field->type) * (size_t)batch;
}

/* --- Filling --- */

/* Rows position .. position+n-1 of the pass, repeated at the end if the plan fills up. */
static void fill_slot(nnrt_batches *batches, int64_t number) {
    Slot *slot = &batches->slots[number % SLOTS];
    const int64_t *order = batches->order == NULL ? batches->rows->index : batches->order;
    const int batch = batches->plan.batch;
    const int64_t first = number * batch, left = batches->rows->count - first;
    const int n = left < batch ? (int)left : batch;
    for (int i = 0; i < field_count(batches->data); i++) {
        const nnrt_column *column = &batches->data->columns[i];
        const int64_t *index = order == NULL ? NULL : order + first;
        nnrt_column_copy(column, index, first, n, slot->fields[i]);
        const int64_t last = order == NULL ? first + n - 1 : order[first + n - 1];
        for (int k = n; batches->plan.rest == NNRT_REST_FILL && k < batch; k++) {
            size_t bytes = column_bytes(column, 1);
            nnrt_column_copy(column, &last, 0, 1, (char *)slot->fields[i] + (size_t)k * bytes);
        }
    }
    slot->batch.n = n;
}

/* The thread: fills while a slot is free. */
static void *prefetch(void *argument) {
    nnrt_batches *batches = argument;
    pthread_mutex_lock(&batches->lock);
    while (!batches->stop && batches->filled < batches->count) {
        if (batches->filled - batches->released == SLOTS) {
            pthread_cond_wait(&batches->changed, &batches->lock);
            continue;
        }
        int64_t number = batches->filled;
        pthread_mutex_unlock(&batches->lock);
        fill_slot(batches, number);
        pthread_mutex_lock(&batches->lock);
        batches->filled++;
        pthread_cond_signal(&batches->changed);
    }
    pthread_mutex_unlock(&batches->lock);
    return NULL;
}

static void stop_thread(nnrt_batches *batches) {
    if (!batches->running)
        return;
    pthread_mutex_lock(&batches->lock);
    batches->stop = true;
    pthread_cond_signal(&batches->changed);
    pthread_mutex_unlock(&batches->lock);
    pthread_join(batches->thread, NULL);
    batches->running = false;
}

/* --- Passes --- */

static void shuffle_order(nnrt_batches *batches, int64_t epoch) {
    for (int64_t i = 0; i < batches->rows->count; i++)
        batches->order[i] = nnrt_rows_at(batches->rows, i);
    uint64_t purpose = nnrt_random_hash("order") + (uint64_t)epoch;
    nnrt_random random = nnrt_random_new(batches->plan.seed, purpose);
    nnrt_random_shuffle(&random, batches->order, batches->rows->count);
}

int64_t nnrt_batches_count(const nnrt_batches *batches) {
    return batches->count;
}

void nnrt_batches_start(nnrt_batches *batches, int64_t epoch, int64_t first) {
    stop_thread(batches);
    batches->stop = false;
    batches->filled = batches->given = batches->released = first;
    if (batches->order != NULL)
        shuffle_order(batches, epoch);
    /* Without a thread, because none can be made, the work is the same. */
    batches->running =
        batches->threaded && first < batches->count && pthread_create(&batches->thread, NULL, prefetch, batches) == 0;
}

/* Gives back the batch handed out last and waits until the next one is filled. */
static void await_batch(nnrt_batches *batches) {
    pthread_mutex_lock(&batches->lock);
    batches->released = batches->given;
    pthread_cond_signal(&batches->changed);
    while (batches->filled == batches->given)
        pthread_cond_wait(&batches->changed, &batches->lock);
    pthread_mutex_unlock(&batches->lock);
}

const nnrt_batch *nnrt_batches_next(nnrt_batches *batches) {
    if (batches->given >= batches->count)
        return NULL;
    if (batches->running)
        await_batch(batches);
    else
        fill_slot(batches, batches->given);
    return &batches->slots[batches->given++ % SLOTS].batch;
}

/* --- Opening and closing --- */

static int64_t count_batches(int64_t samples, const nnrt_batch_plan *plan) {
    int64_t whole = samples / plan->batch;
    return samples % plan->batch != 0 && plan->rest != NNRT_REST_DROP ? whole + 1 : whole;
}

/* The memory of a slot; *bytes adds up what a batch takes. */
static int make_slot(Slot *slot, const nnrt_data *data, int batch, size_t *bytes, nnrt_error *error) {
    *bytes = 0;
    slot->fields = nnrt_allocate((size_t)field_count(data), sizeof *slot->fields);
    if (slot->fields == NULL)
        return nnrt_fail_memory(error, "a batch", (size_t)field_count(data));
    for (int i = 0; i < field_count(data); i++) {
        size_t size = column_bytes(&data->columns[i], 1);
        slot->fields[i] = nnrt_allocate((size_t)batch, size);
        if (slot->fields[i] == NULL)
            return nnrt_fail_memory(error, "a batch", size);
        *bytes += size * (size_t)batch;
    }
    slot->batch.inputs = (const void *const *)slot->fields;
    slot->batch.targets = slot->batch.inputs + data->input_count;
    return NNRT_OK;
}

static int make_memory(nnrt_batches *batches, nnrt_error *error) {
    size_t bytes = 0;
    for (int i = 0; i < SLOTS; i++)
        if (make_slot(&batches->slots[i], batches->data, batches->plan.batch, &bytes, error) != NNRT_OK)
            return NNRT_FAILED;
    batches->threaded = bytes >= BYTES_WORTH_A_THREAD;
    size_t rows = (size_t)batches->rows->count;
    if (batches->plan.shuffle) {
        batches->order = nnrt_allocate(rows, sizeof *batches->order);
        if (batches->order == NULL)
            return nnrt_fail_memory(error, "the order of the data", rows * sizeof *batches->order);
    }
    return NNRT_OK;
}

int nnrt_batches_open(nnrt_batches **made, const nnrt_part *part, const nnrt_batch_plan *plan, nnrt_error *error) {
    *made = NULL;
    nnrt_batches *batches = nnrt_allocate(1, sizeof *batches);
    if (batches == NULL)
        return nnrt_fail_memory(error, "a batch", sizeof *batches);
    batches->data = part->data;
    batches->rows = &part->rows;
    batches->plan = *plan;
    batches->count = count_batches(part->rows.count, plan);
    pthread_mutex_init(&batches->lock, NULL);
    pthread_cond_init(&batches->changed, NULL);
    if (make_memory(batches, error) != NNRT_OK) {
        nnrt_batches_close(batches);
        return NNRT_FAILED;
    }
    batches->given = batches->count; /* no pass is running */
    *made = batches;
    return NNRT_OK;
}

void nnrt_batches_close(nnrt_batches *batches) {
    if (batches == NULL)
        return;
    stop_thread(batches);
    pthread_mutex_destroy(&batches->lock);
    pthread_cond_destroy(&batches->changed);
    for (int i = 0; i < SLOTS; i++) {
        void **fields = batches->slots[i].fields;
        for (int k = 0; fields != NULL && k < field_count(batches->data); k++)
            free(fields[k]);
        free(fields);
    }
    free(batches->order);
    free(batches);
}
