"""The folder through which contenders exchange tensors: one raw file each, NAME.raw, in C order."""

import numpy


def field_type(field):
    return numpy.int32 if field.classes else numpy.float32


def make_start(case, folder):
    """Writes the parameters to start from and the batch; the same for the same case, always."""
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(sum(map(ord, case.name)))
    for name, parameter in case.parameters.items():
        bound = parameter.fan_in ** -0.5
        write(folder, name, random.uniform(-bound, bound, parameter.shape).astype(numpy.float32))
    for name, field in {**case.inputs, **case.targets}.items():
        if field.classes:
            write(folder, name, random.integers(0, field.classes, field.shape, dtype=numpy.int32))
        else:
            write(folder, name, random.standard_normal(field.shape, dtype=numpy.float32))


def write(folder, name, array):
    numpy.ascontiguousarray(array).tofile(folder / f"{name}.raw")


def read(folder, name, shape, dtype=numpy.float32):
    return numpy.fromfile(folder / f"{name}.raw", dtype=dtype).reshape(shape)


def read_parameters(case, folder):
    return {name: read(folder, name, parameter.shape) for name, parameter in case.parameters.items()}


def read_fields(fields, folder):
    return {name: read(folder, name, field.shape, field_type(field)) for name, field in fields.items()}
