"""What people use instead of nnc, each in a process of its own that the harness commands."""
