"""What a random generator is for: the second number of its seed, so that no two of a run draw the same numbers.

    np.random.default_rng((seed, WEIGHTS))
    np.random.default_rng((seed, BATCHES, step))
"""
# above any number of an image, patient or step
WEIGHTS, DROPOUT, BATCHES, SPLIT, VALIDATION = range(1 << 32, (1 << 32) + 5)
