"""What is modelled: one module a model."""
