"""What the models of orbits share: the orbit with its linear terms, extra scatter, and checks."""
