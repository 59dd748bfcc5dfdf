"""Do all contenders compute the same? Checked before anything is measured."""

import numpy

from harness import exchange

STEPS = 10
# Relative to the loss; to the distance that the parameters have moved; to the largest output. All in single precision, where sums
# over thousands of terms in another order differ by about 1e-5. Parameters differ by more, since a unit of relu that is nearly 0 may
# open on one side and not on the other: after ten steps of Adam, by nearly a hundredth, PyTorch from itself in double precision.
LOSS_TOLERANCE = 1e-4
PARAMETER_TOLERANCE = 1e-2
OUTPUT_TOLERANCE = 1e-4


def results(case, task, folder):
    """What a worker saved."""
    return exchange.read_parameters(case, folder) if task == "train" else exchange.read_fields(case.outputs, folder)


def compare(task, start, losses, found, reference_losses, reference):
    """The differences of one contender from the reference, and whether they are within tolerance."""
    if task == "predict":
        error = max(largest(found[name] - reference[name]) / (largest(reference[name]) or 1) for name in reference)
        return {"outputs": error, "passed": bool(error <= OUTPUT_TOLERANCE)}
    loss_error = max(abs(mine - theirs) / (abs(theirs) or 1) for mine, theirs in zip(losses, reference_losses))
    difference = norm(found[name] - reference[name] for name in reference)
    moved = norm(reference[name] - start[name] for name in reference)
    parameter_error = difference / moved if moved else difference
    return {
        "loss": loss_error,
        "parameters": parameter_error,
        "passed": bool(loss_error <= LOSS_TOLERANCE and parameter_error <= PARAMETER_TOLERANCE),
    }


def largest(array):
    return float(numpy.max(numpy.abs(array)))


def norm(arrays):
    return float(sum(numpy.sum(array.astype(numpy.float64) ** 2) for array in arrays) ** 0.5)
