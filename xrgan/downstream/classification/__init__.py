"""Does a classifier gain? Arms of classifiers on the same folds, steps and seeds, judged by patients never seen."""
