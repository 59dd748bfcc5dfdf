#include "plan/planner.h"

void planner_fuse(Planner *p) {
    (void)p;
}
