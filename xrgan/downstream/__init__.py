"""Do the synthetic X-rays help? What the studies of classifiers and of segmenters share: arms, folds, tests, words."""
