/* train.h: the `train` block: data, settings, optimizer. */
#ifndef NNC_SEMA_TRAIN_H
#define NNC_SEMA_TRAIN_H

#include "sema/model.h"
#include "sema/optimizer.h"

/* Fills the recipe and the training. False: there is nothing to train with, because of faults (reported). */
bool train_evaluate(Sema *s, const AstDecl *train, const AstDecl *model, const ModelBuild *build, Recipe *recipe,
                    Training *training);

/* train_data.c: one line `data names = source(...)`. */
void train_data(Sema *s, const AstTrainItem *item, const ModelBuild *build, Recipe *recipe);
/* After all lines: every input and target of the model has its data in each part that is given. */
void train_check_data(Sema *s, const AstDecl *train, const Recipe *recipe);

#endif
