"""From the records of a data set to batches: selection, preprocessing, cache, split, augmentation."""
