#include "plan/window.h"

static bool has_taps(const Node *node, int slot) {
    return same_extent(node_slot_extent(node, slot), (Extent){TAPS, 0});
}

/* place + tap + start, or place - tap + start; one of the two slots has as many values as a window has taps. */
static bool find_window(const Node *node, const Shift *shift, Window *window) {
    bool output_first = shift->output_sign == 1;
    int first = output_first ? shift->output : shift->summed, second = output_first ? shift->summed : shift->output;
    bool reversed = (output_first ? shift->summed_sign : shift->output_sign) == -1,
         second_is_tap = has_taps(node, second);
    if (!second_is_tap && (!has_taps(node, first) || reversed))
        return false;
    *window = (Window){.tap = second_is_tap ? second : first,
                       .place = second_is_tap ? first : second,
                       .image_axis = shift->image_axis,
                       .other_axis = shift->other_axis,
                       .reversed = reversed};
    window->start = shift->start - (reversed ? TAPS - 1 : 0);
    return true;
}

bool window_product_find(Graph *g, const Node *node, WindowProduct *found) {
    Correlation c;
    if (!correlation_find(g, node, &c) || c.guarded || c.groups.count > 0)
        return false;
    *found = (WindowProduct){.node = node, .image = c.image, .other = c.other, .filters = c.filters};
    for (int d = 0; d < 2; d++)
        if (!find_window(node, &c.shift[d], &found->window[d]))
            return false;
    found->gradient = found->window[0].tap < node->rank;
    found->samples = found->gradient ? c.channels : c.images;
    found->channels = found->gradient ? c.images : c.channels;
    return found->gradient == (found->window[1].tap < node->rank) && found->channels.count > 0 &&
           found->filters.count > 0;
}
