#include "ir/graph_reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- characters and words ---- */

_Noreturn void read_fail(Reader *r, const char *wanted) {
    r->message = arena_printf(r->arena, "line %d: expected %s", r->line, wanted);
    longjmp(r->failed, 1);
}

void skip_blanks(Reader *r) {
    while (*r->at == ' ')
        r->at++;
}

bool accept(Reader *r, const char *token) {
    skip_blanks(r);
    size_t length = strlen(token);
    if (strncmp(r->at, token, length) != 0)
        return false;
    r->at += length;
    return true;
}

void expect(Reader *r, const char *token) {
    if (!accept(r, token))
        read_fail(r, arena_printf(r->arena, "`%s`", token));
}

void expect_newline(Reader *r) {
    skip_blanks(r);
    if (*r->at != '\n')
        read_fail(r, "the end of the line");
    r->at++;
    r->line++;
}

static bool is_word_start(char c) {
    return isalpha((unsigned char)c) || c == '_' || c == '%';
}

static bool is_word_part(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* A name or %number into r->word. */
bool accept_any_word(Reader *r) {
    skip_blanks(r);
    if (!is_word_start(*r->at))
        return false;
    size_t length = 1;
    while (is_word_part(r->at[length]))
        length++;
    if (length >= MAX_WORD)
        read_fail(r, "a shorter name");
    memcpy(r->word, r->at, length);
    r->word[length] = '\0';
    r->at += length;
    return true;
}

const char *expect_any_word(Reader *r) {
    if (!accept_any_word(r))
        read_fail(r, "a name");
    return arena_copy_text(r->arena, r->word, strlen(r->word));
}

bool accept_word(Reader *r, const char *word) {
    const char *before = r->at;
    if (accept_any_word(r) && strcmp(r->word, word) == 0)
        return true;
    r->at = before;
    return false;
}

int64_t expect_integer(Reader *r) {
    skip_blanks(r);
    if (!isdigit((unsigned char)*r->at))
        read_fail(r, "a number");
    char *end;
    int64_t value = strtoll(r->at, &end, 10);
    r->at = end;
    return value;
}

/* ---- sizes ---- */

static const char *batch_word(const Reader *r) {
    return r->graph->batch_name ? r->graph->batch_name : "n";
}

/* 10, batch, 2 * batch */
Extent read_extent(Reader *r) {
    int64_t count = 1;
    skip_blanks(r);
    if (isdigit((unsigned char)*r->at)) {
        count = expect_integer(r);
        if (count < 1 || !accept(r, "*"))
            return (Extent){count < 1 ? 1 : count, 0};
    }
    int64_t size;
    if (!accept_word(r, batch_word(r)) || __builtin_mul_overflow(count, r->graph->batch.size, &size))
        read_fail(r, "a size");
    return (Extent){size, count};
}

/* ---- expressions ---- */

static const Scalar *read_or(Reader *r);

static const Scalar *read_nested(Reader *r) {
    if (++r->nesting > MAX_NESTING)
        read_fail(r, "fewer parentheses");
    const Scalar *s = read_or(r);
    r->nesting--;
    return s;
}

/* "1", "1.0", "1e-05" */
static const Scalar *read_number(Reader *r) {
    char *end_of_integer, *end;
    int64_t integer = strtoll(r->at, &end_of_integer, 10);
    double real = strtod(r->at, &end);
    r->at = end;
    return end == end_of_integer ? scalar_int(r->graph->pool, integer) : scalar_real(r->graph->pool, real);
}

const Node *expect_tensor(Reader *r) {
    expect_any_word(r);
    const Node *node = text_map_get(r->tensors, r->word);
    if (!node)
        read_fail(r, arena_printf(r->arena, "a tensor, not `%s`", r->word));
    return node;
}

static const Scalar *read_load(Reader *r, const Node *tensor) {
    const Scalar *at[MAX_AXES] = {NULL};
    for (int i = 0; i < tensor->rank; i++) {
        expect(r, i == 0 ? "[" : ",");
        at[i] = read_nested(r);
    }
    if (tensor->rank > 0)
        expect(r, "]");
    return scalar_load(r->graph->pool, tensor, at);
}

/* After "name(". */
static const Scalar *read_call(Reader *r, const char *name) {
    Op op;
    if (!op_by_spelling(name, &op))
        read_fail(r, arena_printf(r->arena, "a function, not `%s`", name));
    const Scalar *args[3] = {NULL};
    for (int i = 0; i < op_info(op)->arity; i++) {
        if (i > 0)
            expect(r, ",");
        args[i] = read_nested(r);
    }
    ScalarPool *pool = r->graph->pool;
    const Scalar *result;
    if (op == OP_WITHIN) {
        expect(r, ",");
        result = scalar_within(pool, args[0], read_extent(r));
    } else if (op == OP_SELECT) {
        result = scalar_select(pool, args[0], args[1], args[2]);
    } else {
        result = op_info(op)->arity == 1 ? scalar_op1(pool, op, args[0]) : scalar_op2(pool, op, args[0], args[1]);
    }
    expect(r, ")");
    return result;
}

static int find_slot(const Reader *r, const char *name) {
    for (int i = 0; i < r->rank + r->reduced; i++) {
        char made_up[16];
        snprintf(made_up, sizeof made_up, "i%d", i);
        if (strcmp(r->axes[i] ? r->axes[i] : made_up, name) == 0)
            return i;
    }
    return -1;
}

/* A word that is no call and no tensor; NULL: it has no meaning here. */
static const Scalar *read_plain_word(Reader *r, const char *word) {
    ScalarPool *pool = r->graph->pool;
    const Scalar *shared = text_map_get(r->shared, word);
    int slot = find_slot(r, word);
    if (shared || slot >= 0)
        return shared ? shared : scalar_index(pool, slot, r->extents[slot]);
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return scalar_bool(pool, word[0] == 't');
    if (strcmp(word, "inf") == 0 || strcmp(word, "nan") == 0)
        return scalar_real(pool, strtod(word, NULL));
    if (strcmp(word, "step") == 0 || strcmp(word, "steps") == 0)
        return scalar_runtime(pool, word[4] ? RUNTIME_STEPS : RUNTIME_STEP);
    return strcmp(word, batch_word(r)) == 0 ? scalar_runtime(pool, RUNTIME_N) : NULL;
}

static const Scalar *read_atom(Reader *r) {
    if (accept(r, "(")) {
        const Scalar *s = read_nested(r);
        expect(r, ")");
        return s;
    }
    skip_blanks(r);
    if (isdigit((unsigned char)*r->at))
        return read_number(r);
    const char *word = expect_any_word(r);
    if (*r->at == '(') {
        r->at++;
        return read_call(r, word);
    }
    const Scalar *s = *r->at == '[' ? NULL : read_plain_word(r, word);
    const Node *tensor = s ? NULL : text_map_get(r->tensors, word);
    if (!s && !tensor)
        read_fail(r, arena_printf(r->arena, "a name that is known, not `%s`", word));
    return s ? s : read_load(r, tensor);
}

static const Scalar *read_prefix(Reader *r) {
    Op op = accept(r, "-") ? OP_NEG : OP_NOT;
    if (op == OP_NOT && !accept(r, "!"))
        return read_atom(r);
    return scalar_op1(r->graph->pool, op, read_atom(r));
}

static bool accept_product(Reader *r, Op *op) {
    *op = accept(r, "*")          ? OP_MUL
          : accept(r, "/")        ? OP_DIV
          : accept_word(r, "div") ? OP_FLOORDIV
          : accept_word(r, "mod") ? OP_MOD
                                  : OP_COUNT;
    return *op != OP_COUNT;
}

static bool accept_sum(Reader *r, Op *op) {
    *op = accept(r, "+") ? OP_ADD : accept(r, "-") ? OP_SUB : OP_COUNT;
    return *op != OP_COUNT;
}

static bool accept_compare(Reader *r, Op *op) {
    /* The longer spellings first. */
    static const Op compares[] = {OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT};
    for (size_t i = 0; i < sizeof compares / sizeof *compares; i++) {
        if (accept(r, op_info(compares[i])->spelling)) {
            *op = compares[i];
            return true;
        }
    }
    return false;
}

static bool accept_and(Reader *r, Op *op) {
    *op = OP_AND;
    return accept(r, "&&");
}

static bool accept_or(Reader *r, Op *op) {
    *op = OP_OR;
    return accept(r, "||");
}

typedef const Scalar *ReadLevel(Reader *r);

/* argument (op argument)*, from the left */
static const Scalar *read_infix(Reader *r, bool (*accept_op)(Reader *, Op *), ReadLevel *argument) {
    const Scalar *s = argument(r);
    Op op;
    while (accept_op(r, &op))
        s = scalar_op2(r->graph->pool, op, s, argument(r));
    return s;
}

static const Scalar *read_product(Reader *r) {
    return read_infix(r, accept_product, read_prefix);
}

static const Scalar *read_sum(Reader *r) {
    return read_infix(r, accept_sum, read_product);
}

static const Scalar *read_compare(Reader *r) {
    return read_infix(r, accept_compare, read_sum);
}

static const Scalar *read_and(Reader *r) {
    return read_infix(r, accept_and, read_compare);
}

static const Scalar *read_or(Reader *r) {
    return read_infix(r, accept_or, read_and);
}

/* let t1 = ..., t2 = ... in body */
const Scalar *read_body(Reader *r) {
    r->shared = text_map_new(r->arena);
    if (accept_word(r, "let")) {
        do {
            const char *name = expect_any_word(r);
            expect(r, "=");
            text_map_put(r->shared, name, (void *)read_nested(r));
        } while (accept(r, ","));
        if (!accept_word(r, "in"))
            read_fail(r, "`in`");
    }
    return read_nested(r);
}
