"""The cases: each a model in nnc's language beside its twins in PyTorch and JAX."""
