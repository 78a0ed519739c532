"""Detection of unusual samples: scores, the threshold above which a sample counts as unusual, and simple baselines."""
