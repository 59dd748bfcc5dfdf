#!/usr/bin/env python3
"""Fits the polynomials of runtime/inline/vmath.h and prints them as C.

Minimax fits at high precision. The coefficients are then rounded to the precision of the target one
after the other, from the constant term on, and the rest is fitted again, so that rounding costs little accuracy.

    python3 scripts/fit_polynomials.py          (needs mpmath)
"""
import struct

from mpmath import mp, mpf, matrix, lu_solve, sqrt, log, exp, expm1, erf, erfc, sin, cos, tanh, atanh, pi, cos as mpcos

mp.prec = 240


def round_to(value, double):
    """The nearest float or double."""
    number = float(value)  # mpmath rounds to nearest
    return mpf(number) if double else mpf(struct.unpack("f", struct.pack("f", number))[0])


def c_literal(value, double):
    """Shortest digits that read back as the same number."""
    number = float(value)
    if double:
        return repr(number)
    for digits in range(1, 10):
        text = "%.*g" % (digits, number)
        if struct.unpack("f", struct.pack("f", float(text)))[0] == number:
            break
    return (text if any(c in text for c in ".e") else text + ".0") + "f"


def chebyshev_points(low, high, count):
    return [(low + high) / 2 - (high - low) / 2 * mpcos(pi * i / (count - 1)) for i in range(count)]


def evaluate(coefficients, x):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def minimax(target, weight, low, high, powers, fixed):
    """Coefficients {power: value} that nearly minimise max |weight * (fixed + sum c_k x^k - target)| on [low, high].

    Lawson's iteration: least squares, where the weight of a point grows with the error that is left there.
    """
    points = [x for x in chebyshev_points(low, high, 4 * (len(powers) + 4)) if weight(x) != 0]
    weights = [weight(x) ** 2 for x in points]
    shares = [mpf(1)] * len(points)
    residual = [target(x) - sum(c * x**k for k, c in fixed.items()) for x in points]
    columns = [[x**k for x in points] for k in powers]
    best, best_worst = None, None
    for _ in range(15):
        rows = matrix(len(powers), len(powers))
        right = matrix(len(powers), 1)
        full = [w * s for w, s in zip(weights, shares)]
        for i, a in enumerate(columns):
            right[i] = mp.fsum(w * x * r for w, x, r in zip(full, a, residual))
            for j, b in enumerate(columns):
                rows[i, j] = mp.fsum(w * x * y for w, x, y in zip(full, a, b))
        solution = lu_solve(rows, right)
        errors = [
            sqrt(weights[n]) * abs(sum(solution[i] * a[n] for i, a in enumerate(columns)) - residual[n])
            for n in range(len(points))
        ]
        worst = max(errors)
        if best is None or worst < best_worst:
            best, best_worst = {k: solution[i] for i, k in enumerate(powers)}, worst
        shares = [s * e / worst for s, e in zip(shares, errors)]
    return best


def fit(target, weight, low, high, degree, double):
    fixed = {}
    for power in range(degree + 1):
        found = minimax(target, weight, low, high, list(range(power, degree + 1)), fixed)
        fixed[power] = round_to(found[power], double)
    grid = chebyshev_points(low, high, 1000)
    coefficients = [fixed[k] for k in range(degree + 1)]
    worst = max(abs(weight(x) * (evaluate(coefficients, x) - target(x))) for x in grid)
    return coefficients, worst


def show(name, what, target, weight, low, high, degree, double):
    coefficients, worst = fit(target, weight, mpf(low), mpf(high), degree, double)
    bits = float(-log(worst, 2))
    print("/* %s; relative error 2^-%.1f */" % (what, bits))
    print("static const nn_real %s[] = {" % name)
    print("    " + ", ".join(c_literal(c, double) for c in reversed(coefficients)) + "};\n")


def parts_of(value, widths, double):
    """A constant as a sum of parts with few bits each, whose products with small whole numbers are exact."""
    parts = []
    for width in widths[:-1]:
        exponent = int(mp.floor(log(value, 2))) if value > 0 else int(mp.floor(log(-value, 2)))
        scale = mpf(2) ** (width - 1 - exponent)
        part = mp.floor(value * scale) / scale
        parts.append(part)
        value -= part
    parts.append(round_to(value, double))
    return [c_literal(part, double) for part in parts]


def split(name, value, widths, double):
    print("static const nn_real %s[] = {%s};\n" % (name, ", ".join(parts_of(value, widths, double))))


def split_macros(names, value, widths, double):
    """The same for a constant that not every function of its readers wants."""
    for name, part in zip(names, parts_of(value, widths, double)):
        print("#define %s %s" % (name, part))


def series_safe(function, near_zero):
    """function, but near_zero at 0 where it is 0/0."""
    return lambda x: near_zero if abs(x) < mpf(2) ** -60 else function(x)


def fit_all(double):
    print("#if NN_DOUBLE" if double else "#else  /* NN_DOUBLE */")
    half = log(2) / 2 * mpf("1.0001")
    show("nn_exp_poly", "(e^r - 1 - r) / r^2 for |r| <= ln(2)/2",
         series_safe(lambda r: (expm1(r) - r) / r**2, mpf(1) / 2), series_safe(lambda r: r**2 / expm1(r), mpf(0)),
         -half, half, 10 if double else 4, double)
    show("nn_coth_poly", "f coth(f ln(2)) in f^2, for |f| <= 1/4, as (y + f) / (y - f)",
         series_safe(lambda z: sqrt(z) / tanh(sqrt(z) * log(2)), 1 / log(2)), lambda z: 2 * sqrt(z) * log(2) ** 2,
         0, mpf("0.2501") ** 2, 5 if double else 2, double)
    top = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
    show("nn_log_poly", "(log((1+s)/(1-s)) - 2s) / s^3 in s^2, for |s| <= 0.1716",
         series_safe(lambda z: 2 * (atanh(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, mpf(2) / 3), lambda z: z / 2,
         0, top, 6 if double else 2, double)
    show("nn_pow_poly", "(log((1+s)/(1-s)) - 2s - 2s^3/3) / s^5 in s^2, for |s| <= 0.1716",
         series_safe(lambda z: 2 * (atanh(sqrt(z)) - sqrt(z) - sqrt(z) ** 3 / 3) / sqrt(z) ** 5, mpf(2) / 5),
         lambda z: z**2 / 2, 0, top, 6 if double else 2, double)
    quarter = (pi / 4) ** 2 * mpf("1.0002")
    show("nn_sin_poly", "(sin(r) - r) / r^3 in r^2, for |r| <= pi/4",
         series_safe(lambda z: (sin(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, mpf(-1) / 6),
         series_safe(lambda z: sqrt(z) ** 3 / sin(sqrt(z)), mpf(0)), 0, quarter, 5 if double else 2, double)
    show("nn_cos_poly", "(cos(r) - 1 + r^2/2) / r^4 in r^2, for |r| <= pi/4",
         series_safe(lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, mpf(1) / 24),
         lambda z: z**2 / cos(sqrt(z)), 0, quarter, 5 if double else 2, double)
    show("nn_erf_poly", "erf(x)/x - 1 in x^2, for |x| <= 1",
         series_safe(lambda z: erf(sqrt(z)) / sqrt(z) - 1, 2 / sqrt(pi) - 1),
         series_safe(lambda z: sqrt(z) / erf(sqrt(z)), sqrt(pi) / 2), 0, 1, 12 if double else 6, double)
    show("nn_erfc_poly", "-log(1 - erf(x)) in x, for 1 <= x <= %d" % (6 if double else 4),
         lambda x: -log(erfc(x)), lambda x: erfc(x) / erf(x), 1, 6 if double else 4, 18 if double else 6, double)
    split("nn_half_pi", pi / 2, (16, 17, 33, 33, 33, 53) if double else (8, 8, 8, 8, 8, 24), double)
    split_macros(("NN_LN2_HIGH", "NN_LN2_LOW"), log(2), (33, 53) if double else (15, 24), double)
    split("nn_half_log2_e", 1 / (2 * log(2)), (53, 53) if double else (24, 24), double)


if __name__ == "__main__":
    fit_all(True)
    fit_all(False)
    print("#endif /* NN_DOUBLE */")
