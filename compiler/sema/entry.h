/* entry.h: what the runs of the model found, as the graph's entry points. */
#ifndef NNC_SEMA_ENTRY_H
#define NNC_SEMA_ENTRY_H

#include "sema/model.h"

/* PREDICT and LOSS, from the run with `training` false. */
void entry_evaluation(Sema *s, const ModelBuild *build, const AstDecl *model);
/* GRADIENT, from the run with `training` true. The loss; NULL: the model has none. */
const Node *entry_gradient(Sema *s, const ModelBuild *build);
/* INIT. */
void entry_init(Sema *s);
/* Warnings: parameters that nothing reads, a loss that no parameter reaches. */
void entry_check(Sema *s, const AstDecl *model);

#endif
