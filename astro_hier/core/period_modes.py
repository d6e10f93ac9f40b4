"""Where modes of a likelihood begin, as a loop for lists that also can be compiled for arrays."""

import numpy as np

VALLEY = float(np.log(10.0))  # two maxima are separate modes if ln p falls by this between them


def mode_starts(at, heights, first):
    """The first cells of modes, from the ends of cells at which the likelihood turns.

    ``at`` are their numbers, two for each cell, and ``first`` says whether they follow a gap. All
    are lists or, compiled by `astro_hier.core.draws_compiled`, arrays.
    """
    starts = []
    peak = valley = -np.inf
    valley_at = 0
    for k in range(len(at)):
        i, height = at[k], heights[k]
        if first[k]:
            starts.append(i // 2)
            peak = valley = height
        elif min(height, peak) > valley + VALLEY:
            # out of a deep valley: everything from its bottom on is a new mode
            starts.append(valley_at)
            peak = valley = height
        elif height > peak:
            peak = valley = height
        elif height < valley:
            valley, valley_at = height, i // 2 + i % 2
    return np.array(starts)
