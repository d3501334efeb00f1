"""The user's own images: every form that people have them in, made MNIST's form."""
