/* opt.h: graph to graph, same meaning up to rounding, less work. Every pass returns the number of changes; the driver runs graph_check after each.
 *
 * logarithms  before differentiation: a logarithm sees through the maps that it reads where a rule then takes it apart, and its derivative is that of
 *            what is computed:  p[b, c] = exp(x[b, c]) / s[b];  l[b, c] = log(p[b, c])   ->   l[b, c] = x[b, c] - log(s[b])
 * extremes   before differentiation: the largest of an increasing function is the function of the largest:
 *              y[i] = max(u) tanh(x[i, u])   ->   m[i] = max(u) x[i, u];  y[i] = tanh(m[i])
 * simplify   rules that need more than one scalar:
 *              factors that do not depend on the reduction variables leave a sum:   sum(k) a[i] * f(i, k)  ->  a[i] * sum(k) f(i, k)  (two nodes)
 *              one-point rule:  sum(k) select(k == e, f(k), 0)  ->  f(e)  (within-guarded when not provable)
 *              a sum of a body free of a reduction variable   ->  extent * body
 *              plain maps are seen through where a rule then fires (through.h)
 *              a reduction that is the same along an output axis is computed once:  y[b, i] = sum(k) f(b, k)  ->  once[b] = ..;  y[b, i] = once[b]
 *              sum(k, l) f(k) * g(l)  ->  (sum(k) f(k)) * (sum(l) g(l))
 *              a * x + select(c, a * y, 0)  ->  a * (x + select(c, y, 0)): softmax cross-entropy comes out as (p - onehot) / n
 *            requires: no GRAD, JVP or DETACH.
 * residues   a sum that is 0 but where an axis leaves a certain remainder is computed there alone, which is what the adjoint of a strided window
 *            of size 1 comes to:  y[i] = sum(o) select(i mod 2 == 0, f(i, o), 0)   ->   s[j] = sum(o) f(2 j, o);  y[i] = select(i mod 2 == 0, s[i div 2], 0)
 * freeze     with --prepare: prediction reads a prepared tensor for each parameter. What is made of these alone is the same in all predictions
 *            (node->is_prepared): it costs nothing, and is not inlined into what is not.
 * signs      the sign of a rectifier's argument is asked of its result, which is kept anyway:  select(x > 0, e, 0)  ->  select(relu(x) > 0, e, 0)
 * decays     an exponential whose argument cannot be positive has fewer operations:  exp(x[b, c] - largest[b])  ->  decay(x[b, c] - largest[b])
 * operands   contractions multiply plain loads: sum(k) w[n, k] * tanh(x[b, k]) reads a node t = tanh(x); a sum of several products becomes several sums.
 * inline     maps into their readers where computing them again is cheaper than memory, each entry for itself:
 *              t[i] = x[i] + b[i];  y[i] = tanh(t[i])   ->   y[i] = tanh(x[i] + b[i])
 *            keeps: contractions read plain loads; a map that must be stored for one reader is read by all. Simplifies what comes together.
 * recompute  under a memory budget: more maps into their readers, the one that frees most first, until every entry fits or none helps. Without a
 *            budget, inline alone decides what is stored, by time.
 * pad        a guarded load of a contraction or window reads a padded copy instead, when it is read often: the inner loops are free of conditions.
 * prepare    behind the plan's passes over the graph: what is the same in all predictions leaves predict for the entry point prepare:
 *              y[b, n] = x[b, n] / sqrt(v[n] + 1e-5)   ->   prepare: s[n] = sqrt(v[n] + 1e-5);   predict: y[b, n] = x[b, n] / s[n]
 * units      a reduction takes the axes of size 1 of the map that reads it, which can then be computed in its loops:
 *              s[b] = sum(k) f(b, k);  y[b, n] = s[b] + c[0]   ->   s[b, n] = sum(k) f(b, k);  y[b, n] = s[b, 0] + c[0]
 *
 * Order: logarithms, extremes, (differentiate), simplify, residues, freeze, signs, decays, operands, inline, recompute, pad, prepare, units. A pass keeps what those before it made.
 */
#ifndef NNC_OPT_OPT_H
#define NNC_OPT_OPT_H

#include "ir/graph.h"

int opt_logarithms(Graph *g);
int opt_extremes(Graph *g);
int opt_simplify(Graph *g);
int opt_residues(Graph *g);
void opt_freeze(Graph *g);
int opt_signs(Graph *g);
int opt_decays(Graph *g);
int opt_operands(Graph *g);
int opt_inline(Graph *g);
int opt_recompute(Graph *g, Entry *entry, int64_t budget); /* bytes */
int opt_pad(Graph *g);
int opt_prepare(Graph *g);
int opt_units(Graph *g);

/* Bytes that live at once between the equations of an entry, without what kernels save by fusion: an upper bound of its workspace. */
int64_t entry_peak_bytes(Graph *g, const Entry *entry);

#endif
