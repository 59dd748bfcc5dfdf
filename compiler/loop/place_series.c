#include "loop/place_internal.h"

/* Those of a series, by index; NULL: nobody has it. */
typedef VEC(MemoryBlock *) MemoryBlocks;

/* The blocks of a series but for those that belong to another one, because they were written in place. */
static MemoryBlocks series_blocks(const Placement *p, const BufferSeries *series, PointerMap *taken) {
    MemoryBlocks list = {0};
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (size_t i = 0; i < series->members.count; i++) {
        int64_t index = series->members.at[i].index;
        least = index < least ? index : least;
        most = index > most ? index : most;
    }
    for (int64_t i = least; i <= most; i++)
        vec_push(p->arena, &list, NULL);
    for (size_t i = 0; i < series->members.count; i++) {
        MemoryBlock *block = p->block_of[series->members.at[i].buffer->id];
        if (!block || pointer_map_get(taken, block))
            continue;
        pointer_map_put(taken, block, block);
        list.at[series->members.at[i].index - least] = block;
    }
    return list;
}

/* Of every `step`-th member, each is dead when the next one is written, or in the other direction. */
static bool takes_turns(const MemoryBlocks *list, size_t step) {
    bool forward = true, backward = true;
    for (size_t first = 0; first < step; first++) {
        const MemoryBlock *before = NULL;
        for (size_t i = first; i < list->count; i += step) {
            const MemoryBlock *next = list->at[i];
            if (!next)
                continue;
            forward = forward && (!before || before->block.last < next->block.first);
            backward = backward && (!before || next->block.last < before->block.first);
            before = next;
        }
    }
    return forward || backward;
}

/* They take each other's place. */
static void join_turns(Placement *p, const MemoryBlocks *list, size_t step) {
    for (size_t first = 0; first < step; first++) {
        MemoryBlock *all = NULL;
        for (size_t i = first; i < list->count; i += step) {
            if (all && list->at[i])
                place_together(p, all, list->at[i]);
            all = all ? all : list->at[i];
        }
    }
}

/* How long members of the row live: the mean. */
static double life_of(const BlockRow *row) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < row->at.count; i++) {
        const Block *block = row->at.at[i];
        sum += block ? block->last - block->first : 0;
        count += block ? 1 : 0;
    }
    return sum / count;
}

/* Those that live longest come first: what lives shortly finds room in what is not needed yet, or no more. */
static void add_row(const Placement *p, BlockRowList *rows, const MemoryBlocks *list) {
    BlockRow *row = arena_one(p->arena, BlockRow);
    for (size_t i = 0; i < list->count; i++)
        vec_push(p->arena, &row->at, list->at[i] ? &list->at[i]->block : NULL);
    vec_push(p->arena, rows, row);
    for (size_t i = rows->count - 1; i > 0 && life_of(rows->at[i - 1]) < life_of(row); i--) {
        rows->at[i] = rows->at[i - 1];
        rows->at[i - 1] = row;
    }
}

/* The rows of an entry. What is needed for a step or two is none: its members take turns. */
static BlockRowList find_rows(Placement *p) {
    enum { MOST_TURNS_OF_ROWS = 2 };
    BlockRowList rows = {0};
    PointerMap *taken = pointer_map_new(p->arena);
    for (size_t i = 0; i < p->entry->series.count; i++) {
        const MemoryBlocks list = series_blocks(p, p->entry->series.at[i], taken);
        size_t step = 1;
        while (step <= MOST_TURNS_OF_ROWS && !takes_turns(&list, step))
            step++;
        if (step <= MOST_TURNS_OF_ROWS)
            join_turns(p, &list, step);
        else
            add_row(p, &rows, &list);
    }
    return rows;
}

/* Of the largest: what was written in place may have another slack. */
static size_t member_bytes(const BlockRow *row) {
    size_t most = 0;
    for (size_t i = 0; i < row->at.count; i++)
        if (row->at.at[i] && row->at.at[i]->bytes > most)
            most = row->at.at[i]->bytes;
    return block_round(most);
}

static bool live_together(const Block *a, const Block *b) {
    return a && b && a->first <= b->last && b->first <= a->last;
}

/* At that distance, members that live together share bytes. */
static bool meets_itself(const BlockRow *row, size_t distance) {
    size_t reach = (member_bytes(row) - 1) / distance;
    for (size_t i = 0; i < row->at.count; i++)
        for (size_t k = i + 1; k < row->at.count && k - i <= reach; k++)
            if (live_together(row->at.at[i], row->at.at[k]))
                return true;
    return false;
}

/* How many repetitions a member of the row serves: those of every second step are half as many as there are steps. 0: the row has to do with other
 * repetitions. */
static size_t steps_of(const BlockRowList *rows, const BlockRow *row) {
    enum { MOST_STEPS = 4 };
    size_t longest = 0;
    for (size_t i = 0; i < rows->count; i++)
        longest = rows->at[i]->at.count > longest ? rows->at[i]->at.count : longest;
    size_t steps = (longest + row->at.count / 2) / row->at.count;
    return steps <= MOST_STEPS ? steps : 0;
}

/* Adds what one repetition needs of a row: at each time the row's share of what lives. */
static void add_share(const Placement *p, const BlockRow *row, size_t steps, size_t *share) {
    int64_t *change = arena_array(p->arena, int64_t, p->entry->kernels.count + 1), live = 0;
    for (size_t i = 0; i < row->at.count; i++) {
        const Block *block = row->at.at[i];
        if (!block)
            continue;
        change[block->first]++;
        change[block->last + 1]--;
    }
    for (size_t time = 0; time < p->entry->kernels.count; time++) {
        live += change[time];
        share[time] += member_bytes(row) * (size_t)live / (row->at.count * steps);
    }
}

/* The most that one repetition needs of all rows at any time, in whole members of the smallest one. With that distance, rows that live together stand
 * side by side, and those that live later take the place of others of the same repetition. */
static size_t record_bytes(const Placement *p, const BlockRowList *rows) {
    size_t *share = arena_array(p->arena, size_t, p->entry->kernels.count), most = 0, smallest = SIZE_MAX;
    for (size_t i = 0; i < rows->count; i++) {
        size_t steps = steps_of(rows, rows->at[i]), bytes = member_bytes(rows->at[i]);
        if (steps > 0)
            add_share(p, rows->at[i], steps, share);
        smallest = steps > 0 && bytes < smallest ? bytes : smallest;
    }
    for (size_t time = 0; time < p->entry->kernels.count; time++)
        most = share[time] > most ? share[time] : most;
    return (most + smallest / 2) / smallest * smallest;
}

/* All rows in records of so many bytes, but for those whose members need more: a member of each stands in each record. */
static void set_records(const BlockRowList *rows, size_t record) {
    for (size_t i = 0; i < rows->count; i++) {
        BlockRow *row = rows->at[i];
        size_t distance = record * steps_of(rows, row);
        row->distance = distance > 0 && !meets_itself(row, distance) ? distance : member_bytes(row);
    }
}

/* In records; where that takes more than `most`, rows whose members stand side by side instead make it less: what lives later than the records, and
 * is smaller, leaves no gaps then. */
static size_t arrange_in_records(const Placement *p, const BlockRowList *rows, const BlockList *rest, size_t most) {
    set_records(rows, record_bytes(p, rows));
    size_t bytes = arrange_rows(p->arena, rows, rest);
    for (size_t i = rows->count; bytes > most && i-- > 0;) {
        BlockRow *row = rows->at[i];
        size_t distance = row->distance;
        row->distance = member_bytes(row);
        size_t tried = arrange_rows(p->arena, rows, rest);
        row->distance = tried < bytes ? row->distance : distance;
        bytes = tried < bytes ? tried : bytes;
    }
    return arrange_rows(p->arena, rows, rest);
}

static BlockList blocks_outside(const Placement *p, const BlockRowList *rows) {
    PointerMap *inside = pointer_map_new(p->arena);
    BlockList list = {0};
    for (size_t i = 0; i < rows->count; i++)
        for (size_t k = 0; k < rows->at[i]->at.count; k++)
            if (rows->at[i]->at.at[k])
                pointer_map_put(inside, rows->at[i]->at.at[k], rows);
    for (size_t i = 0; i < p->blocks.count; i++)
        if (!pointer_map_get(inside, &p->blocks.at[i]->block))
            vec_push(p->arena, &list, &p->blocks.at[i]->block);
    return list;
}

size_t place_arrange(Placement *p) {
    const BlockRowList rows = find_rows(p), none = {0};
    const BlockList all = blocks_outside(p, &none), rest = blocks_outside(p, &rows);
    size_t plain = arrange_blocks(p->arena, &all), bytes = plain, most = plain + plain / 16;
    if (rows.count > 0 && !p->graph->entries[p->entry->kind].spares_memory) {
        bytes = arrange_in_records(p, &rows, &rest, most);
        if (bytes > most)
            bytes = arrange_blocks(p->arena, &all);
    }
    return bytes;
}
